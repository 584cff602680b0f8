package smpp

import (
	"context"
	"io"
	"net"
	"strings"
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

func TestEveryStatusHasItsClass(t *testing.T) {
	for status, want := range map[smpp.Status]provider.Class{
		0x01: provider.BadRequest, 0x02: provider.BadRequest, 0x03: provider.BadRequest, 0x04: provider.Temporary,
		0x06: provider.BadRequest, 0x07: provider.BadRequest, 0x08: provider.Temporary, 0x0A: provider.BadRequest,
		0x0B: provider.BadRecipient, 0x14: provider.Throttled, 0x15: provider.BadRequest, 0x33: provider.BadRequest,
		0x40: provider.BadRequest, 0x45: provider.Temporary, 0x48: provider.BadRequest, 0x51: provider.BadRequest,
		0x58: provider.Throttled, 0x61: provider.BadRequest, 0x62: provider.BadRequest, 0x64: provider.Temporary,
		0x65: provider.BadRequest, 0x66: provider.BadRequest, 0x67: provider.BadRequest, 0xC0: provider.BadRequest,
		0xC4: provider.BadRequest, 0xFE: provider.Temporary, 0xFF: provider.Temporary, 0x100: provider.BadRequest,
		0x112: provider.BadRequest, 0x400: provider.BadRequest, 0x410: provider.Throttled, 0x411: provider.Unknown,
		0xFFFFFFFF: provider.BadRequest,
	} {
		c := Config{Status: map[string]string{"0x410": "throttled", "1041": "unknown"}}
		inWorld(t, c, smsc.Config{}, func(w *world) {
			w.far.Set("", smsc.Fate{Status: status, Words: "no " + text(1).Code + " from " + testPassword})
			w.run()
			s := w.mustFail(text(1), want)
			if s.err.Code != status.Code() || !strings.HasSuffix(s.err.Detail, "no [code] from [secret]") {
				w.Errorf("%v: got %q, %q", status, s.err.Code, s.err.Detail)
			}
			if (s.err.RetryAfter > 0) != (want == provider.Throttled) {
				w.Errorf("%v: RetryAfter is %v", status, s.err.RetryAfter)
			}
			w.far.Unset("")
			synctest.Wait()
			time.Sleep(throttlePause)
			w.mustSend(text(2))
			wantDials := 1
			if status == 0x02 || status == 0x03 || status == 0x04 {
				wantDials = 2
			}
			if n := w.dials(); n != wantDials {
				w.Errorf("%v: bound %d times, want %d", status, n, wantDials)
			}
		})
	}
}

func TestGenericNacks(t *testing.T) {
	for status, want := range map[smpp.Status]provider.Class{
		smpp.InvalidCommandID: provider.BadRequest, smpp.SystemError: provider.BadRequest,
		smpp.Throttled: provider.Throttled, smpp.QueueFull: provider.Throttled,
	} {
		inWorld(t, Config{}, smsc.Config{}, func(w *world) {
			w.far.Set("", smsc.Fate{Nack: true, Status: status})
			w.run()
			w.mustFail(text(1), want)
		})
	}
}

func TestANackOfNothingEndsTheConnection(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.raw = func(c net.Conn) {
			w.setAway(true)
			in := bindFar(c)
			in.Read()
			c.Write(pdu(smpp.PDU{Command: smpp.GenericNack, Status: smpp.InvalidCommandLength}))
			in.Read()
			c.Close()
		}
		w.run()
		w.mustFail(text(1), provider.Unknown)
	})
}

func TestWhatWeCannotReadIsAnswered(t *testing.T) {
	asked := []struct {
		octets  string
		command smpp.Command
		status  smpp.Status
	}{
		{"\x00\x00\x00\x10\x00\x00\x00\x99\x00\x00\x00\x00\x00\x00\x00\x21", smpp.GenericNack, smpp.InvalidCommandID},
		{"\x00\x00\x00\x11\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x22\x41", smpp.GenericNack, smpp.InvalidCommandLength},
		{string(pdu(smpp.PDU{Command: smpp.SubmitSM, Sequence: 0x23, Body: &smpp.ShortMessage{}})), smpp.GenericNack, smpp.InvalidCommandID},
		{string(pdu(smpp.PDU{Command: smpp.EnquireLink, Sequence: 0x24})), smpp.EnquireLinkResp, smpp.OK},
	}
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		answers := make(chan smpp.PDU, 10)
		w.raw = func(c net.Conn) {
			w.setAway(true)
			in := bindFar(c)
			// None of these is answered.
			c.Write([]byte("\x00\x00\x00\x10\x80\x00\x00\x99\x00\x00\x00\x00\x00\x00\x00\x20"))         // an answer that we do not know
			c.Write([]byte("\x00\x00\x00\x11\x80\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x20\x41"))     // one that is broken
			c.Write([]byte("\x00\x00\x00\x12\x00\x00\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00")) // outbind
			c.Write([]byte("\x00\x00\x00\x10\x00\x00\x01\x02\x00\x00\x00\x00\x00\x00\x00\x20"))         // alert_notification
			for _, a := range asked {
				c.Write([]byte(a.octets))
				p, err := in.Read()
				if err != nil {
					w.Error(err)
				}
				answers <- p
			}
			c.Write([]byte("\x00\x00\x00\x0f")) // no length of a PDU
			if _, err := in.Read(); err == nil {
				w.Error("the connection goes on after a length that cannot be")
			}
			c.Close()
		}
		w.run()
		for i, a := range asked {
			p := <-answers
			if p.Command != a.command || p.Status != a.status || p.Sequence != 0x21+uint32(i) {
				w.Errorf("%x was answered with %+v", a.octets, p)
			}
		}
	})
}

