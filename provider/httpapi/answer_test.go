package httpapi

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// read is readAnswer, with the refusal that a Sender makes of the status.
func read(status int, h http.Header, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Header: h, Body: []byte(body)}
	s := httpsend.New(provider.Deps{Now: func() time.Time { return epoch }}, time.Minute)
	return readAnswer(a, s.Refusal(a))
}

// The table of docs/providers/httpapi.md, and channels 0.2 from which it comes.
func TestTheStatusDecidesWhereTheBodyIsSilent(t *testing.T) {
	for class, statuses := range map[provider.Class][]int{
		provider.BadRequest: {300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 409, 413, 415, 418, 422, 451},
		provider.Throttled:  {429},
		provider.Temporary:  {425, 503},
		provider.Unknown:    {408, 500, 501, 502, 504, 599, 999},
	} {
		for _, status := range statuses {
			for _, body := range []string{"", "<html>", "{}", `{"id":"abc"}`, `{"error":null}`, `{"error":{}}`,
				`{"error":"boom"}`, `{"error":{"class":"weird"}}`, `{"error":{"class":4}}`, `[]`, `null`} {
				_, e := read(status, http.Header{}, body)
				if e == nil || e.Class != class {
					t.Errorf("%d %s: got %v, want class %v", status, body, e, class)
				}
			}
		}
	}
}

func TestTheClassInTheBodyWins(t *testing.T) {
	for _, status := range []int{200, 202, 302, 400, 429, 500, 503} {
		for _, class := range []provider.Class{
			provider.BadRecipient, provider.BadRequest, provider.Temporary, provider.Throttled, provider.Unknown,
		} {
			body := `{"id":"abc","error":{"class":"` + class.String() + `","code":"58","message":"no"}}`
			_, e := read(status, http.Header{}, body)
			want := provider.Error{Class: class, Code: "58", Detail: "no"}
			if e == nil || *e != want {
				t.Errorf("%d %s: got %+v, want %+v", status, body, e, want)
			}
		}
	}
}

func TestAnErrorInsideA200IsNoAcceptance(t *testing.T) {
	for _, body := range []string{`{"error":{}}`, `{"error":"boom","id":"abc"}`, `{"error":{"class":"new_class"}}`} {
		_, e := read(200, http.Header{}, body)
		if e == nil || e.Class != provider.Unknown {
			t.Errorf("200 %s: got %v, want class unknown", body, e)
		}
	}
}

func TestAcceptances(t *testing.T) {
	for _, c := range []struct {
		body string
		want provider.Accepted
	}{
		{`{"id":"abc","parts":1}`, provider.Accepted{ID: "abc", Parts: 1}},
		{`{"id":12345678901234567890}`, provider.Accepted{ID: "12345678901234567890"}},
		{`{"id":"abc","parts":1,"price":{"amount":0.04,"currency":"EUR"}}`,
			provider.Accepted{ID: "abc", Parts: 1, Price: provider.Price{Amount: "0.04", Currency: "EUR"}}},
		{`{"id":"abc","error":null,"new_field":[1]}`, provider.Accepted{ID: "abc"}},
		{``, provider.Accepted{}},
		{`queued`, provider.Accepted{}},
		{`"abc"`, provider.Accepted{}},
		{`{"id":null}`, provider.Accepted{}},
		{`{"id":["abc"]}`, provider.Accepted{}},
		{`{"id":true}`, provider.Accepted{}},
		{`{"id":"a\nb"}`, provider.Accepted{}},
		{`{"id":"` + strings.Repeat("x", 256) + `"}`, provider.Accepted{}},
		{`{"id":"abc","parts":"two"}`, provider.Accepted{ID: "abc"}},
		{`{"parts":"two","id":"abc"}`, provider.Accepted{ID: "abc"}},
		{`{"id":"abc","parts":-1}`, provider.Accepted{ID: "abc"}},
		{`{"id":"abc","price":"0.04 EUR"}`, provider.Accepted{ID: "abc"}},
		{`{"id":"abc","price":{"amount":"0.04"}}`, provider.Accepted{ID: "abc"}},
		{`{"id":"abc","price":{"amount":"-1","currency":"EUR"}}`, provider.Accepted{ID: "abc"}},
		{`{"id":"abc","price":{"amount":"1","currency":"euro"}}`, provider.Accepted{ID: "abc"}},
		{`{"id":"abc","price":{"amount":1e3,"currency":"EUR"}}`, provider.Accepted{ID: "abc"}},
	} {
		got, e := read(202, http.Header{}, c.body)
		if e != nil || got != c.want {
			t.Errorf("202 %s: got %+v, %v, want %+v", c.body, got, e, c.want)
		}
	}
}

