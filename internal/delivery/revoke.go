package delivery

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// revokeTimeout bounds one revocation.
const revokeTimeout = 5 * time.Second

// RevokeTurnTimeout is how long the revocations of an attempt may take, and what is written of them.
const RevokeTurnTimeout = 3*revokeTimeout + 5*time.Second

// Revoke takes back the messages of an attempt that may still arrive: those that providers have, or
// perhaps have, which can do that (provider.Revoker). One of a provider that cannot is no reason to wait
// on most channels; on RCS it is, whose messages wait for telephones that are switched off.
func (w *Worker) Revoke(ctx context.Context, a *verify.Attempt) (all verify.Revocations) {
	routes := w.routes(a)
	for _, name := range holders(routes, a) {
		i := slices.IndexFunc(routes, func(r Route) bool { return r.Name == name })
		var revoker provider.Revoker
		if i >= 0 {
			revoker, _ = routes[i].Provider.(provider.Revoker)
		}
		began := w.Now()
		r := verify.Revocation{Provider: name, At: verify.MillisOf(began), Outcome: verify.Kept}
		switch {
		case revoker == nil && a.Channel != verify.RCS:
			continue
		case i < 0:
			r.Detail = "it is no provider of this route any more"
		case revoker == nil:
			r.Detail = "it cannot take messages back"
		default:
			s := provider.Sent{Key: a.SID + ":" + strconv.Itoa(i+1), Channel: string(a.Channel), To: a.To}
			if name == a.Provider {
				s.ID = a.ProviderID
			}
			r.Outcome, r.Code, r.Detail = revoke(ctx, revoker, s)
			r.Took = verify.Millis(w.Now().Sub(began).Milliseconds())
		}
		w.Log.LogAttrs(ctx, slog.LevelInfo, "revocation",
			slog.String("attempt", a.SID), slog.String("channel", string(a.Channel)), slog.String("to", phone.Masked(a.To)),
			slog.String("provider", name), slog.String("outcome", string(r.Outcome)), slog.String("code", r.Code), slog.String("detail", r.Detail))
		all = append(all, r)
	}
	return all
}

func revoke(ctx context.Context, p provider.Revoker, s provider.Sent) (outcome verify.RevocationOutcome, code, detail string) {
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	err := p.Revoke(ctx, s)
	if err == nil {
		return verify.Revoked, "", ""
	}
	switch failure := provider.AsError(err); failure.Class {
	case provider.BadRequest, provider.BadRecipient:
		return verify.Kept, failure.Code, failure.Detail
	default:
		return verify.Unclear, failure.Code, failure.Detail
	}
}

// holders are the providers whose message may still arrive, as the story of an attempt tells: who accepted
// it or perhaps has it, without those that reported its end, gave it back, or, knowing it by its key, said
// in another answer that they cannot reach the person.
func holders(routes []Route, a *verify.Attempt) (names []string) {
	for _, s := range a.Story.Steps() {
		have, gone := false, false
		switch s.Kind {
		case verify.StepHandOver:
			have = s.Outcome == accepted || s.Outcome == provider.Unknown.String()
			gone = s.Outcome == provider.BadRecipient.String() && repeats(routes, s.Provider)
		case verify.StepReport:
			gone = s.Outcome == string(verify.AttemptUndelivered)
		case verify.StepRevoke:
			gone = s.Outcome == string(verify.Revoked)
		}
		switch {
		case have && !slices.Contains(names, s.Provider):
			names = append(names, s.Provider)
		case gone:
			names = slices.DeleteFunc(names, func(name string) bool { return name == s.Provider })
		}
	}
	return names
}

// repeats reports whether a provider knows messages by their key.
func repeats(routes []Route, name string) bool {
	return slices.ContainsFunc(routes, func(r Route) bool {
		_, ok := r.Provider.(provider.Repeatable)
		return ok && r.Name == name
	})
}
