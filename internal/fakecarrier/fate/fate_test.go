package fate_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
)

// meet returns the refusal, and whether the handler was aborted.
func meet(ctx context.Context, b *fate.Book[string], to string) (refusal *string, aborted bool) {
	defer func() {
		if p := recover(); p != nil {
			aborted = p == http.ErrAbortHandler
		}
	}()
	return b.Meet(ctx, to).Refuse, false
}

func TestEachDestinationMeetsItsOwnFate(t *testing.T) {
	var b fate.Book[string]
	if refusal, aborted := meet(t.Context(), &b, "a"); refusal != nil || aborted {
		t.Errorf("an empty book gives %v, %v, want the message taken", refusal, aborted)
	}
	no, dead := "no", "dead"
	b.SetAll(fate.Fate[string]{Refuse: &no})
	b.Set("b", fate.Fate[string]{Refuse: &dead})
	b.Set("c", fate.Fate[string]{})
	b.Set("d", fate.Fate[string]{Drop: true})
	for to, want := range map[string]*string{"a": &no, "b": &dead, "c": nil} {
		if refusal, aborted := meet(t.Context(), &b, to); refusal != want || aborted {
			t.Errorf("%s meets %v, %v, want %v", to, refusal, aborted, want)
		}
	}
	if _, aborted := meet(t.Context(), &b, "d"); !aborted {
		t.Error("d was not dropped")
	}
}

func TestSomebodyElseMayDecide(t *testing.T) {
	no := "no"
	b := fate.Book[string]{Decide: func(to string) fate.Fate[string] {
		if to == "b" {
			return fate.Fate[string]{Refuse: &no}
		}
		return fate.Fate[string]{}
	}}
	b.Set("c", fate.Fate[string]{Drop: true})
	for to, want := range map[string]*string{"a": nil, "b": &no} {
		if refusal, aborted := meet(t.Context(), &b, to); refusal != want || aborted {
			t.Errorf("%s meets %v, %v, want %v", to, refusal, aborted, want)
		}
	}
	if _, aborted := meet(t.Context(), &b, "c"); !aborted {
		t.Error("a fate that was set by hand does not come first")
	}
}

func TestALateAnswerIsLateAndAHeldOneNeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b fate.Book[string]
		b.Set("slow", fate.Fate[string]{Delay: time.Minute})
		held := make(chan struct{}, 1)
		b.Set("held", fate.Fate[string]{Hold: held})

		begun := time.Now()
		if _, aborted := meet(t.Context(), &b, "slow"); aborted || time.Since(begun) != time.Minute {
			t.Errorf("a slow message took %v, aborted: %v", time.Since(begun), aborted)
		}
		for _, to := range []string{"held", "slow"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, aborted := meet(ctx, &b, to); !aborted {
				t.Errorf("the %s message was answered after its sender had gone", to)
			}
			cancel()
		}
		select {
		case <-held:
		default:
			t.Error("nobody was told of the held message")
		}
	})
}
