package httpfar

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/verifyd/verifyd/provider"
)

// Epoch is the time at which recorded requests are sent.
var Epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

// Record sends m by a provider that start makes, which must call some host by plain HTTP, and
// compares the request with the file at path. The answer is one that the provider must accept.
func Record(t testing.TB, path string, answer Answer, m provider.Message, start func(provider.Deps) (provider.Provider, error)) {
	t.Helper()
	wire := NewWire(t, answer)
	p, err := start(provider.Deps{HTTP: wire.Client(), Now: func() time.Time { return Epoch }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	wire.Compare(t, path)
}

// Hunter2 is the secret of configurations that CheckConfigs tries: no error may repeat it.
const Hunter2 = "hunter2"

// CheckConfigs builds a provider of each configuration, the inside of a JSON object, and looks for
// the problem in the error; an empty problem means that there must be none.
func CheckConfigs(t testing.TB, build provider.Builder, problems map[string]string) {
	t.Helper()
	for config, problem := range problems {
		_, err := build(json.RawMessage("{"+config+"}"), provider.Deps{})
		if problem == "" && err != nil || problem != "" && (err == nil || !strings.Contains(err.Error(), problem)) {
			t.Errorf("%s: got %v, want %q", config, err, problem)
		}
		if err != nil && strings.Contains(err.Error(), Hunter2) {
			t.Errorf("the error repeats a secret: %v", err)
		}
	}
}

// Reports are those that a provider has recorded.
type Reports struct{ All []provider.Report }

// Deps are those of a provider that records here, at Epoch.
func (r *Reports) Deps() provider.Deps {
	return provider.Deps{
		Now:    func() time.Time { return Epoch },
		Report: func(_ context.Context, one provider.Report) error { r.All = append(r.All, one); return nil },
	}
}

// Call gives a call of the carrier to p, and returns the status and what was recorded of it.
func (r *Reports) Call(p provider.Reporter, call *http.Request) (status int, recorded []provider.Report) {
	before := len(r.All)
	w := httptest.NewRecorder()
	p.ServeReport(w, call)
	return w.Code, r.All[before:]
}

// CheckReports holds what was read of said, the words of a call, against what everybody relies on who takes
// reports: they are about a message, a failure has a class and nothing else has one, and every text fits
// into a column and into a line of the log. It is for fuzz targets.
func CheckReports(t testing.TB, said string, reports []provider.Report) {
	t.Helper()
	for _, r := range reports {
		if r.ID == "" && r.Key == "" || (r.State == provider.Failed) != (r.Class != 0) || r.State < provider.Delivered || r.State > provider.NotRevoked {
			t.Errorf("%q: %+v", said, r)
		}
		for _, text := range []string{r.ID, r.Key, r.Code, r.Price.Amount, r.Price.Currency, r.MCC, r.MNC} {
			if len(text) > 255 || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%q: the report has the text %q", said, text)
			}
		}
		if (r.Price.Amount == "") != (r.Price.Currency == "") || (r.MCC == "") != (r.MNC == "") {
			t.Errorf("%q: half of something is told: %+v", said, r)
		}
	}
}

// Post is a call with a body; headers are names and values in turn.
func Post(target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// Form and JSON are the headers of a body, for Post.
var (
	Form = []string{"Content-Type", "application/x-www-form-urlencoded"}
	JSON = []string{"Content-Type", "application/json"}
)

var numbers = regexp.MustCompile(`\b[0-9]+\b`)

// CheckManual reads a table of classes in a page of the manual: rows that begin with a class, and
// codes, which are numbers, in the given column, counted from 1. Every one of them must have the
// class that classOf gives, and there must be as many as the code knows.
func CheckManual(t testing.TB, page string, column, known int, classOf func(code string) provider.Class) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) <= column {
			continue
		}
		class, ok := provider.ParseClass(strings.Trim(cells[1], " `"))
		if !ok {
			continue
		}
		for _, code := range numbers.FindAllString(cells[column], -1) {
			checked++
			if got := classOf(code); got != class {
				t.Errorf("%s says that %s is %v, the code says %v", page, code, class, got)
			}
		}
	}
	if checked != known {
		t.Errorf("%s shows %d codes in column %d, the code knows %d", page, checked, column, known)
	}
}
