package inbox

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestStreamTellsOfNewMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStates()
		st.set(sampleSID("VE", 1), "pending")
		in := New(Options{State: st.get})
		send(t, in, textTo("+34612345678", "before"))
		s := startServer(t, in)
		stream := s.events("")
		sid := send(t, in, sampleSMS())
		got := stream.want("482913")
		if got.id != sid {
			t.Errorf("id: got %s, want %s", got.id, sid)
		}
		m := in.Messages(t.Context(), Query{})[0]
		want, err := m.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if got.data != string(want) {
			t.Errorf("data:\ngot  %s\nwant %s", got.data, want)
		}
		for i := range 50 {
			send(t, in, textTo("+34612345678", fmt.Sprint(i)))
		}
		for i := range 50 {
			stream.want(fmt.Sprint(i)) // the oldest first
		}
	})
}

func TestStreamIsFiltered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		mine, mail := s.events("to=+34612345678"), s.events("channel=email")
		for _, m := range samples() {
			send(t, in, m)
		}
		mine.want("482913")
		mail.want("160877")
		in.Clear()
		mine.want("cleared")
		mail.want("cleared")
	})
}

func TestStreamResumesWhereItBroke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{Limit: 3})
		s := startServer(t, in)
		stream := s.events("")
		send(t, in, textTo("+34612345678", "1"))
		last := stream.want("1").id
		stream.hangUp()
		synctest.Wait()
		if n := len(in.watchers); n != 0 {
			t.Errorf("the watcher of a lost client is still there")
		}
		send(t, in, textTo("+34612345678", "2"))
		send(t, in, textTo("+34612345678", "3"))
		s.events("", "Last-Event-ID", last).want("2", "3")
		s.events("after="+last).want("2", "3")
		// Both are known to a page that has read the list and connects with the newest.
		again := s.events("after="+last, "Last-Event-ID", in.newest())
		send(t, in, textTo("+34612345678", "4"))
		again.want("4")
		// What was evicted meanwhile is lost; what is left comes.
		for _, code := range []string{"5", "6", "7"} {
			send(t, in, textTo("+34612345678", code))
		}
		s.events("", "Last-Event-ID", last).want("5", "6", "7")
	})
}

func TestStreamResumesAfterAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		// Its clock was ahead, and its SIDs are from the future.
		future := s.events("", "Last-Event-ID", "SMffffffffffffffffffffffffffffffff")
		send(t, in, textTo("+34612345678", "1"))
		future.want("1")
		// Not one of ours at all: like a first visit.
		foreign := s.events("", "Last-Event-ID", "42")
		send(t, in, textTo("+34612345678", "2"))
		foreign.want("2")
	})
}

func TestStreamTellsOfClearEvenToThoseWhoWereAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		stream := s.events("")
		send(t, in, textTo("+34612345678", "1"))
		last := stream.want("1").id
		in.Clear()
		cleared := stream.want("cleared").id
		send(t, in, textTo("+34612345678", "2"))
		stream.want("2")
		s.events("", "Last-Event-ID", last).want("cleared", "2")
		s.events("", "Last-Event-ID", cleared).want("2")
		in.Clear()
		in.Clear() // twice at once may be told once
		stream.want("cleared")
		send(t, in, textTo("+34612345678", "3"))
		for {
			if got := stream.next().brief(); got == "3" {
				break
			} else if got != "cleared" {
				t.Fatalf("got %s, want cleared or 3", got)
			}
		}
	})
}

func TestStreamTellsOfStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStates()
		in := New(Options{State: st.get})
		s := startServer(t, in)
		first, second, third := sampleSID("VE", 1), sampleSID("VE", 2), sampleSID("VE", 3)
		st.set(first, "approved")
		st.set(second, "pending")
		send(t, in, sampleSMS())
		send(t, in, sampleCall())
		stream := s.events("")
		// What was shown before the stream began is told once, the newest first.
		stream.want(second+"=pending", first+"=approved")

		st.set(third, "pending")
		send(t, in, sampleEmail())
		stream.want("160877") // and brings its state along
		st.set(second, "max_attempts_reached")
		stream.want(second + "=max_attempts_reached")
		st.set(third, "approved")
		stream.want(third + "=approved")

		// Nothing is left that could change, so nothing is asked.
		before := st.questions(first) + st.questions(second) + st.questions(third)
		stream.want("(still here)")
		if after := st.questions(first) + st.questions(second) + st.questions(third); after != before {
			t.Errorf("%d questions about settled verifications", after-before)
		}
	})
}

func TestStreamFollowsOnlyTheNewestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStates()
		in := New(Options{State: st.get})
		s := startServer(t, in)
		old := sampleSMS()
		st.set(old.Verification, "pending")
		send(t, in, old)
		for i := range stateWindow {
			m := textTo("+34612345678", fmt.Sprint(i))
			m.Verification = fmt.Sprintf("VE%032x", i)
			send(t, in, m)
		}
		stream := s.events("")
		stream.want("(still here)") // of two hundred verifications that State does not know
		if n := st.questions(old.Verification); n != 0 {
			t.Errorf("a message beyond the window was asked about %d times", n)
		}
	})
}

func TestQuietStreamBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t, New(Options{}))
		stream := s.events("")
		start := time.Now()
		// For much longer than the server's time-outs.
		for i := range 20 {
			stream.want("(still here)")
			if got, want := time.Since(start), time.Duration(i+1)*heartbeat; got != want {
				t.Fatalf("beat %d after %v, want %v", i+1, got, want)
			}
		}
	})
}

func TestClientThatReadsNothingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		s.events("") // and never a look at it
		send(t, in, sampleEmail())
		time.Sleep(writeGrace + time.Second) // the bubble's time
		synctest.Wait()
		if n := len(in.watchers); n != 0 {
			t.Errorf("the stream still waits for its client")
		}
	})
}
