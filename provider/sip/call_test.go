package sip

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// start runs the provider for as long as the test takes.
func (n near) start(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// eachNetwork tells a story over UDP and over TCP.
func eachNetwork(t *testing.T, treat func(*farCall), story func(t *testing.T, n near)) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			n := newNear(t, newExchange(t, network, treat), nil, provider.Deps{})
			n.start(t)
			story(t, n)
		})
	}
}

func pressing(m provider.Message) provider.Message {
	m.Speech.PressKey, m.Speech.PressKeyPrompt = true, "Press any key"
	return m
}

// accept takes the call and waits for the acknowledgement.
func (c *farCall) accept() {
	c.respond(180, "Ringing", nil)
	c.respond(200, "OK", c.sdp())
	<-c.acked
}

func TestACallSaysTheCodeAndReportsIt(t *testing.T) {
	calls := make(chan *farCall, 2)
	eachNetwork(t, func(c *farCall) { calls <- c; c.accept() }, func(t *testing.T, n near) {
		m := providertest.Message("call", 1)
		got, err := n.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		c := <-calls
		if got.ID != c.id || c.to() != m.To {
			t.Errorf("got %+v, the exchange has call %s for %s", got, c.id, c.to())
		}
		if got := spelled(c.end()); got != m.Code+m.Code {
			t.Errorf("heard %s, want %s twice", got, m.Code)
		}
		if r := <-n.reports; r.ID != got.ID || r.State != provider.Delivered {
			t.Errorf("report %+v", r)
		}
	})
}

func TestTheCodeIsSaidToWhoeverPressesAKey(t *testing.T) {
	calls := make(chan *farCall, 1)
	eachNetwork(t, func(c *farCall) {
		calls <- c
		c.accept()
		c.until('P')
		if got := spelled(c.sofar()); got != "" {
			c.x.t.Errorf("heard %s before the key", got)
		}
		c.press('5', 96)
	}, func(t *testing.T, n near) {
		m := pressing(providertest.Message("call", 1))
		if _, err := n.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := spelled((<-calls).end()); got != m.Code+m.Code {
			t.Errorf("heard %s", got)
		}
		if r := <-n.reports; r.State != provider.Delivered {
			t.Errorf("report %+v", r)
		}
	})
}

