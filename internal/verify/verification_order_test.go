package verify_test

import (
	"context"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// countingLines counts the lookups that somebody would have to pay.
type countingLines struct{ asked int }

func (l *countingLines) Line(context.Context, string) (verify.Line, error) {
	l.asked++
	return verify.Line{Type: verify.Landline}, nil
}

// Where a start would be refused for several reasons, the order of the core reference, section 15,
// says which one it is told: rate limit, country, pending state, line. Nobody is looked up who is over
// a limit or blocked.
func TestTheOrderOfRefusals(t *testing.T) {
	on := true
	w := newWorld(t, verify.ServiceParams{LookupEnabled: &on, SkipSMSToLandlines: &on})
	paid := &countingLines{}
	w.Lines = paid
	w.rateLimit("ip")
	w.bucket("ip", 1, time.Hour)
	values, none := map[string]string{"ip": "192.0.2.7"}, map[string]string{}
	geography := func(permission string) {
		t.Helper()
		_, err := w.ChangeGeography(t.Context(), w.account, verify.GeoChange{Countries: []string{"ES"}, Permission: permission})
		if err != nil {
			t.Fatal(err)
		}
	}
	start := func(values map[string]string) error {
		_, err := w.startBy(ana, values)
		return err
	}

	// Five sends by call, which a landline may have, use the verification up.
	for range 5 {
		w.mustStart(ana, "call")
	}
	asked := paid.asked
	if _, err := w.startBy("+34612345679", values); err == nil {
		t.Fatal("a text message to a landline went out")
	} else {
		wantCode(t, err, verify.CodeLandline, "")
	}
	if paid.asked != asked+1 {
		t.Errorf("%d lookups of a start that nothing else refuses, want 1", paid.asked-asked)
	}
	wantCode(t, start(none), verify.CodeMaxSends, "") // before the line

	geography(verify.Deny)
	asked = paid.asked
	wantCode(t, start(none), verify.CodeGeoBlocked, "") // before the pending state
	if paid.asked != asked {
		t.Error("a number in a blocked country was looked up")
	}

	geography(verify.Allow)
	w.Lines = lines{"+34612345680": {Type: verify.Mobile}}
	if _, err := w.startBy("+34612345680", values); err != nil { // fills the bucket
		t.Fatal(err)
	}
	w.Lines = paid
	geography(verify.Deny)
	wantCode(t, start(values), verify.CodeTooManyRequests, "") // before the country
	if paid.asked != asked {
		t.Error("a start over a rate limit was looked up")
	}
}