func TestCodesAndDetails(t *testing.T) {
	for _, c := range []struct{ body, code, detail string }{
		{`{"error":{"code":"58","message":"slow down"}}`, "58", "slow down"},
		{`{"error":{"code":58}}`, "58", "HTTP 503 Service Unavailable"},
		{`{"error":{"message":"slow down"}}`, "503", "slow down"},
		{`{}`, "503", "HTTP 503 Service Unavailable"},
		{``, "503", "HTTP 503 Service Unavailable"},
		{`<h1>nginx</h1>`, "503", "HTTP 503 Service Unavailable: <h1>nginx</h1>"},
	} {
		_, e := read(503, http.Header{}, c.body)
		if e == nil || e.Code != c.code || e.Detail != c.detail {
			t.Errorf("503 %s: got %+v, want code %q, detail %q", c.body, e, c.code, c.detail)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		header, body string
		want         time.Duration
	}{
		{"", ``, 0},
		{"7", ``, 7 * time.Second},
		{"0", ``, 0},
		{"-7", ``, 0},
		{"+7", ``, 0},
		{"7.5", ``, 0},
		{"soon", ``, 0},
		{"99999999999999999999", ``, 0},
		{"4294967295", ``, 24 * time.Hour},
		{"Thu, 02 Jan 2031 03:00:30 GMT", ``, 30 * time.Second},
		{"Thu, 02 Jan 2031 02:00:30 GMT", ``, 0},
		{"Thu, 02 Jan 2099 02:00:30 GMT", ``, 24 * time.Hour},
		{"", `{"error":{"retry_after":1}}`, time.Second},
		{"", `{"error":{"retry_after":0.25}}`, 250 * time.Millisecond},
		{"7", `{"error":{"retry_after":1}}`, time.Second},
		{"7", `{"error":{"retry_after":-1}}`, 7 * time.Second},
		{"7", `{"error":{"retry_after":"1"}}`, 7 * time.Second},
		{"", `{"error":{"retry_after":1e300}}`, 24 * time.Hour},
	} {
		h := http.Header{}
		if c.header != "" {
			h.Set("Retry-After", c.header)
		}
		_, e := read(429, h, c.body)
		if e == nil || e.RetryAfter != c.want {
			t.Errorf("Retry-After %q, body %s: got %v, want %v", c.header, c.body, e.RetryAfter, c.want)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(202, "", `{"id":"abc","parts":1,"price":{"amount":"0.04","currency":"EUR"}}`)
	f.Add(429, "7", `{"error":{"class":"throttled","code":"58","message":"slow down","retry_after":1}}`)
	f.Add(503, "Thu, 02 Jan 2031 03:00:30 GMT", `{"error":"boom"}`)
	f.Add(200, "", `{"id":12,"error":null}`)
	f.Add(404, "", "<html>")
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		accepted, e := read(status, http.Header{"Retry-After": {header}}, body)
		if e == nil {
			if status/100 != 2 {
				t.Errorf("%d is no acceptance", status)
			}
			if len(accepted.ID) > 255 || accepted.Parts < 0 || (accepted.Price.Amount == "") != (accepted.Price.Currency == "") {
				t.Errorf("an odd acceptance: %+v", accepted)
			}
			return
		}
		if accepted != (provider.Accepted{}) {
			t.Errorf("both %+v and %+v", accepted, e)
		}
		if _, ok := provider.ParseClass(e.Class.String()); !ok || e.Code == "" || e.RetryAfter < 0 || e.RetryAfter > 24*time.Hour {
			t.Errorf("an odd error: %+v", e)
		}
	})
}
