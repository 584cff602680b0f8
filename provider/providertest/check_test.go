package providertest

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// candid is a provider whose Check passes, unless a test spoils it.
type candid struct {
	provider.Provider
	situation Situation
	log       *slog.Logger
	over      chan struct{} // closed when the question ends
}

func (c *candid) Check(ctx context.Context) error {
	c.log.Debug("checked")
	switch c.situation {
	case Stranger:
		return errors.New("the credentials are refused")
	case Nobody:
		return errors.New("was not reached")
	case OtherName:
		return errors.New("x509: certificate is valid for another name")
	case Silence:
		<-ctx.Done()
	}
	return ctx.Err()
}

// spoilt is candid with another Check.
type spoilt struct {
	*candid
	check func(*candid, context.Context) error
}

func (s spoilt) Check(ctx context.Context) error { return s.check(s.candid, ctx) }

func checkup(check func(*candid, context.Context) error) Checkup {
	return Checkup{Secrets: []string{password}, Start: func(t testing.TB, deps provider.Deps, s Situation) provider.Provider {
		c := &candid{situation: s, log: deps.Log, over: make(chan struct{})}
		t.Cleanup(func() { close(c.over) })
		if check == nil {
			return c
		}
		return spoilt{c, check}
	}}
}

// complaints are what the exam says, in a bubble where patience costs no time.
func complaints(t *testing.T, c Checkup) string {
	t.Helper()
	var all []string
	for _, q := range checks(c) {
		synctest.Test(t, func(t *testing.T) {
			r := &recorder{T: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer r.cleanUp()
				q.ask(newSitting(r, Subject{Secrets: c.Secrets, patience: time.Second}))
			}()
			<-done
			for _, f := range r.failures {
				all = append(all, q.name+": "+f)
			}
		})
	}
	return strings.Join(all, "\n")
}

func TestACandidCheckPasses(t *testing.T) {
	if got := complaints(t, checkup(nil)); got != "" {
		t.Error(got)
	}
	unproven := checkup(func(c *candid, ctx context.Context) error {
		if c.situation == Known && ctx.Err() == nil {
			return provider.Unproven("nobody knows")
		}
		return c.Check(ctx)
	})
	unproven.Unproven = true
	if got := complaints(t, unproven); got != "" {
		t.Error(got)
	}
}

func TestTheExamOfAChecksFindsOut(t *testing.T) {
	for _, c := range []struct {
		name  string
		check func(*candid, context.Context) error
		want  string
	}{
		{"that all is always well", func(*candid, context.Context) error { return nil }, "wrong credentials: wrong credentials: got <nil>"},
		{"that nothing is ever well", func(*candid, context.Context) error { return errors.New("no") }, "right credentials: right credentials: no"},
		{"that right credentials are unproven", func(*candid, context.Context) error { return provider.ErrUnproven }, "right credentials: right credentials: reached"},
		{"that wrong credentials are unproven", func(c *candid, ctx context.Context) error {
			if c.situation == Stranger {
				return provider.ErrUnproven
			}
			return c.Check(ctx)
		}, "wrong credentials: wrong credentials: got reached"},
		{"a certificate that is believed", func(c *candid, ctx context.Context) error {
			if c.situation == OtherName {
				return nil
			}
			return c.Check(ctx)
		}, `a certificate for another name: got <nil>, want an error that says "certificate"`},
		{"a wait without an end", func(c *candid, ctx context.Context) error {
			if c.situation == Silence {
				<-c.over
			}
			return c.Check(ctx)
		}, "a far end that never speaks: waited 1s in vain for Check to return"},
		{"a password in the words", func(c *candid, ctx context.Context) error {
			return errors.Join(c.Check(ctx), errors.New("with "+password))
		}, "the words of Check repeats"},
		{"a password in the log", func(c *candid, ctx context.Context) error {
			c.log.Info("checking", "password", password)
			return c.Check(ctx)
		}, "the log repeats"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := complaints(t, checkup(c.check)); !strings.Contains(got, c.want) {
				t.Errorf("the complaints do not say %q; they are:\n%s", c.want, got)
			}
		})
	}
}
