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
		w.begin("slow", "ES", noon)
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
	f := &fitness{}
	for i := range 3 * knownLosers {
		f.remember(verify.ReportKey("a", fmt.Sprint(i)), fmt.Sprint("VL", i))
	}
	if len(f.losers) != knownLosers || len(f.order) != knownLosers {
		t.Errorf("%d are remembered, in an order of %d", len(f.losers), len(f.order))
	}
	if got, found := f.remembered("a/29999"); !found || got != "VL29999" {
		t.Errorf("the last one is %q, %v", got, found)
	}
	if _, found := f.remembered("a/0"); found {
		t.Error("the first one is not forgotten")
	}
}
