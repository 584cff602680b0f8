package delivery

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

func names(routes []Route) string {
	var all []string
	for _, r := range routes {
		all = append(all, r.Name)
	}
	return strings.Join(all, " ")
}

func TestTheMostSpecificRoutesCarry(t *testing.T) {
	a, b, c := Route{Name: "a"}, Route{Name: "b"}, Route{Name: "c"}
	w := &Worker{
		Routes: Routes{
			verify.SMS:   {"ES": {a, b}, AnyCountry: {c}},
			verify.Email: Anywhere(b),
		},
		MessagingServices: MessagingServices{"MG1": {verify.SMS: {"ES": {c, a}}}, "MG2": {verify.SMS: Anywhere(b)}},
	}
	for _, q := range []struct {
		channel            verify.Channel
		country, messaging string
		want               string
	}{
		{verify.SMS, "ES", "", "a b"},
		{verify.SMS, "FR", "", "c"},
		{verify.SMS, "", "", "c"}, // a number of no country
		{verify.Email, "", "", "b"},
		{verify.Call, "ES", "", ""},
		{verify.SMS, "ES", "MG1", "c a"},
		{verify.SMS, "FR", "MG1", "c"}, // which has nothing for France
		{verify.SMS, "FR", "MG2", "b"},
		{verify.SMS, "ES", "MG3", "a b"}, // which is gone
	} {
		got := names(w.routes(&verify.Attempt{Channel: q.channel, Country: q.country, Options: verify.AttemptOptions{MessagingServiceSID: q.messaging}}))
		if got != q.want {
			t.Errorf("%s to %q by %q goes by %q, want %q", q.channel, q.country, q.messaging, got, q.want)
		}
	}
	if !w.Routes.Routed(verify.SMS) || w.Routes.Routed(verify.Call) {
		t.Error("Routed does not say what the table says")
	}
}

func TestASendAfterAnotherBeginsBehindIt(t *testing.T) {
	ordered := []Route{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	for after, want := range map[string]string{"": "a b c", "a": "b c a", "b": "c a b", "c": "a b c", "gone": "a b c"} {
		a := &verify.Attempt{Options: verify.AttemptOptions{After: after}}
		if got := names(preferred(ordered, a)); got != want {
			t.Errorf("after %q: %s, want %s", after, got, want)
		}
	}
	weighted := []Route{{Name: "a", Weight: 5}, {Name: "b", Weight: 5}, {Name: "c", Weight: 5}}
	for i := range 50 {
		a := &verify.Attempt{SID: fmt.Sprint(i), Options: verify.AttemptOptions{After: "b"}}
		if got := preferred(weighted, a); got[2].Name != "b" {
			t.Errorf("after b: %s", names(got))
		}
	}
}

// Of many messages each route comes first as often as its weight says, and a message keeps its order.
func TestWeightsAreShares(t *testing.T) {
	routes := []Route{{Name: "a", Weight: 6}, {Name: "b", Weight: 3}, {Name: "c", Weight: 1}}
	const n = 20_000
	first := map[string]int{}
	for i := range n {
		a := &verify.Attempt{SID: fmt.Sprintf("VL%032x", i)}
		got := preferred(routes, a)
		if again := preferred(routes, a); names(again) != names(got) {
			t.Fatalf("%s, then %s", names(got), names(again))
		}
		first[got[0].Name]++
	}
	for name, share := range map[string]float64{"a": 0.6, "b": 0.3, "c": 0.1} {
		if got := float64(first[name]) / n; math.Abs(got-share) > 0.015 {
			t.Errorf("%s is first of %.3f, want %.1f", name, got, share)
		}
	}
	if diff := cmp.Diff("a b c", names(routes)); diff != "" {
		t.Errorf("the configuration was changed:\n%s", diff)
	}
}
