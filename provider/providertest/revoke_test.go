package providertest

import (
	"context"
	"slices"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

// waiting is a far end at which messages wait, on top of channelFar.
type waiting struct {
	*channelFar
	waits   bool
	waiting []string
}

func (f *waiting) Wait(on bool)      { f.waits = on }
func (f *waiting) Waiting() []string { return f.waiting }

// recalls is an honest provider that takes messages back.
type recalls struct {
	honest
	far *waiting
}

func (p recalls) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	a, err := p.honest.Send(ctx, m)
	if err == nil && p.far.waits {
		p.far.waiting = append(p.far.waiting, m.To)
	}
	return a, err
}

func (p recalls) Revoke(ctx context.Context, s provider.Sent) error {
	does := p.far.does
	switch i := slices.Index(p.far.waiting, s.To); {
	case ctx.Err() != nil, does.Act == Leave:
		return &provider.Error{Class: provider.Temporary}
	case does.Act == Refuse:
		return &provider.Error{Class: does.Class, Detail: provider.Excerpt(does.Words, provider.Message{To: s.To}, password)}
	case does.Act != Accept:
		return &provider.Error{Class: provider.Unknown}
	case i < 0:
		return &provider.Error{Class: provider.BadRequest, Code: "404"}
	default:
		p.far.waiting = slices.Delete(p.far.waiting, i, i+1)
		return nil
	}
}

type revokeFunc struct {
	recalls
	revoke func(r recalls, ctx context.Context, s provider.Sent) error
}

func (p revokeFunc) Revoke(ctx context.Context, s provider.Sent) error {
	return p.revoke(p.recalls, ctx, s)
}

func recalling(revoke func(r recalls, ctx context.Context, s provider.Sent) error) Subject {
	s := subject(nil)
	s.Start = func(t testing.TB, deps provider.Deps) (provider.Provider, Far) {
		f := &waiting{channelFar: newChannelFar(t)}
		return revokeFunc{recalls{honest{f.channelFar, deps}, f}, revoke}, f
	}
	return s
}

func TestAnHonestRevokerPasses(t *testing.T) {
	s := recalling(recalls.Revoke)
	for _, q := range revocations() {
		if got := failuresOf(t, s, q.name); got != "" {
			t.Errorf("%s: %s", q.name, got)
		}
	}
}

func TestEveryFaultOfARevokerIsFound(t *testing.T) {
	always := func(err error) func(recalls, context.Context, provider.Sent) error {
		return func(recalls, context.Context, provider.Sent) error { return err }
	}
	for _, c := range []struct {
		fault, question, says string
		revoke                func(r recalls, ctx context.Context, s provider.Sent) error
	}{
		{"it says so and does nothing", "takes back what waits", "messages wait for", always(nil)},
		{"it believes that it did", "does not take back what has arrived", "was taken back", always(nil)},
		{"it asks nobody", "does not take back what nobody knows", "was taken back", always(nil)},
		{"silence is consent", "a revocation without an answer is not confirmed", "it succeeded", always(nil)},
		{"so is absence", "a revocation that nobody hears is not confirmed", "it succeeded", always(nil)},
		{"it always refuses", "takes back what waits", "Revoke failed", always(&provider.Error{Class: provider.BadRequest})},
		{"an error of its own", "does not take back what has arrived", "want a *provider.Error", always(context.Canceled)},
		{"the identifier is needed", "takes back what it has no identifier of", "Revoke failed",
			func(r recalls, ctx context.Context, s provider.Sent) error {
				if s.ID == "" {
					return &provider.Error{Class: provider.BadRequest}
				}
				return r.Revoke(ctx, s)
			}},
		{"the vendor's words", "a revocation without an answer is not confirmed", `repeats "+34612`,
			func(r recalls, ctx context.Context, s provider.Sent) error {
				err := r.Revoke(ctx, s)
				if e := provider.AsError(err); err != nil && e.Class == provider.Temporary {
					return &provider.Error{Class: e.Class, Detail: "not for " + s.To}
				}
				return err
			}},
	} {
		t.Run(c.fault, func(t *testing.T) { mustFail(t, recalling(c.revoke), c.question, c.says) })
	}
}
