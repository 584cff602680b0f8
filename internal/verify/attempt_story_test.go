package verify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestAStoryIsToldInOrderAndBounded(t *testing.T) {
	var s verify.Story
	for i := range 100 {
		s = s.Add(verify.Step{At: verify.Millis(i), Provider: "p", Why: strings.Repeat("ñ", 500)})
	}
	var at []int
	for _, step := range s.Steps() {
		at = append(at, int(step.At))
		if len(step.Why) > 200 || !strings.HasSuffix(step.Why, "ñ…") {
			t.Fatalf("step %d says %q", step.At, step.Why)
		}
	}
	want := []int{0, 1, 2, 3, 4, 5}
	for i := 82; i < 100; i++ {
		want = append(want, i)
	}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Errorf("the steps that are kept:\n%s", diff)
	}
}

func TestATextThatIsNoStoryHasNoSteps(t *testing.T) {
	for _, s := range []verify.Story{"", "{}", "[", "text 12"} {
		if steps := s.Steps(); len(steps) != 0 {
			t.Errorf("%q has steps %v", s, steps)
		}
	}
}

// What is stored has these names; a renamed one would lose what old rows have.
func TestTheStoredNamesOfStepsAndReportsStay(t *testing.T) {
	for _, c := range []struct {
		stored any
		want   string
	}{
		{verify.Step{At: 1, Kind: verify.StepReport, Provider: "p", Took: 2, Outcome: "o", Code: "c", Detail: "d", Decision: verify.DecidedNext, Why: "w"},
			`{"at":1,"kind":"report","by":"p","ms":2,"said":"o","code":"c","detail":"d","then":"next","why":"w"}`},
		{verify.Report{Provider: "p", ID: "i", Key: "k", State: verify.AttemptUndelivered, Class: "unknown", Code: "c", Final: true, Price: "1", Currency: "EUR", MCC: "214", MNC: "07", Received: 3},
			`{"provider":"p","id":"i","key":"k","state":"undelivered","class":"unknown","code":"c","final":true,"price":"1","currency":"EUR","mcc":"214","mnc":"07","received":3}`},
		{verify.AttemptOptions{After: "a", Fallback: "sms", IsFallback: true, CustomCode: true, FallbackAfter: 30},
			`{"after":"a","fallback":"sms","is_fallback":true,"custom_code":true,"fallback_after":30}`},
	} {
		if got, err := json.Marshal(c.stored); err != nil || string(got) != c.want {
			t.Errorf("%T is stored as\n%s, %v, want\n%s", c.stored, got, err, c.want)
		}
	}
}

func FuzzStory(f *testing.F) {
	f.Add(`[{"at":1}]`, "code", "why")
	f.Add("", "\xff", "\x00")
	f.Fuzz(func(t *testing.T, before, code, why string) {
		s := verify.Story(before).Add(verify.Step{At: 7, Code: code, Why: why})
		steps := s.Steps()
		if len(steps) == 0 || steps[len(steps)-1].At != 7 {
			t.Errorf("%q with a step is %q", before, s)
		}
	})
}

func ExampleStory() {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s := verify.Story("").Add(verify.Step{At: verify.MillisOf(at), Provider: "local", Took: 31, Outcome: "accepted", Decision: verify.DecidedSent})
	fmt.Println(s)
	// Output: [{"at":1795521600000,"by":"local","ms":31,"said":"accepted","then":"sent"}]
}
