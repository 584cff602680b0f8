package smpp

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

// Stories about how connections come and go.

func TestASendBeforeRunWaitsForTheFirstBind(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		done := w.begin(w.Context(), text(1))
		time.Sleep(time.Minute) // of the bubble's time
		w.run()
		if s := <-done; s.err != nil {
			w.Errorf("got %v", s.err)
		}
	})
}

func TestASendBeforeTheFirstBindGivesUpWithItsContext(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.hang = true
		w.run()
		ctx, cancel := context.WithTimeout(w.Context(), 2*time.Second)
		defer cancel()
		s := <-w.begin(ctx, text(1))
		s.want(w.T, provider.Temporary)
		if s.took != 2*time.Second || s.err.Err != context.DeadlineExceeded {
			w.Errorf("took %v, %v", s.took, s.err.Err)
		}
		// The dial is over after three seconds, and then there is nothing to wait for.
		s = w.mustFail(text(2), provider.Temporary)
		if s.took != time.Second {
			w.Errorf("took %v, want what is left of the dial's three seconds", s.took)
		}
		if s := w.mustFail(text(3), provider.Temporary); s.took != 0 {
			w.Errorf("took %v, though nobody can be reached", s.took)
		}
	})
}

func TestACarrierThatDoesNotAnswerTheBind(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.far.Mute(true)
		w.run()
		s := w.mustFail(text(1), provider.Temporary)
		if s.took != bindTimeout {
			w.Errorf("took %v, want %v", s.took, bindTimeout)
		}
		w.far.Mute(false)
		time.Sleep(firstPause)
		synctest.Wait()
		w.mustSend(text(2))
	})
}

func TestPausesBetweenBindsGrow(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.setAway(true)
		w.run()
		time.Sleep(3 * time.Minute)
		w.mu.Lock()
		var pauses []time.Duration
		for i := range w.dialled[1:] {
			pauses = append(pauses, w.dialled[i+1].Sub(w.dialled[i])/time.Second)
		}
		w.mu.Unlock()
		if want := []time.Duration{1, 2, 4, 8, 16, 30, 30, 30, 30}; !slices.Equal(pauses, want) {
			w.Errorf("got pauses of %d s, want %d", pauses, want)
		}
		w.setAway(false)
		time.Sleep(maxPause)
		synctest.Wait()
		w.mustSend(text(1))
	})
}

func TestPausesOfManyNodesDiffer(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := jitter(8 * time.Second)
		if d < 6*time.Second || d > 10*time.Second {
			t.Errorf("8 s became %v", d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("only %d pauses of 100 differ", len(seen))
	}
}

func TestAWrongPasswordIsABadRequestAndTriedOnceAMinute(t *testing.T) {
	for _, c := range []struct {
		status smpp.Status
		config Config
	}{
		{smpp.InvalidPassword, Config{Password: "hunter3x"}},
		{smpp.BindFailed, Config{}}, {smpp.InvalidSystemID, Config{}}, {smpp.InvalidSystemType, Config{}},
	} {
		inWorld(t, c.config, smsc.Config{}, func(w *world) {
			if c.config.Password == "" {
				w.far.RefuseBinds(c.status)
			}
			w.run()
			s := w.mustFail(text(1), provider.BadRequest)
			if s.took != 0 || s.err.Code != c.status.Code() {
				w.Errorf("%v: took %v: %v", c.status, s.took, s.err)
			}
			time.Sleep(5*time.Minute + time.Second)
			if n := w.dials(); n != 6 {
				w.Errorf("%v: bound %d times in five minutes, want 6", c.status, n)
			}
			if c.config.Password != "" {
				return
			}
			w.far.RefuseBinds(smpp.OK)
			time.Sleep(time.Minute)
			synctest.Wait()
			w.mustSend(text(2))
		})
	}
}

func TestACarrierThatThinksWeAreBoundIsLeftAlone(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.far.RefuseBinds(smpp.AlreadyBound)
		w.run()
		w.mustFail(text(1), provider.Temporary)
		time.Sleep(time.Minute)
		if n := w.dials(); n < 3 || n > 12 {
			w.Errorf("bound %d times in a minute, want a pause of 5 to 30 s", n)
		}
	})
}

func TestAnyOtherRefusalIsTemporary(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.far.RefuseBinds(smpp.SystemError)
		w.run()
		w.mustFail(text(1), provider.Temporary)
		w.far.RefuseBinds(smpp.OK)
		time.Sleep(time.Second)
		synctest.Wait()
		w.mustSend(text(2))
	})
}

