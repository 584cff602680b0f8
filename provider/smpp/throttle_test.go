package smpp

import (
	"context"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

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
