package providertest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// Situation is what a Check (provider.Checker) finds at the far end.
type Situation int

// The situations, from the good to the silent.
const (
	// Known: the credentials are right. A far end that is asked for anything but a check fails the test.
	Known Situation = iota
	// Stranger: the credentials are refused, in words as careless as a vendor's: they repeat whatever
	// was shown.
	Stranger
	// Nobody listens.
	Nobody
	// OtherName: there is TLS, and the certificate is for another name than the configured.
	OtherName
	// Silence: connections are accepted, and nothing is ever said.
	Silence
)

// Checkup is a provider whose Check is examined.
type Checkup struct {
	// Start makes a provider that is a provider.Checker, and the far end that it finds. It is called
	// anew for every situation, and returns nil for one that there is not. Both ends stop with
	// t.Cleanup; a provider that is an io.Closer is closed by the exam. A time limit of the provider's
	// own is to be a minute or more.
	Start func(t testing.TB, deps provider.Deps, s Situation) provider.Provider
	// Secrets are the credentials that Start gives to the provider.
	Secrets []string
	// Unproven says that Check cannot find out whether the credentials are right.
	Unproven bool

	patience time.Duration
}

// RunCheck examines a Check, one subtest for each question. The provider does not run (provider.Runner):
// it is that of an operator who has not started anything yet.
func RunCheck(t *testing.T, c Checkup) {
	for _, q := range checks(c) {
		t.Run(q.name, func(t *testing.T) { q.ask(newSitting(t, Subject{Secrets: c.Secrets, patience: c.patience})) })
	}
}

func checks(c Checkup) []question {
	return []question{
		{"right credentials", c.known},
		{"wrong credentials", c.stranger},
		{"nobody listens", c.failsIn(Nobody, "")},
		{"a certificate for another name", c.failsIn(OtherName, "certificate")},
		{"a far end that never speaks", c.silence},
		{"a context that is over", c.overBefore},
	}
}

// check asks the provider of a situation; asked is false where there is no such situation.
func (c Checkup) check(x *sitting, ctx context.Context, s Situation) (asked bool, err error) {
	x.Helper()
	p := c.Start(x, x.deps(), s)
	if p == nil {
		return false, nil
	}
	checker, ok := p.(provider.Checker)
	if !ok {
		x.Fatalf("%T has no Check", p)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = checker.Check(ctx)
	}()
	x.await("Check to return", done)
	if c, ok := p.(io.Closer); ok {
		if err := c.Close(); err != nil {
			x.Errorf("Close: %v", err)
		}
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		x.checkUnsaid("the words of Check", e.Error())
	}
	return true, err
}

func (c Checkup) known(x *sitting) {
	switch _, err := c.check(x, x.Context(), Known); {
	case c.Unproven && !errors.Is(err, provider.ErrUnproven):
		x.Errorf("right credentials: got %v, want provider.ErrUnproven", err)
	case !c.Unproven && err != nil:
		x.Errorf("right credentials: %v", err)
	}
}

func (c Checkup) stranger(x *sitting) {
	asked, err := c.check(x, x.Context(), Stranger)
	if asked && (err == nil || errors.Is(err, provider.ErrUnproven)) {
		x.Errorf("wrong credentials: got %v, want an error that says so", err)
	}
}

func (c Checkup) failsIn(s Situation, says string) func(*sitting) {
	return func(x *sitting) {
		asked, err := c.check(x, x.Context(), s)
		if asked && (err == nil || errors.Is(err, provider.ErrUnproven) || !strings.Contains(err.Error(), says)) {
			x.Errorf("got %v, want an error that says %q", err, says)
		}
	}
}

func (c Checkup) silence(x *sitting) {
	ctx, cancel := context.WithTimeout(x.Context(), 200*time.Millisecond)
	defer cancel()
	if asked, err := c.check(x, ctx, Silence); asked && err == nil {
		x.Errorf("nobody spoke, and all is well")
	}
}

func (c Checkup) overBefore(x *sitting) {
	ctx, cancel := context.WithCancel(x.Context())
	cancel()
	if _, err := c.check(x, ctx, Known); err == nil {
		x.Errorf("a check that was given up says that all is well")
	}
}