// A carrier that accepts with a body that cannot be read has accepted.
func TestABrokenAcceptanceIsOne(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.raw = func(c net.Conn) {
			w.setAway(true)
			in := bindFar(c)
			for {
				p, err := in.Read()
				if err != nil {
					c.Close()
					return
				}
				answer := pdu(p.Response(smpp.OK, emptyAnswer(p)))
				if p.Command == smpp.SubmitSM { // an id without its end
					answer[3], answer = 0x13, append(answer[:16], "abc"...)
				}
				c.Write(answer)
			}
		}
		w.run()
		if id := w.mustSend(text(1)); id != "" {
			w.Errorf("the id is %q", id)
		}
	})
}

// emptyAnswer is the empty body of an answer to p.
func emptyAnswer(p smpp.PDU) smpp.Body {
	if p.Command == smpp.SubmitSM {
		return &smpp.MessageResp{}
	}
	return nil
}

func TestTPSIsKeptAndNothingIsRefused(t *testing.T) {
	inWorld(t, Config{TPS: 5, MaxWait: "1m"}, smsc.Config{TPS: 5}, func(w *world) {
		w.run()
		start := time.Now()
		var all []<-chan sent
		for n := range 51 {
			all = append(all, w.begin(w.Context(), text(n)))
		}
		for _, done := range all {
			if s := <-done; s.err != nil {
				w.Errorf("got %v", s.err)
			}
		}
		if took := time.Since(start); took < 10*time.Second || took > 10*time.Second+time.Millisecond {
			w.Errorf("51 messages at 5 per second took %v, want 10 s", took)
		}
	})
}

func TestWhoCannotHaveATurnInTimeIsTold(t *testing.T) {
	inWorld(t, Config{TPS: 1}, smsc.Config{}, func(w *world) {
		w.run()
		w.mustSend(text(1))
		s := w.mustFail(text(2), provider.Throttled)
		if s.took != 0 || s.err.RetryAfter != time.Second {
			w.Errorf("took %v, RetryAfter %v", s.took, s.err.RetryAfter)
		}
		time.Sleep(s.err.RetryAfter)
		w.mustSend(text(3))
	})
	inWorld(t, Config{TPS: 1, MaxWait: "1m"}, smsc.Config{}, func(w *world) {
		w.run()
		w.mustSend(text(1))
		ctx, cancel := context.WithTimeout(w.Context(), 900*time.Millisecond)
		defer cancel()
		if s := <-w.begin(ctx, text(2)); s.err == nil || s.err.Class != provider.Throttled || s.took != 0 {
			w.Errorf("took %v, %v: its context has not the time for a turn", s.took, s.err)
		}
	})
}

func TestAThrottlingCarrierIsLeftAloneForASecond(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.run()
		w.far.Set("", smsc.Fate{Status: smpp.Throttled})
		w.mustFail(text(1), provider.Throttled)
		w.far.Unset("")
		s := w.mustFail(text(2), provider.Throttled)
		if s.err.RetryAfter != throttlePause || w.far.Counts().Submitted != 1 {
			w.Errorf("RetryAfter %v, submitted %d", s.err.RetryAfter, w.far.Counts().Submitted)
		}
		time.Sleep(throttlePause)
		w.mustSend(text(3))
	})
}

func TestACongestedCarrierIsSlowedDownFor(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.run()
		w.far.Set("", smsc.Fate{Congestion: 80})
		w.mustSend(text(1))
		w.mustSend(text(2))
		w.far.Set("", smsc.Fate{Congestion: 81})
		w.mustSend(text(3))
		w.mustFail(text(4), provider.Throttled)
	})
}

// A recipient whose queue is full says nothing about the others.
func TestAFullQueueStopsNobodyElse(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.run()
		w.far.Set("", smsc.Fate{Status: smpp.QueueFull})
		w.mustFail(text(1), provider.Throttled)
		w.far.Unset("")
		w.mustSend(text(2))
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
