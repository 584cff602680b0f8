package devserver

import (
	"context"
	"errors"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/inbox"
	"github.com/verifyd/verifyd/internal/verify"
)

// shownFactors is how many factors the page shows.
const shownFactors = 50

// waitingFactors is inbox.Options.Factors.
func waitingFactors(e *factor.Engine) func(context.Context) ([]inbox.Factor, error) {
	return func(ctx context.Context) ([]inbox.Factor, error) {
		waiting, err := e.Enrolments(ctx, shownFactors)
		var list []inbox.Factor
		for i := range waiting {
			list = append(list, shown(&waiting[i]))
		}
		return list, err
	}
}

// waitingFactor is inbox.Options.Factor.
func waitingFactor(e *factor.Engine) func(context.Context, string) (inbox.Factor, error) {
	return func(ctx context.Context, sid string) (inbox.Factor, error) {
		f, err := e.Enrolment(ctx, sid)
		if errors.Is(err, verify.ErrNotFound) {
			return inbox.Factor{}, inbox.ErrNoFactor
		}
		if err != nil {
			return inbox.Factor{}, err
		}
		return shown(f), nil
	}
}

func shown(f *factor.NewFactor) inbox.Factor {
	return inbox.Factor{SID: f.SID, Identity: f.Identity, Name: f.FriendlyName, URI: f.TOTP.URI, CreatedAt: f.CreatedAt}
}
