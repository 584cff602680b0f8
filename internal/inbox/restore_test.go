package inbox

import (
	"strings"
	"testing"
	"testing/synctest"
)

// What was there is there again, and nothing else; a new message is newer than all of them.
func TestAnInboxGoesBackToWhatItWas(t *testing.T) {
	in := New(Options{Now: newClock().now, Limit: 3})
	sids := func() (list string) {
		for _, m := range in.Messages(t.Context(), Query{}) {
			list += m.SID + " "
		}
		return list
	}
	for _, code := range []string{"111111", "222222", "333333"} {
		send(t, in, textTo("+34612345678", code))
	}
	before, saved := sids(), in.Save()
	for range 5 {
		send(t, in, textTo("+34612345678", "444444")) // the oldest are evicted
	}
	latest := in.Messages(t.Context(), Query{})[0].SID
	for range 2 {
		in.Restore(saved)
		if got := sids(); got != before {
			t.Errorf("there are %s, want %s", got, before)
		}
		in.Clear()
	}
	in.Restore(saved)
	if sid := send(t, in, textTo("+34612345678", "555555")); sid <= latest || !strings.HasPrefix(sids(), sid) {
		t.Errorf("a message after it has the SID %s, before %s", sid, latest)
	}
}

// A stream is told that everything is gone, and of every message that is there, once.
func TestStreamTellsOfARestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		stream := s.events("")
		send(t, in, textTo("+34612345678", "111111"))
		send(t, in, textTo("+34612345678", "222222"))
		saved := in.Save()
		send(t, in, textTo("+34612345678", "333333"))
		for _, code := range []string{"111111", "222222", "333333"} {
			stream.want(code)
		}
		in.Restore(saved)
		for _, event := range []string{"cleared", "111111", "222222"} {
			stream.want(event)
		}
		send(t, in, textTo("+34612345678", "444444"))
		stream.want("444444")
	})
}
