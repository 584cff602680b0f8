package smpp

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

// Stories about what happens on a connection.

func TestAFullWindowHoldsMessagesBackAndLosesNone(t *testing.T) {
	inWorld(t, Config{Window: 3, MaxWait: "1m"}, smsc.Config{Window: 3}, func(w *world) {
		w.far.Set("", smsc.Fate{Delay: 100 * time.Millisecond})
		w.run()
		const n = 300
		var all []<-chan sent
		for i := range n {
			all = append(all, w.begin(w.Context(), text(i)))
		}
		ids := map[string]bool{}
		for i, done := range all {
			s := <-done
			if s.err != nil {
				w.Fatalf("message %d: %v", i, s.err)
			}
			ids[s.accepted.ID] = true
		}
		if c := w.far.Counts(); c.Accepted != n || c.Refused != 0 || c.MaxUnanswered != 3 || len(ids) != n {
			w.Errorf("got %+v and %d ids", c, len(ids))
		}
	})
}

func TestAFullWindowGivesMessagesBack(t *testing.T) {
	inWorld(t, Config{Window: 2}, smsc.Config{}, func(w *world) {
		w.far.Set("", smsc.Fate{Delay: time.Second})
		w.run()
		one, two := w.begin(w.Context(), text(1)), w.begin(w.Context(), text(2))
		synctest.Wait()
		s := w.mustFail(text(3), provider.Throttled)
		if s.took != 500*time.Millisecond || s.err.RetryAfter <= 0 {
			w.Errorf("took %v, %v", s.took, s.err)
		}
		for _, done := range []<-chan sent{one, two} {
			if s := <-done; s.err != nil {
				w.Errorf("got %v", s.err)
			}
		}
		w.mustSend(text(4))
	})
}

// A carrier that says nothing at all is not slow but ill, and routing should know.
func TestAFullWindowOfASilentCarrierIsTemporary(t *testing.T) {
	inWorld(t, Config{Window: 2}, smsc.Config{}, func(w *world) {
		w.run()
		w.far.Mute(true)
		one, two := w.begin(w.Context(), text(1)), w.begin(w.Context(), text(2))
		time.Sleep(silence)
		w.mustFail(text(3), provider.Temporary)
		(<-one).want(w.T, provider.Unknown)
		(<-two).want(w.T, provider.Unknown)
	})
}

// One a second is about all that this carrier takes. What it does not take is not kept here.
func TestMemoryIsBoundedWhenTheCarrierIsSlow(t *testing.T) {
	inWorld(t, Config{Window: 10}, smsc.Config{}, func(w *world) {
		w.run()
		w.far.Set("", smsc.Fate{Delay: 9 * time.Second}) // near enough to the end of our patience
		accepted, throttled := 0, 0
		for round := range 20 {
			var all []<-chan sent
			for n := range 200 {
				all = append(all, w.begin(w.Context(), text(round*200+n)))
			}
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			s := w.session()
			s.mu.Lock()
			if len(s.pending) > 10 || len(s.out) > 10 {
				w.Errorf("%d messages are kept and %d are queued, want 10 at most", len(s.pending), len(s.out))
			}
			s.mu.Unlock()
			for _, done := range all {
				switch s := <-done; {
				case s.err == nil:
					accepted++
				case s.err.Class == provider.Throttled || s.err.Class == provider.Temporary:
					throttled++
				default:
					w.Errorf("got %v", s.err)
				}
			}
			if n := w.waiting(); n != 0 {
				w.Errorf("%d wait in the pool without their Send", n)
			}
		}
		if accepted != 200 || throttled != 3800 {
			w.Errorf("accepted %d and gave %d back, want 200 and 3800", accepted, throttled)
		}
	})
}

func TestNoAnswerInTimeIsUnknownAndTheConnectionStays(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.far.Set("", smsc.Fate{Silent: true, Taken: true})
		w.run()
		s := w.mustFail(text(1), provider.Unknown)
		if s.took != 10*time.Second {
			w.Errorf("took %v, want 10 s", s.took)
		}
		w.far.Unset("")
		w.mustSend(text(2))
		w.far.Set("", smsc.Fate{Silent: true})
		w.mustFail(text(3), provider.Unknown)
		w.far.Unset("")
		w.mustSend(text(4)) // not two in a row
		if n := w.dials(); n != 1 {
			w.Errorf("bound %d times, want 1", n)
		}
	})
}