func TestWhatWasWrittenIsUnknownAndWhatWasNotGoesOn(t *testing.T) {
	inWorld(t, Config{Window: 1, MaxWait: "1m"}, smsc.Config{}, func(w *world) {
		w.run()
		w.far.Set("", smsc.Fate{Silent: true})
		first := w.begin(w.Context(), text(1))
		synctest.Wait()
		second := w.begin(w.Context(), text(2))
		synctest.Wait()
		w.far.Unset("")
		w.far.Cut()
		(<-first).want(w.T, provider.Unknown)
		if s := <-second; s.err != nil || s.took != 0 {
			w.Errorf("the one that waited: took %v, %v", s.took, s.err)
		}
		if got := w.far.Messages(""); len(got) != 1 || "+"+got[0].To != text(2).To {
			w.Errorf("%d messages arrived, want the second alone", len(got))
		}
	})
}

func TestACarrierThatGoesAwayIsToldOfAtOnce(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.run()
		w.mustSend(text(1))
		w.setAway(true)
		w.far.Cut()
		synctest.Wait()
		if s := w.mustFail(text(2), provider.Temporary); s.took != 0 {
			w.Errorf("took %v", s.took)
		}
		w.setAway(false)
		time.Sleep(time.Second)
		synctest.Wait()
		w.mustSend(text(3))
	})
}

// A carrier that lets us bind and hangs up must not be bound to in a loop.
func TestConnectionsThatEndAtOnceAreFailures(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.raw = func(c net.Conn) {
			p, _ := smpp.NewReader(c).Read()
			answer, _ := p.Response(smpp.OK, &smpp.BindResp{}).Append(nil)
			c.Write(answer)
			c.Close()
		}
		w.run()
		time.Sleep(10 * time.Second)
		if n := w.dials(); n < 4 || n > 6 {
			w.Errorf("bound %d times in ten seconds", n)
		}
		w.mustFail(text(1), provider.Temporary)
	})
}

func TestTheCarrierUnbinds(t *testing.T) {
	inWorld(t, Config{Window: 1, MaxWait: "1m"}, smsc.Config{}, func(w *world) {
		w.run()
		w.mustSend(text(1))
		w.far.Unbind(w.Context()) // returns when we have answered
		w.mustSend(text(2))
		if n := w.dials(); n != 2 {
			w.Errorf("bound %d times, want 2", n)
		}
	})
}

func TestSilenceIsAskedAboutAndThenTheEnd(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.run()
		time.Sleep(10*time.Minute + time.Second) // it answered a second ago
		if n := w.dials(); n != 1 {
			w.Fatalf("bound %d times while all was quiet", n)
		}
		w.far.Mute(true)
		w.setAway(true)
		time.Sleep(28 * time.Second)
		if w.session() == nil {
			w.Error("the connection was given up too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.mustFail(text(1), provider.Temporary)
		w.far.Mute(false)
		w.setAway(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.mustSend(text(2))
	})
}

func TestTheCarrierAsksWhetherWeAreThere(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		answers := make(chan smpp.PDU, 10)
		w.raw = func(c net.Conn) {
			w.setAway(true) // for the next
			in := bindFar(c)
			for _, octets := range [][]byte{
				pdu(smpp.PDU{Command: smpp.EnquireLink, Sequence: 7}),
				pdu(smpp.PDU{Command: smpp.Unbind, Sequence: 8}),
			} {
				c.Write(octets)
				p, _ := in.Read()
				answers <- p
			}
			if _, err := in.Read(); err == nil {
				t.Error("there is more after the unbind")
			}
			c.Close()
		}
		w.run()
		if p := <-answers; p.Command != smpp.EnquireLinkResp || p.Sequence != 7 {
			w.Errorf("enquire_link was answered with %+v", p)
		}
		if p := <-answers; p.Command != smpp.UnbindResp || p.Sequence != 8 {
			w.Errorf("unbind was answered with %+v", p)
		}
	})
}

