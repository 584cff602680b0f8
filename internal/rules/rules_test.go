package rules

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"rules":[{"to":"*","carrier":"flies"}]}`:          "none of delivers late",
		`{"rules":[{"carrier":"late"}]}`:                    "rule 1: to is missing",
		`{"rules":[{"to":"*"},{"to":"*","line":"pigeon"}]}`: "rule 2: line",
		`{"rules":[{"to":"*","code":"12 4"}]}`:              "code",
		`{"rules":[{"to":"*","channel":"fax"}]}`:            "channel",
		`{"rules":[{"to":"*","carier":"late"}]}`:            "carier",
		`{"rules":[]} x`:                                    "follows",
		`[]`:                                                "rules:",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", text, err, want)
		}
	}
	got, err := Parse([]byte(`{"rules":[{"to":"+34*","carrier":"late"},{"to":"*","code":"123456","line":"voip"}]}`))
	if err != nil || len(got) != 2 || got[1].Code != "123456" {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"rules":[{"to":"+34*","carrier":"late","line":"voip","code":"1234","channel":"sms"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := Parse([]byte(text))
		for _, r := range rules {
			if bad := r.Check(); bad != nil && err == nil {
				t.Errorf("%q: took %v: %v", text, r, bad)
			}
		}
	})
}

// counter is a carrier that counts what it gets.
type counter struct{ got int }

func (c *counter) Send(context.Context, provider.Message) (provider.Accepted, error) {
	c.got++
	return provider.Accepted{}, nil
}

// What each carrier answers to three hand-overs, and how many messages arrived.
func TestWhatCarriersDo(t *testing.T) {
	want := map[string]string{
		"delivers": "ok ok ok 3", "late": "temporary ok ok 2", "twice": "ok ok ok 6", "loses": "ok ok ok 0",
		"refuses": "bad_recipient bad_recipient bad_recipient 0", "throttles": "throttled throttled ok 1",
		"breaks": "temporary temporary temporary 0", "doubts": "unknown unknown unknown 0",
	}
	for _, c := range Carriers() {
		var b Book
		b.Set([]Rule{{To: "+34*", Channel: "call", Carrier: "refuses"}, {To: "+34*", Line: "landline"}, {To: "+34*", Carrier: c[0]}, {To: "*", Carrier: "breaks"}})
		var arrived counter
		said := ""
		for range 3 {
			_, err := b.Carrier(&arrived).Send(t.Context(), provider.Message{Attempt: "VL1", Channel: "sms", To: "+34612345678"})
			if failure, ok := errors.AsType[*provider.Error](err); ok {
				said += failure.Class.String() + " "
			} else {
				said += "ok "
			}
		}
		if got := said + fmt.Sprint(arrived.got); got != want[c[0]] {
			t.Errorf("%s: %s, want %s", c[0], got, want[c[0]])
		}
	}
}

func TestCodesAndLines(t *testing.T) {
	var b Book
	b.Set([]Rule{{To: "+341*", Line: "landline"}, {To: "+34*", Code: "123456", Line: "voip"}})
	if got := b.Code("+34112345678") + " " + b.Code("+33612345678"); got != "123456 " {
		t.Errorf("codes %q", got)
	}
	for number, want := range map[string]verify.LineType{"+34112345678": verify.Landline, "+34612345678": verify.VoIP, "+33612345678": ""} {
		if line, err := b.Line(t.Context(), number); err != nil || line.Type != want {
			t.Errorf("%s is %q, %v; want %q", number, line.Type, err, want)
		}
	}
}

func TestRulesOverHTTP(t *testing.T) {
	var b Book
	for _, step := range []struct{ method, body, want string }{
		{"GET", "", `200 {"rules":[]}`},
		{"PUT", `{"rules":[{"to":"*","carrier":"late"}]}`, `200 {"rules":[{"to":"*","carrier":"late"}]}`},
		{"PUT", `{"rules":[{"to":"*","carrier":"x"}]}`, `400 {"code":60200,"message":"rule 1: carrier \"x\" is none`},
		{"PUT", strings.Repeat(" ", maxText+1), `400 `},
		{"GET", "", `200 {"rules":[{"to":"*","carrier":"late"}]}`},
		{"DELETE", "", `200 {"rules":[]}`},
		{"POST", "", `405 `},
	} {
		rec := httptest.NewRecorder()
		b.ServeHTTP(rec, httptest.NewRequest(step.method, "/dev/rules", strings.NewReader(step.body)))
		if got := fmt.Sprint(rec.Code, " ", rec.Body); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s %.50s: %s, want %s", step.method, step.body, got, step.want)
		}
	}
	foreign := httptest.NewRequest("DELETE", "/dev/rules", nil)
	foreign.Header.Set("Origin", "https://evil.example")
	rec := httptest.NewRecorder()
	if b.ServeHTTP(rec, foreign); rec.Code != 403 {
		t.Errorf("from another origin: %d", rec.Code)
	}
}

// The table of the documents is that of the code.
func TestTheTableOfTheDocuments(t *testing.T) {
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	table := ""
	for _, c := range Carriers() {
		table += fmt.Sprintf("| `%s` | %s |\n", c[0], c[1])
	}
	if !strings.Contains(string(page), table) {
		t.Errorf("docs/testing.md has not\n%s", table)
	}
}