func TestTwoSilencesInARowEndTheConnection(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.far.Set("", smsc.Fate{Silent: true})
		w.run()
		w.mustFail(text(1), provider.Unknown)
		w.mustFail(text(2), provider.Unknown)
		w.far.Unset("")
		synctest.Wait()
		w.mustSend(text(3))
		if n := w.dials(); n != 2 {
			w.Errorf("bound %d times, want 2", n)
		}
	})
}

func TestALateAnswerFindsNobody(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.far.Set("", smsc.Fate{Delay: 11 * time.Second})
		w.run()
		w.mustFail(text(1), provider.Unknown)
		time.Sleep(5 * time.Second)
		w.far.Unset("")
		w.mustSend(text(2))
	})
}

// The carrier counts a message against the window until it has answered, whoever still waits.
func TestAGivenUpMessageKeepsItsPlace(t *testing.T) {
	inWorld(t, Config{Window: 1}, smsc.Config{Window: 1}, func(w *world) {
		w.far.Set("", smsc.Fate{Delay: 3 * time.Second})
		w.run()
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		s := <-w.begin(ctx, text(1))
		s.want(w.T, provider.Unknown)
		if s.took != time.Second {
			w.Errorf("took %v", s.took)
		}
		w.mustFail(text(2), provider.Throttled)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.mustSend(text(3))
	})
}

func TestACancelledWaitSendsNothing(t *testing.T) {
	inWorld(t, Config{Window: 1, MaxWait: "1m"}, smsc.Config{}, func(w *world) {
		w.far.Set("", smsc.Fate{Delay: 5 * time.Second})
		w.run()
		first := w.begin(w.Context(), text(1))
		synctest.Wait()
		ctx, cancel := context.WithCancel(w.Context())
		second := w.begin(ctx, text(2))
		synctest.Wait()
		cancel()
		if s := <-second; s.err == nil || s.err.Class == provider.Unknown {
			w.Errorf("got %v, want surely not sent", s.err)
		}
		<-first
		if n := w.far.Counts().Submitted; n != 1 {
			w.Errorf("%d were submitted, want 1", n)
		}
	})
}

// A carrier that does not read keeps what was begun in doubt, and nothing else.
func TestWhatTheWriterHasNotBegunIsTakenBack(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		hold := make(chan struct{})
		w.raw = func(c net.Conn) {
			w.setAway(true)
			bindFar(c)
			<-hold
			c.Close()
		}
		w.run()
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		begun := w.begin(ctx, text(1))
		synctest.Wait()
		queued := w.begin(ctx, text(2))
		(<-begun).want(w.T, provider.Unknown)
		(<-queued).want(w.T, provider.Temporary)
		close(hold)
	})
}

func TestACarrierThatDoesNotReadIsGivenUp(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		gone := make(chan struct{})
		w.raw = func(c net.Conn) {
			w.setAway(true)
			bindFar(c)
			<-gone
			c.Close()
		}
		w.run()
		// Not an octet has left, so nothing was sent, and nobody else is there to take it.
		s := w.mustFail(text(1), provider.Temporary)
		if s.took != writeTimeout {
			w.Errorf("took %v, want %v", s.took, writeTimeout)
		}
		close(gone)
	})
}

// Half a message cannot be read by anybody, so it is surely not sent, and goes over the next
// connection.
func TestHalfAMessageIsNone(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		first := true
		w.raw = func(c net.Conn) {
			if !first {
				w.far.ServeConn(c)
				return
			}
			first = false
			p := make([]byte, 1024)
			n, _ := c.Read(p) // the bind, in one piece
			bind, _ := smpp.Parse(p[:n])
			c.Write(pdu(bind.Response(smpp.OK, &smpp.BindResp{})))
			io.ReadFull(c, make([]byte, 30))
			c.Close()
		}
		w.run()
		w.mustSend(text(1))
		if got := w.far.Messages(""); len(got) != 1 {
			w.Errorf("%d messages arrived, want 1", len(got))
		}
	})
}

func TestSequenceNumbersBeginAgain(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.run()
		s := w.session()
		s.mu.Lock()
		s.sequence = smpp.MaxSequence - 1
		s.mu.Unlock()
		for n := range 3 {
			w.mustSend(text(n))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.sequence != 2 {
			w.Errorf("the sequence is %d, want 2", s.sequence)
		}
	})
}
