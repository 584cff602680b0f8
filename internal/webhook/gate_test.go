package webhook

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestEightCallsOfAURLAtATime(t *testing.T) {
	var g gate
	for range webhookPace.parallel {
		if _, ok := g.enter("a", webhookPace, noon); !ok {
			t.Fatal("one of the first eight has to wait")
		}
	}
	if _, ok := g.enter("b", webhookPace, noon); !ok {
		t.Error("another URL has to wait")
	}
	// A backlog comes back one by one.
	last := noon
	for range 100 {
		again, ok := g.enter("a", webhookPace, noon)
		if ok || again.Sub(noon) < time.Second || again.Sub(last) < webhookPace.spread {
			t.Fatalf("a ninth call: %v, again at %s after %s", ok, again, last)
		}
		last = again
	}
	g.leave("a", true, noon)
	if _, ok := g.enter("a", webhookPace, noon); !ok {
		t.Error("a place that was left is not given again")
	}
}

// The sink has a lane to itself, whose places are the limit, and gets its backlog back faster.
func TestTheSinkIsCalledByItsWholeLane(t *testing.T) {
	var g gate
	for n := range 1000 {
		if _, ok := g.enter("sink", sinkPace, noon); !ok {
			t.Fatalf("call %d has to wait", n)
		}
	}
	for range breakAfter {
		g.leave("sink", false, noon)
	}
	last := noon
	for n := range 1000 {
		again, ok := g.enter("sink", sinkPace, noon)
		if ok || again.Sub(noon) < breakFor || again.Sub(noon) > breakFor+time.Duration(n)*sinkPace.spread || !again.After(last) {
			t.Fatalf("delivery %d while it is closed: %v, again at %s after %s", n, ok, again, last)
		}
		last = again
	}
}

func TestABrokenURLIsClosedAndOpensAgain(t *testing.T) {
	var g gate
	fail := func(now time.Time) bool {
		_, ok := g.enter("a", webhookPace, now)
		if ok {
			g.leave("a", false, now)
		}
		return ok
	}
	for n := range breakAfter {
		if !fail(noon) {
			t.Fatalf("closed after %d failures", n)
		}
	}
	if fail(noon.Add(breakFor - time.Second)) {
		t.Error("called while it is closed")
	}
	if !fail(noon.Add(breakFor)) || fail(noon.Add(breakFor+time.Second)) {
		t.Error("after the pause one call is let through, and its failure closes it again")
	}
	later := noon.Add(3 * breakFor)
	if _, ok := g.enter("a", webhookPace, later); !ok {
		t.Fatal("closed for good")
	}
	g.leave("a", true, later)
	if len(g.urls) != 0 {
		t.Errorf("a URL that works is remembered: %+v", g.urls["a"])
	}
}

func TestTheMemoryOfURLsIsBounded(t *testing.T) {
	var g gate
	if _, ok := g.enter("under way", webhookPace, noon); !ok {
		t.Fatal("refused")
	}
	for n := range 3 * maxURLs {
		target := fmt.Sprint(n)
		if _, ok := g.enter(target, webhookPace, noon); !ok {
			t.Fatal("refused")
		}
		g.leave(target, false, noon)
	}
	if len(g.urls) > maxURLs+1 {
		t.Errorf("%d URLs are remembered", len(g.urls))
	}
	g.leave("under way", true, noon)
}
