package httpsend

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

var epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

func TestStatuses(t *testing.T) {
	for class, statuses := range map[provider.Class][]int{
		provider.BadRequest: {300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 409, 413, 415, 418, 422, 451},
		provider.Throttled:  {429},
		provider.Temporary:  {425, 503},
		provider.Unknown:    {200, 202, 408, 500, 501, 502, 504, 599, 999, 0},
	} {
		for _, status := range statuses {
			if got := Class(status); got != class {
				t.Errorf("%d: got %v, want %v", status, got, class)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"0":                             0,
		"-7":                            0,
		"+7":                            0,
		"7.5":                           0,
		"soon":                          0,
		"99999999999999999999":          0,
		"4294967295":                    maxRetryAfter,
		"Thu, 02 Jan 2031 03:00:30 GMT": 30 * time.Second,
		"Thu, 02 Jan 2031 02:00:30 GMT": 0,
		"Thu, 02 Jan 2099 02:00:30 GMT": maxRetryAfter,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {value}}, epoch); got != want {
			t.Errorf("Retry-After %q: got %v, want %v", value, got, want)
		}
	}
	for n, want := range map[float64]time.Duration{-1: 0, 0: 0, 0.25: 250 * time.Millisecond, 1e300: maxRetryAfter} {
		if got := Seconds(n); got != want {
			t.Errorf("Seconds(%v): got %v, want %v", n, got, want)
		}
	}
}

func TestScalars(t *testing.T) {
	for text, want := range map[string]Scalar{
		`"58"`: "58", `58`: "58", `-1.5`: "-1.5", `12345678901234567890`: "12345678901234567890",
		`null`: "", `true`: "", `["58"]`: "", `{"a":1}`: "",
	} {
		var got struct{ V Scalar }
		if err := json.Unmarshal([]byte(`{"V":`+text+`}`), &got); err != nil || got.V != want {
			t.Errorf("%s: got %q, %v, want %q", text, got.V, err, want)
		}
	}
}

