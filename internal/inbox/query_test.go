package inbox

import (
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"
)

func TestParameters(t *testing.T) {
	const sid = "SM0192f0c4a1b2000031323334353637ff"
	for raw, want := range map[string]parameters{
		"":                                  {},
		"to=%2B34612345678":                 {Query: Query{To: "+34612345678"}},
		"to=+34612345678":                   {Query: Query{To: "+34612345678"}},
		"to=34612345678":                    {Query: Query{To: "+34612345678"}},
		"to=%20%2B34612345678%20":           {Query: Query{To: "+34612345678"}},
		"to=ines%40example.com":             {Query: Query{To: "ines@example.com"}},
		"to=ines+news@example.com":          {Query: Query{To: "ines news@example.com"}},
		"to=ines%2Bnews@example.com":        {Query: Query{To: "ines+news@example.com"}},
		"to=a;b@example.com":                {Query: Query{To: "a;b@example.com"}},
		"to=1&to=2":                         {Query: Query{To: "+1"}},
		"to=&after=&wait=&limit=&channel=":  {},
		"channel=email&code=123456&limit=7": {Query: Query{Channel: "email", Code: "123456", Limit: 7}},
		"after=" + sid:                      {Query: Query{After: sid}},
		"wait=10s":                          {wait: 10 * time.Second},
		"wait=1m30s":                        {wait: time.Minute},
		"wait=10000h":                       {wait: time.Minute},
		"wait=0":                            {},
		"limit=1000":                        {Query: Query{Limit: 1000}},
		"format=json":                       {json: true},
		"pending=true":                      {Query: Query{Pending: true}},
		"pending=false":                     {},
		"unknown=1&_=2":                     {},
	} {
		if got, err := parseParameters(raw); err != nil || got != want {
			t.Errorf("%q: got %+v, %v; want %+v", raw, got, err, want)
		}
	}
}

func TestBadParametersAreNamed(t *testing.T) {
	for raw, want := range map[string]string{
		"wait=soon":   "wait",
		"wait=10":     "wait",
		"wait=-1s":    "wait",
		"wait=9e99s":  "wait",
		"limit=0":     "limit",
		"limit=1001":  "limit",
		"limit=-1":    "limit",
		"limit=ten":   "limit",
		"limit=1e2":   "limit",
		"channel=fax": "channel",
		"channel=SMS": "channel",
		"after=SM1":   "after",
		"after=VE0192f0c4a1b2000031323334353637ff": "after",
		"format=xml":  "format",
		"pending=1":   "pending",
		"to=%zz":      "to",
		"%zz=1":       "%zz",
		"other=%":     "other",
		"to=1&wait=x": "wait",
	} {
		_, err := parseParameters(raw)
		if bad, ok := errors.AsType[badParameter](err); !ok || string(bad) != want {
			t.Errorf("%q: got %v, want the parameter %s", raw, err, want)
		}
	}
}

// Whatever is asked, the answer is a refusal with a name or a query within bounds, and the same
// query written properly is the same query.
func FuzzParameters(f *testing.F) {
	f.Add("to=%2B34612345678&wait=10s&after=SM0192f0c4a1b2000031323334353637ff&limit=5")
	f.Add("to=+34612345678&channel=sms")
	f.Add("to=a;b@example.com&to=&code=%20")
	f.Add("to=%zz&&=&=x&wait=-1s")
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := parseParameters(raw)
		if err != nil {
			if _, ok := errors.AsType[badParameter](err); !ok {
				t.Fatalf("%q: %v has no parameter", raw, err)
			}
			return
		}
		if p.wait < 0 || p.wait > maxWait {
			t.Errorf("%q: wait %v", raw, p.wait)
		}
		if p.Limit < 0 || p.Limit > maxPage {
			t.Errorf("%q: limit %d", raw, p.Limit)
		}
		if p.After != "" && !validSID(p.After) {
			t.Errorf("%q: after %q", raw, p.After)
		}
		if p.Channel != "" && !slices.Contains(channels, p.Channel) {
			t.Errorf("%q: channel %q", raw, p.Channel)
		}
		again, err := parseParameters(url.Values{
			"to": {p.To}, "channel": {p.Channel}, "code": {p.Code}, "after": {p.After}, "wait": {p.wait.String()},
		}.Encode())
		again.Limit, again.json = p.Limit, p.json
		if err != nil || again != p {
			t.Errorf("%q: got %+v, written properly %+v, %v", raw, p, again, err)
		}
	})
}
