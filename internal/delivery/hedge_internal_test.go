package delivery

import (
	"fmt"
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
)

// Hedges are kept to a share, so that a carrier's bad hour does not double the bill.
func TestHedgesAreASmallShare(t *testing.T) {
	w := &Worker{}
	hedges := 0
	const messages = 1000
	for range messages {
		w.begin(way{"slow", verify.SMS, "ES"}, noon)
		if w.mayHedge("slow") {
			hedges++
		}
	}
	if most := hedgedBurst + messages/20; hedges < most-2 || hedges > most {
		t.Errorf("%d of %d messages, want about %d", hedges, messages, most)
	}
	if !w.mayHedge("another") {
		t.Error("the hedges of one provider are those of all")
	}
}

func TestWhatIsRememberedOfHedgesIsBounded(t *testing.T) {
	w := &Worker{}
	f := &w.fit
	for i := range 3 * knownLosers {
		f.remember(verify.ReportKey("a", fmt.Sprint(i)), fmt.Sprint("VL", i))
	}
	if len(f.losers) != knownLosers || len(f.order) != knownLosers {
		t.Errorf("%d are remembered, in an order of %d", len(f.losers), len(f.order))
	}
	if got := w.keyOf(verify.Report{Provider: "a", ID: "29999"}); got != "VL29999:" {
		t.Errorf("the last one is %q", got)
	}
	if got := w.keyOf(verify.Report{Provider: "a", ID: "0"}); got != "" {
		t.Error("the first one is not forgotten")
	}
}