func TestIdentifiersAndPrices(t *testing.T) {
	for id, want := range map[string]string{
		"abc": "abc", "": "", "a\nb": "", strings.Repeat("x", 255): strings.Repeat("x", 255), strings.Repeat("x", 256): "",
	} {
		if got := ID(id); got != want {
			t.Errorf("ID(%q): got %q", id, got)
		}
	}
	if got, want := Price("0.04", "EUR"), (provider.Price{Amount: "0.04", Currency: "EUR"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, c := range [][2]string{{"0.04", ""}, {"", "EUR"}, {"-1", "EUR"}, {"1", "euro"}, {"1e3", "EUR"}, {".5", "EUR"}} {
		if got := Price(c[0], c[1]); got != (provider.Price{}) {
			t.Errorf("Price(%q): got %v, want none", c, got)
		}
	}
}

func TestTablesOfCodes(t *testing.T) {
	codes := Table(map[provider.Class]string{provider.BadRecipient: "6 7", provider.Throttled: "1"})
	e := &provider.Error{Class: provider.Unknown, Code: "400", Detail: "HTTP 400"}
	if codes.Refine(e, "", ""); *e != (provider.Error{Class: provider.Unknown, Code: "400", Detail: "HTTP 400"}) {
		t.Errorf("nothing said: %+v", e)
	}
	if codes.Refine(e, "99", "odd"); *e != (provider.Error{Class: provider.Unknown, Code: "99", Detail: "odd"}) {
		t.Errorf("an unknown code: %+v", e)
	}
	if codes.Refine(e, "7", ""); *e != (provider.Error{Class: provider.BadRecipient, Code: "7", Detail: "odd"}) {
		t.Errorf("a known code: %+v", e)
	}
	if codes.Of("1", provider.Temporary) != provider.Throttled || codes.Of("2", provider.Temporary) != provider.Temporary {
		t.Error("Of is wrong")
	}
	defer func() {
		if recover() == nil {
			t.Error("a code with two classes was taken")
		}
	}()
	Table(map[provider.Class]string{provider.BadRecipient: "6", provider.Throttled: "6"})
}

func TestBodiesAndCredentials(t *testing.T) {
	if got := string(JSON(map[string]string{"a": "<&>\n"})); got != `{"a":"<&>\n"}` {
		t.Errorf("got %s", got)
	}
	if got := Basic("Aladdin", "open sesame"); got != "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" { // RFC 7617, 2
		t.Errorf("got %s", got)
	}
}

func TestTheLifeOfACode(t *testing.T) {
	s := New(provider.Deps{Now: func() time.Time { return epoch }}, time.Second)
	for left, want := range map[time.Duration]time.Duration{
		90*time.Second + time.Millisecond: 90 * time.Second, -time.Hour: time.Minute, time.Hour: 10 * time.Minute,
	} {
		if got := s.Life(provider.Message{Deadline: epoch.Add(left)}, time.Minute, 10*time.Minute); got != want {
			t.Errorf("%v left: got %v, want %v", left, got, want)
		}
	}
	if got := s.Life(provider.Message{}, time.Minute, 10*time.Minute); got != 10*time.Minute {
		t.Errorf("no deadline: got %v", got)
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		setting string
		allow   bool
		problem string
	}{
		{"https://api.example.com", false, ""},
		{"https://api.example.com/v1/", false, ""},
		{"http://localhost:8089", false, ""},
		{"http://127.0.0.1:8089", false, ""},
		{"http://[::1]:8089", false, ""},
		{"http://gw", true, ""},
		{"", false, "base_url is missing"},
		{"http://gw", false, "base_url: plain http to gw"},
		{"http://localhost.example.com", false, "base_url: plain http"},
		{"ftp://gw", true, "base_url is not an http"},
		{"gw.example.com:8089", false, "base_url is not an http"},
		{"https://:8089", false, "base_url is not an http"},
		{"https://hunter2:x", false, "base_url is not an http"},
		{"https://u:hunter2@gw", false, "base_url must not hold a password"},
		{"https://gw/?key=hunter2", false, "base_url must end with its path"},
		{"https://gw/#hunter2", false, "base_url must not hold a fragment"},
	} {
		_, err := ParseBase("base_url", c.setting, c.allow)
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.HasPrefix(err.Error(), c.problem)) {
			t.Errorf("%s: got %v, want %q", c.setting, err, c.problem)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error repeats a secret: %v", err)
		}
	}
	if _, err := ParseURL("url", "https://gw/?key=hunter2", false); err != nil {
		t.Error(err)
	}
	for setting, want := range map[string]time.Duration{"": DefaultTimeout, "8s": 8 * time.Second} {
		if got, err := ParseTimeout(setting); err != nil || got != want {
			t.Errorf("timeout %q: got %v, %v", setting, got, err)
		}
	}
	for _, setting := range []string{"10", "0s", "-1s", "soon"} {
		if _, err := ParseTimeout(setting); err == nil {
			t.Errorf("timeout %q was taken", setting)
		}
	}
	if err := Require("a", "x", "b", "", "c", ""); err == nil || err.Error() != "b is missing" {
		t.Errorf("got %v", err)
	}
	if err := Require("a", "x"); err != nil {
		t.Error(err)
	}
}

func TestHeadersOfTheConfiguration(t *testing.T) {
	h, err := ParseHeaders(map[string]string{"x-tenant": "acme", "Authorization": "Bearer x"}, "Content-Type")
	if err != nil || len(h) != 2 || h.Get("X-Tenant") != "acme" {
		t.Errorf("got %v, %v", h, err)
	}
	for problem, setting := range map[string]map[string]string{
		"headers: Content-Type is set by verifyd":   {"content-type": "x"},
		"headers: Content-Length is set by verifyd": {"content-length": "0"},
		"headers: Host is set by verifyd":           {"host": "x"},
		`headers: "X Y" is not the name`:            {"X Y": "x"},
		`headers: "" is not the name`:               {"": "x"},
		"headers: the value of X-Y":                 {"X-Y": "hunter2\r\nX-Z: 1"},
		"headers: X-Y is there twice":               {"X-Y": "1", "x-y": "2"},
	} {
		_, err := ParseHeaders(setting, "Content-Type")
		if err == nil || !strings.HasPrefix(err.Error(), problem) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want %q", err, problem)
		}
	}
	for s, want := range map[string]bool{"VL1:1": true, "": false, "a b": false, "a\r\n": false, "ñ": false} {
		if Printable(s) != want {
			t.Errorf("Printable(%q) is %v", s, !want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "7", "-1", "1e9", "Thu, 02 Jan 2031 03:00:30 GMT", "Thu, 99 Foo"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if d := RetryAfter(http.Header{"Retry-After": {value}}, epoch); d < 0 || d > maxRetryAfter {
			t.Errorf("Retry-After %q is %v", value, d)
		}
	})
}

// FuzzScalar reads a field of a vendor's answer, which may be of any kind.
func FuzzScalar(f *testing.F) {
	for _, s := range []string{`"58"`, `58`, `-1.5e3`, `null`, `true`, `["58"]`, `{"a":1}`, `"\u0000"`, `"a\nb"`} {
		f.Add(s, "0.0052", "EUR")
	}
	f.Fuzz(func(t *testing.T, text, amount, currency string) {
		var read struct{ Field Scalar }
		if body := `{"Field":` + text + `}`; json.Valid([]byte(body)) && json.Unmarshal([]byte(body), &read) != nil {
			t.Errorf("%s is not read", body)
		}
		if id := ID(string(read.Field)); len(id) > maxID || strings.ContainsFunc(id, control) {
			t.Errorf("%s is the identifier %q", text, id)
		}
		p := Price(amount, currency)
		if (p.Amount == "") != (p.Currency == "") || len(p.Amount) > 19 || p.Currency != "" && len(p.Currency) != 3 {
			t.Errorf("%q of %q is the price %+v", amount, currency, p)
		}
	})
}

// FuzzParseHeaders: what was taken can be sent, and is one line.
func FuzzParseHeaders(f *testing.F) {
	f.Add("X-Account", "7")
	f.Add("authorization", "Bearer s3cret")
	f.Add("X-Bad\r\nX-Evil", "1")
	f.Add("X", "a\r\nb")
	f.Add("content-LENGTH", "1")
	f.Fuzz(func(t *testing.T, name, value string) {
		h, err := ParseHeaders(map[string]string{name: value}, "Content-Type")
		if err != nil {
			if len(value) > 8 && strings.Contains(err.Error(), value) && !strings.Contains(name, value) {
				t.Errorf("the error repeats the value: %v", err)
			}
			return
		}
		var written strings.Builder
		if err := h.Write(&written); err != nil || strings.Count(written.String(), "\n") != 1 || len(h) != 1 {
			t.Errorf("%q: %q is written as %q, %v", name, value, &written, err)
		}
		for _, ours := range append(hopByHop, "Content-Type") {
			if h[ours] != nil {
				t.Errorf("%q sets %s", name, ours)
			}
		}
	})
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"", "https://gw", "http://[::1]:80", "https://u:p@gw", "http://localhost/?a#b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, setting string) {
		u, err := ParseURL("url", setting, false)
		if err == nil && (u.Hostname() == "" || u.User != nil || u.Scheme == "http" && !loopback(u.Hostname())) {
			t.Errorf("%q was taken as %v", setting, u)
		}
	})
}
