package webhook

import (
	"net/http"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// A person has an event sent again while a call of it is under way, which then fails for good: the event
// is sent again all the same.
func TestAFailureDoesNotEndWhatIsSentAgain(t *testing.T) {
	w := newWorld(t, NewClient(loopback, nil))
	r := newReceiver(t, func(answer http.ResponseWriter, _ *http.Request) {
		if _, err := w.engine.ResendEvent(t.Context(), w.account, w.only().SID); err != nil {
			t.Error(err)
		}
		answer.WriteHeader(http.StatusGone)
	})
	w.hook(r.URL)
	w.factor()
	w.now = w.now.Add(time.Second) // the resend is later than the event
	w.work()
	if d := w.only(); d.State != verify.EventQueued || len(d.Tries) != 1 || d.Tries[0].Code != http.StatusGone {
		t.Fatalf("after the call that failed: %+v", d)
	}
	r.answer = status(http.StatusOK)
	if n := w.work(); n != 1 {
		t.Fatalf("%d deliveries after it was sent again, want 1", n)
	}
	if d := w.only(); d.State != verify.EventDelivered || len(d.Tries) != 2 {
		t.Errorf("in the end: %+v", d)
	}
}