func TestAStopWaitsForAnswersAndUnbinds(t *testing.T) {
	inWorld(t, Config{Window: 2}, smsc.Config{}, func(w *world) {
		w.far.Set("", smsc.Fate{Delay: 2 * time.Second})
		w.run()
		done := w.begin(w.Context(), text(1))
		synctest.Wait()
		start := time.Now()
		w.stop()
		if took := time.Since(start); took != 2*time.Second {
			w.Errorf("the stop took %v, want as long as the answer", took)
		}
		if s := <-done; s.err != nil {
			w.Errorf("the message under way: %v", s.err)
		}
		w.mustFail(text(2), provider.Temporary)

		w.run() // and again
		w.mustSend(text(3))
	})
}

func TestAStopDoesNotWaitForTheSilent(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.run()
		w.far.Mute(true)
		start := time.Now()
		w.stop()
		if took := time.Since(start); took != unbindTimeout {
			w.Errorf("the stop took %v, want %v", took, unbindTimeout)
		}
	})
}

func TestAStopWhileBindingAndWhilePausing(t *testing.T) {
	for name, prepare := range map[string]func(*world){
		"hanging dial": func(w *world) { w.hang = true },
		"mute carrier": func(w *world) { w.far.Mute(true) },
		"in a pause":   func(w *world) { w.far.RefuseBinds(smpp.InvalidPassword) },
	} {
		inWorld(t, Config{}, smsc.Config{}, func(w *world) {
			prepare(w)
			w.run()
			done := w.begin(w.Context(), text(1))
			synctest.Wait()
			start := time.Now()
			w.stop()
			if took := time.Since(start); took != 0 {
				w.Errorf("%s: the stop took %v", name, took)
			}
			if s := <-done; s.err == nil {
				w.Errorf("%s: sent", name)
			}
		})
	}
}

func TestSplitBinds(t *testing.T) {
	inWorld(t, Config{Mode: "split"}, smsc.Config{NoTransceiver: true}, func(w *world) {
		w.run()
		id := w.mustSend(text(1))
		synctest.Wait()
		if got := w.reported(); len(got) != 1 || got[0].ID != id || got[0].State != provider.Delivered {
			w.Errorf("got %+v for %s", got, id)
		}
		if n := w.dials(); n != 2 {
			w.Errorf("%d connections, want 2", n)
		}
	})
}

func TestACarrierOfAnOlderKindWantsSplit(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{NoTransceiver: true}, func(w *world) {
		w.run()
		if s := w.mustFail(text(1), provider.Temporary); s.err.Code != "0x03" || !strings.Contains(s.err.Detail, "bind_transceiver") {
			w.Errorf("got %v", s.err)
		}
	})
}

func TestSeveralBindsShareTheMessages(t *testing.T) {
	inWorld(t, Config{Binds: 3, Window: 2, MaxWait: "1m"}, smsc.Config{Window: 2, Binds: 3}, func(w *world) {
		w.far.Set("", smsc.Fate{Delay: time.Second})
		w.run()
		var all []<-chan sent
		for n := range 12 {
			all = append(all, w.begin(w.Context(), text(n)))
		}
		start := time.Now()
		for _, done := range all {
			if s := <-done; s.err != nil {
				w.Errorf("got %v", s.err)
			}
		}
		if took := time.Since(start); took != 2*time.Second {
			w.Errorf("12 messages over 3 windows of 2 took %v, want 2 s", took)
		}
		if c := w.far.Counts(); c.Binds != 3 || c.MaxUnanswered != 2 {
			w.Errorf("got %+v", c)
		}
	})
}

func TestOneBindOfTwoIsEnough(t *testing.T) {
	inWorld(t, Config{Binds: 2}, smsc.Config{Binds: 1}, func(w *world) {
		w.run()
		for n := range 5 {
			w.mustSend(text(n))
		}
	})
}

func TestACertificateOfSomebodyElseIsABadRequest(t *testing.T) {
	far := smsc.New(smsc.Config{})
	secured, _ := certificate(t)
	_, other := certificate(t)
	p, err := New(Config{Host: "127.0.0.1", Port: listen(t, far, secured), SystemID: "v", CAFile: other}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	_, err = p.Send(t.Context(), text(1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, "certificate") {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// pdu is p in octets.
func pdu(p smpp.PDU) []byte {
	b, err := p.Append(nil)
	if err != nil {
		panic(fmt.Sprint(p, err))
	}
	return b
}

// bindFar lets whoever comes bind.
func bindFar(c net.Conn) *smpp.Reader {
	in := smpp.NewReader(c)
	p, _ := in.Read()
	c.Write(pdu(p.Response(smpp.OK, &smpp.BindResp{})))
	return in
}
