package desk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

var providers = []string{"smpp", "twilio"}

func knobs(t testing.TB, d *desk.Desk, text string) {
	t.Helper()
	list, err := desk.Parse([]byte(`{"knobs":[`+text+`]}`), providers)
	if err != nil {
		t.Fatal(err)
	}
	d.Set(list)
}

// What a message meets: its answer, whether it arrives, and its reports.
func TestKnobsDecideWhatBecomesOfAMessage(t *testing.T) {
	for knob, want := range map[string]string{
		`{}`:                                       "accepted true [delivered]",
		`{"answer":"throttled"}`:                   "throttled false []",
		`{"answer":"dropped"}`:                     "dropped false []",
		`{"answer":"silent"}`:                      "silent false []",
		`{"arrives":false}`:                        "accepted false []",
		`{"report":[]}`:                            "accepted true []",
		`{"report":["failed"]}`:                    "accepted true [failed]",
		`{"report":["sent","sent"]}`:               "accepted true [sent sent]",
		`{"arrives":false,"report":["delivered"]}`: "accepted false [delivered]",
		`{"answer":"dropped","arrives":true}`:      "dropped true []",
		`{"answer":"unknown","arrives":true,"report":["delivered"]}`:   "unknown true [delivered]",
		`{"answer":"temporary","report":["delivered"]}`:                "temporary false []",
		`{"provider":"twilio","answer":"silent"}`:                      "accepted true [delivered]",
		`{"to":"+33*","answer":"silent"},{"to":"+34*","report":[]}`:    "accepted true []",
		`{"answer":"closed","provider":"smpp"},{"answer":"temporary"}`: "temporary false []",
	} {
		var d desk.Desk
		knobs(t, &d, knob)
		p := d.Meet("smpp", "+34612345678")
		if got := fmt.Sprint(p.Answer, " ", p.Arrives, " ", p.Reports); got != want {
			t.Errorf("%s: %s, want %s", knob, got, want)
		}
	}
}

func TestAShareIsTheSameForTheSameSeed(t *testing.T) {
	draw := func(seed uint64, backwards bool) (answers []string) {
		d := desk.Desk{Seed: seed}
		knobs(t, &d, `{"share":0.3,"answer":"temporary"}`)
		numbers := make([]string, 1000)
		for i := range numbers {
			numbers[i] = fmt.Sprintf("+346%08d", i)
		}
		if backwards {
			slices.Reverse(numbers)
		}
		for _, to := range numbers {
			if d.Meet("smpp", to).Answer == desk.Temporary {
				answers = append(answers, to)
			}
		}
		slices.Sort(answers)
		return answers
	}
	seven := draw(7, false)
	if n := len(seven); n < 250 || n > 350 {
		t.Errorf("%d of 1000 met a share of 0.3", n)
	}
	if !slices.Equal(seven, draw(7, true)) {
		t.Error("the order of arrival changed what was drawn")
	}
	if slices.Equal(seven, draw(8, false)) {
		t.Error("another seed drew the same")
	}
}

func TestMoreInASecondAreThrottled(t *testing.T) {
	now := time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)
	d := desk.Desk{Now: func() time.Time { return now }}
	knobs(t, &d, `{"provider":"smpp","tps":2}`)
	var got []desk.Answer
	for range 2 {
		for range 3 {
			got = append(got, d.Meet("smpp", "+34612345678").Answer)
		}
		d.Meet("twilio", "+34612345678") // is not counted
		now = now.Add(time.Second)
	}
	want := []desk.Answer{desk.Accepted, desk.Accepted, desk.Throttled, desk.Accepted, desk.Accepted, desk.Throttled}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOnlyAPortIsClosed(t *testing.T) {
	var d desk.Desk
	told := 0
	d.OnKnobs = func() { told++ }
	knobs(t, &d, `{"provider":"smpp","answer":"closed"}`)
	if !d.Closed("smpp") || d.Closed("twilio") || told != 1 {
		t.Errorf("smpp %v, twilio %v, told %d times", d.Closed("smpp"), d.Closed("twilio"), told)
	}
}

func TestMessagesAreFoundAndWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d desk.Desk
		d.Keep(desk.Message{Provider: "smpp", To: "+34612345678", Text: "a", Arrived: true})
		d.Keep(desk.Message{Provider: "twilio", To: "+34612345678", Text: "b", Arrived: true})
		d.Keep(desk.Message{Provider: "twilio", To: "+33612345678", Text: "c", Answer: desk.Throttled})
		for q, want := range map[desk.Query]string{
			{}:                        "ab",
			{All: true}:               "abc",
			{To: "+34*"}:              "ab",
			{Provider: "twilio"}:      "b",
			{All: true, After: 2}:     "c",
			{To: "+33*", After: 2}:    "",
			{To: "*45678", After: 1}:  "b",
			{Provider: "s*", To: "x"}: "",
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			got := ""
			for _, m := range d.Messages(ctx, q) {
				got += m.Text
			}
			cancel()
			if got != want {
				t.Errorf("%+v: %s, want %s", q, got, want)
			}
		}
		found := make(chan []desk.Message)
		go func() { found <- d.Messages(t.Context(), desk.Query{To: "ann@example.com"}) }()
		synctest.Wait()
		d.Keep(desk.Message{To: "bob@example.com", Arrived: true})
		d.Keep(desk.Message{To: "ann@example.com", Arrived: true})
		if got := <-found; len(got) != 1 || got[0].Number != 5 {
			t.Errorf("waited for %+v", got)
		}
		d.Forget()
		if d.Keep(desk.Message{}).Number != 6 {
			t.Error("the numbers began anew")
		}
	})
}

func TestTheOldestAreForgotten(t *testing.T) {
	var d desk.Desk
	for range 10_001 {
		d.Keep(desk.Message{Arrived: true})
	}
	if got := d.Messages(t.Context(), desk.Query{}); len(got) != 9001 || got[0].Number != 1001 {
		t.Errorf("%d are left, the first is number %d", len(got), got[0].Number)
	}
}

func TestIdentifiersDiffer(t *testing.T) {
	a, b, c := desk.Desk{Seed: 1}, desk.Desk{Seed: 1}, desk.Desk{Seed: 2}
	first := a.NewID()
	if len(first) != 32 || first != b.NewID() || first == a.NewID() || first == c.NewID() {
		t.Errorf("%s, %s, %s, %s", first, b.NewID(), a.NewID(), c.NewID())
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"knobs":[{"provider":"pigeon"}]}`:                 "knob 1: provider \"pigeon\" is none of smpp twilio",
		`{"knobs":[{},{"share":2}]}`:                        "knob 2: share",
		`{"knobs":[{"tps":-1}]}`:                            "tps",
		`{"knobs":[{"answer":"sulks"}]}`:                    "is none of [accepted temporary",
		`{"knobs":[{"answer":"closed","to":"+34*"}]}`:       "about a port",
		`{"knobs":[{"answer":"temporary","arrives":true}]}`: "arrives",
		`{"knobs":[{"report":["eaten"]}]}`:                  "report \"eaten\"",
		`{"knobs":[{"latency":"soon"}]}`:                    "not a duration",
		`{"knobs":[{"latency":"-1s"}]}`:                     "not a duration",
		`{"knobs":[{"lattency":"1s"}]}`:                     "lattency",
		`{"knobs":[{"keys":"x"}]}`:                          "keys",
		`{"knobs":[]} x`:                                    "follows",
		`[]`:                                                "knobs:",
	} {
		if _, err := desk.Parse([]byte(text), providers); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"knobs":[{"provider":"smpp","to":"+34*","share":0.5,"answer":"accepted","latency":"1s","tps":3,"arrives":false,"report":["sent"],"report_after":"1m","report_first":true}]}`)
	f.Add(`{"knobs":[{"answer":"closed"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := desk.Parse([]byte(text), providers)
		if err != nil {
			return
		}
		// What was read can be written, and read again.
		again, err := json.Marshal(map[string]any{"knobs": list})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := desk.Parse(again, providers); err != nil {
			t.Errorf("%s became %s: %v", text, again, err)
		}
		var d desk.Desk
		d.Set(list)
		d.Meet("smpp", "+34612345678")
	})
}
