package providertest

import (
	"context"
	"errors"

	"github.com/verifyd/verifyd/provider"
)

// Waiter is the Far of a provider.Revoker: a carrier at which messages wait for telephones that are
// switched off. Its Behave holds for revocations as for messages.
type Waiter interface {
	Far
	// Wait says whether messages that are taken from now on wait.
	Wait(bool)
	// Waiting lists the addresses for which messages wait that may still arrive.
	Waiting() []string
}

// revocations are the questions of a provider that can take messages back. To any other they are not put.
func revocations() []question {
	return []question{
		{"takes back what waits", takesBack(func(s *provider.Sent) {})},
		{"takes back what it has no identifier of", takesBack(func(s *provider.Sent) { s.ID = "" })},
		{"does not take back what has arrived", keepsArrived},
		{"does not take back what nobody knows", keepsUnknown},
		{"a revocation without an answer is not confirmed", revokesInSilence},
		{"a revocation that nobody hears is not confirmed", revokesAlone},
	}
}

// revoker is the subject as one that takes messages back, ok is false if it does not.
func (x *sitting) revoker() (r provider.Revoker, far Waiter, ok bool) {
	x.Helper()
	if r, ok = x.provider.(provider.Revoker); !ok {
		return nil, nil, false
	}
	if far, ok = x.far.(Waiter); !ok {
		x.Fatalf("the provider takes messages back, and its far end is no Waiter")
	}
	return r, far, true
}

// revoke takes a message back, and finds the error fit to be shown.
func (x *sitting) revoke(ctx context.Context, r provider.Revoker, s provider.Sent) *provider.Error {
	x.Helper()
	err := r.Revoke(ctx, s)
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		x.Fatalf("Revoke failed with a %T, want a *provider.Error: %v", err, err)
	}
	x.checkUnsaid("the error of Revoke", e.Error())
	return e
}

func sentOf(m provider.Message, a provider.Accepted) provider.Sent {
	return provider.Sent{ID: a.ID, Key: m.Key, Channel: m.Channel, To: m.To}
}

func takesBack(change func(*provider.Sent)) func(*sitting) {
	return func(x *sitting) {
		r, far, ok := x.revoker()
		if !ok {
			return
		}
		far.Wait(true)
		first, second := x.message(1), x.message(2)
		accepted, err := x.send(x.Context(), first)
		if err != nil {
			x.Fatalf("Send failed: %v", err)
		}
		if _, err := x.send(x.Context(), second); err != nil {
			x.Fatalf("Send failed: %v", err)
		}
		s := sentOf(first, accepted)
		change(&s)
		if err := x.revoke(x.Context(), r, s); err != nil {
			x.Fatalf("Revoke failed: %v", err)
		}
		if got := far.Waiting(); len(got) != 1 || got[0] != second.To {
			x.Errorf("after it was taken back messages wait for %q, want the other one, for %q", got, second.To)
		}
	}
}

func keepsArrived(x *sitting) {
	r, _, ok := x.revoker()
	if !ok {
		return
	}
	m := x.message(1)
	accepted, err := x.send(x.Context(), m)
	if err != nil {
		x.Fatalf("Send failed: %v", err)
	}
	x.checkKept("a message that has arrived", x.revoke(x.Context(), r, sentOf(m, accepted)))
}

func keepsUnknown(x *sitting) {
	if r, _, ok := x.revoker(); ok {
		x.checkKept("a message that nobody sent", x.revoke(x.Context(), r, sentOf(x.message(1), provider.Accepted{})))
	}
}

func (x *sitting) checkKept(what string, err *provider.Error) {
	x.Helper()
	if err == nil {
		x.Fatalf("%s was taken back", what)
	}
	x.checkClass(what, err, provider.BadRequest, provider.BadRecipient)
}

func revokesInSilence(x *sitting) {
	r, far, ok := x.revoker()
	if !ok {
		return
	}
	far.Wait(true)
	m := x.message(1)
	accepted, err := x.send(x.Context(), m)
	if err != nil {
		x.Fatalf("Send failed: %v", err)
	}
	far.Behave(Behaviour{Act: Drop})
	err = x.revoke(x.Context(), r, sentOf(m, accepted))
	x.checkClass("a revocation that was dropped", err, provider.Unknown, provider.Temporary)
	m.Code = "" // which who takes a message back does not know
	far.Behave(Behaviour{Act: Refuse, Class: provider.Temporary, Words: x.careless(m)})
	err = x.revoke(x.Context(), r, sentOf(m, accepted))
	x.checkClass("a revocation that is not taken now", err, provider.Temporary, provider.Unknown)
	ctx, cancel := context.WithCancel(x.Context())
	cancel()
	far.Behave(Behaviour{Act: Accept})
	err = x.revoke(ctx, r, sentOf(m, accepted))
	x.checkClass("a revocation whose context is over", err, provider.Temporary, provider.Unknown)
	if got := far.Waiting(); len(got) != 1 {
		x.Errorf("messages wait for %q, want the one", got)
	}
}

func revokesAlone(x *sitting) {
	r, far, ok := x.revoker()
	if !ok {
		return
	}
	far.Wait(true)
	m := x.message(1)
	accepted, err := x.send(x.Context(), m)
	if err != nil {
		x.Fatalf("Send failed: %v", err)
	}
	far.Behave(Behaviour{Act: Leave})
	err = x.revoke(x.Context(), r, sentOf(m, accepted))
	x.checkClass("a revocation that nobody hears", err, provider.Temporary, provider.Unknown)
}