func TestAKeyMayComeByINFO(t *testing.T) {
	calls := make(chan *farCall, 1)
	eachNetwork(t, func(c *farCall) {
		calls <- c
		c.respond(180, "Ringing", nil)
		c.respond(200, "OK", c.sdp(" 96", "", "a=rtpmap:96 telephone-event/8000\r\n", ""))
		<-c.acked
		c.until('P')
		c.request("INFO", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n")
	}, func(t *testing.T, n near) {
		m := pressing(providertest.Message("call", 1))
		if _, err := n.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := spelled((<-calls).end()); got != m.Code+m.Code {
			t.Errorf("heard %s", got)
		}
	})
}

func TestAMailboxDoesNotHearTheCode(t *testing.T) {
	calls := make(chan *farCall, 1)
	eachNetwork(t, func(c *farCall) { calls <- c; c.accept() }, func(t *testing.T, n near) {
		if _, err := n.Send(t.Context(), pressing(providertest.Message("call", 1))); err != nil {
			t.Fatal(err)
		}
		heard := (<-calls).end()
		if got := spelled(heard); got != "" {
			t.Errorf("heard %s", got)
		}
		if asked := bytes.Count(heard, bytes.Repeat([]byte("P"), frameSize)); asked != maxAsked {
			t.Errorf("asked %d times, want %d", asked, maxAsked)
		}
		if r := <-n.reports; r.State != provider.Failed || r.Class != provider.Temporary || r.Code != "no key" {
			t.Errorf("report %+v", r)
		}
	})
}

func TestWhoeverHangsUpEarlyHasHeardNothing(t *testing.T) {
	eachNetwork(t, func(c *farCall) {
		c.accept()
		c.until('Y') // "Your Acme code is"
		c.request("BYE", "", "")
	}, func(t *testing.T, n near) {
		if _, err := n.Send(t.Context(), providertest.Message("call", 1)); err != nil {
			t.Fatal(err)
		}
		if r := <-n.reports; r.State != provider.Failed || r.Class != provider.Temporary || r.Code != "hung up" {
			t.Errorf("report %+v", r)
		}
	})
}

func TestWhoeverHangsUpAfterTheCodeHasIt(t *testing.T) {
	m := providertest.Message("call", 1)
	m.Speech.Repeat = 5
	eachNetwork(t, func(c *farCall) {
		c.accept()
		c.until('Y')
		c.until('Y')
		c.request("BYE", "", "")
	}, func(t *testing.T, n near) {
		if _, err := n.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if r := <-n.reports; r.State != provider.Delivered {
			t.Errorf("report %+v", r)
		}
	})
}

func TestABusyTelephoneIsReportedAfterItRang(t *testing.T) {
	heard := make(chan struct{})
	eachNetwork(t, func(c *farCall) {
		c.respond(180, "Ringing", nil)
		<-heard
		c.respond(486, "Busy Here", nil, `Reason: Q.850;cause=17;text="User busy"`)
	}, func(t *testing.T, n near) {
		a, err := n.Send(t.Context(), providertest.Message("call", 1))
		if err != nil {
			t.Fatal(err)
		}
		heard <- struct{}{}
		if r := <-n.reports; r.ID != a.ID || r.State != provider.Failed || r.Class != provider.Temporary || r.Code != "486 Q.850 17" {
			t.Errorf("report %+v", r)
		}
	})
}

func TestABusyTelephoneIsAnErrorBeforeItRings(t *testing.T) {
	eachNetwork(t, func(c *farCall) { c.respond(486, "Busy Here", nil) }, func(t *testing.T, n near) {
		_, err := n.Send(t.Context(), providertest.Message("call", 1))
		if e := provider.AsError(err); e.Class != provider.Temporary || e.Code != "486" || e.RetryAfter != busyWait {
			t.Errorf("got %+v", e)
		}
	})
}

func TestNobodyAnswersAndTheCallIsCancelled(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			x := newExchange(t, network, func(c *farCall) {
				c.respond(183, "Session Progress", c.sdp())
				<-c.cancelled
				c.respond(487, "Request Terminated", nil)
			})
			n := newNear(t, x, nil, provider.Deps{})
			n.limits.ring = 10 * time.Millisecond
			n.start(t)
			if _, err := n.Send(t.Context(), providertest.Message("call", 1)); err != nil {
				t.Fatal(err)
			}
			if r := <-n.reports; r.State != provider.Failed || r.Class != provider.Temporary || r.Code != "487" {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestWhoeverAnswersInTheLastMomentIsSpokenTo(t *testing.T) {
	calls := make(chan *farCall, 1)
	x := newExchange(t, "udp", func(c *farCall) {
		calls <- c
		c.respond(180, "Ringing", nil)
		<-c.cancelled
		c.respond(200, "OK", c.sdp())
	})
	n := newNear(t, x, nil, provider.Deps{})
	n.limits.ring = 10 * time.Millisecond
	n.start(t)
	m := providertest.Message("call", 1)
	if _, err := n.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := spelled((<-calls).end()); got != m.Code+m.Code {
		t.Errorf("heard %s", got)
	}
}

// TestAnAbandonedCallIsTakenBack: Send gave up, and the telephone is answered all the same.
func TestAnAbandonedCallIsTakenBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := make(chan *farCall, 1)
	x := newExchange(t, "udp", func(c *farCall) {
		c.respond(100, "Trying", nil)
		cancel()
		<-c.cancelled
		c.respond(200, "OK", c.sdp())
		calls <- c
	})
	n := newNear(t, x, nil, provider.Deps{})
	stop := n.start(t)
	_, err := n.Send(ctx, providertest.Message("call", 1))
	if e := provider.AsError(err); e.Class != provider.Unknown {
		t.Errorf("got %v, want unknown", err)
	}
	if heard := (<-calls).end(); len(heard) > 0 {
		t.Errorf("%d bytes of sound were sent", len(heard))
	}
	stop()
	if len(n.reports) != 0 {
		t.Errorf("it was reported: %+v", <-n.reports)
	}
}

func TestMoreCallsThanLinesAreThrottled(t *testing.T) {
	x := newExchange(t, "udp", func(c *farCall) {
		c.respond(180, "Ringing", nil)
		<-c.cancelled
		c.respond(487, "Request Terminated", nil)
	})
	n := newNear(t, x, func(c *Config) { c.MaxCalls = 1 }, provider.Deps{})
	stop := n.start(t)
	if _, err := n.Send(t.Context(), providertest.Message("call", 1)); err != nil {
		t.Fatal(err)
	}
	_, err := n.Send(t.Context(), providertest.Message("call", 2))
	if e := provider.AsError(err); e.Class != provider.Throttled || e.RetryAfter == 0 {
		t.Errorf("got %v", err)
	}
	stop()
	if r := <-n.reports; r.State != provider.Failed || r.Class != provider.Temporary {
		t.Errorf("a call that was stopped: %+v", r)
	}
	_, err = n.Send(t.Context(), providertest.Message("call", 3))
	if e := provider.AsError(err); e.Class != provider.Temporary {
		t.Errorf("after the end: %v", err)
	}
}

func TestACallThatIsStoppedWhileItSpeaksIsPerhapsHeard(t *testing.T) {
	speaking := make(chan struct{})
	x := newExchange(t, "udp", func(c *farCall) { c.accept(); c.until('Y'); close(speaking) })
	n := newNear(t, x, nil, provider.Deps{})
	stop := n.start(t)
	if _, err := n.Send(t.Context(), providertest.Message("call", 1)); err != nil {
		t.Fatal(err)
	}
	<-speaking
	stop()
	if r := <-n.reports; r.State != provider.Failed || r.Class != provider.Unknown {
		t.Errorf("report %+v", r)
	}
}

func TestAReportIsTriedAgain(t *testing.T) {
	x := newExchange(t, "udp", (*farCall).accept)
	told := make(chan provider.Report, 2)
	tries := 0
	n := newNear(t, x, nil, provider.Deps{Report: func(_ context.Context, r provider.Report) error {
		if tries++; tries == 1 {
			return context.DeadlineExceeded
		}
		told <- r
		return nil
	}})
	n.start(t)
	if _, err := n.Send(t.Context(), providertest.Message("call", 1)); err != nil {
		t.Fatal(err)
	}
	if r := <-told; r.State != provider.Delivered {
		t.Errorf("report %+v", r)
	}
}
