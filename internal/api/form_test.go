package api

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"encoding/json"
	"os"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestEveryCodeHasAPage(t *testing.T) {
	for _, code := range verify.Codes() {
		p, ok := pages[code]
		if !ok || p.status < 400 || p.text == "" {
			t.Errorf("code %d has the page %+v", code, p)
		}
	}
	if len(pages) != len(verify.Codes()) {
		t.Errorf("%d pages for %d codes", len(pages), len(verify.Codes()))
	}
}

// Every parameter that is published is one that we read, in the places that we serve.
func TestEveryPublishedParameterIsRead(t *testing.T) {
	text, err := os.ReadFile("testdata/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	var published struct {
		Paths map[string]map[string]struct {
			Parameters map[string]string
			Query      []string
		}
	}
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	ours := map[string]any{
		"/v2/Services":                                serviceParams{},
		"/v2/Services/{Sid}":                          serviceParams{},
		"/v2/Services/{ServiceSid}/Verifications":     startParams{},
		"/v2/Services/{ServiceSid}/VerificationCheck": checkParams{},
		"/v2/Services/{ServiceSid}/Verifications/{Sid}": struct {
			Status *string `form:"Status"`
		}{},
		"/v2/Services/{ServiceSid}/RateLimits": rateLimitParams{},
		"/v2/Services/{ServiceSid}/RateLimits/{Sid}": struct {
			Description *string `form:"Description"`
		}{},
		"/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets":       bucketParams{},
		"/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets/{Sid}": bucketParams{},
		"/v2/Services/{ServiceSid}/MessagingConfigurations":                 messagingParams{},
		"/v2/Services/{ServiceSid}/MessagingConfigurations/{Country}": struct {
			MessagingServiceSID *string `form:"MessagingServiceSid"`
		}{},
		"/v2/Templates":        templateQuery{},
		"/v2/Attempts":         attemptQuery{},
		"/v2/Attempts/Summary": summaryQuery{},
		"/v2/SafeList/Numbers": safeNumberParams{},
	}
	for path, methods := range published.Paths {
		for method := range methods {
			if !slices.ContainsFunc(routes, func(r route) bool { return r.path == path && r.method == method }) {
				t.Errorf("%s %s is not served", method, path)
			}
		}
		want := slices.Collect(maps.Keys(methods["POST"].Parameters))
		for _, name := range methods["GET"].Query {
			if !strings.HasPrefix(name, "Page") { // readPage's
				want = append(want, name)
			}
		}
		slices.Sort(want)
		if ours[path] == nil {
			if len(want) > 0 {
				t.Errorf("%s: nothing reads %v", path, want)
			}
			continue
		}
		var read []string
		for _, f := range fieldsOf(reflect.TypeOf(ours[path])) {
			if !strings.HasPrefix(f.param, "Verifyd.") && f.param != "Templates" { // ours; newer than the description
				read = append(read, f.param)
			}
		}
		slices.Sort(read)
		if diff := cmp.Diff(want, read); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
}

func TestParseForm(t *testing.T) {
	for body, want := range map[string]url.Values{
		"":                       {},
		"To=%2B34612345678&a=b":  {"To": {"+34612345678"}, "a": {"b"}},
		"a=1;2&b=x+y":            {"a": {"1;2"}, "b": {"x y"}}, // iOS sends semicolons unescaped
		"a=1&a=2&&c":             {"a": {"1", "2"}, "c": {""}},
		`ChannelData%5C.To=%2B1`: {"ChannelData.To": {"+1"}}, // twilio-go's spelling
		"Push.IncludeDate=true":  {"Push.IncludeDate": {"true"}},
	} {
		got, err := parseForm(body)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("parseForm(%q): %v\n%s", body, err, diff)
		}
	}
}

func TestDecode(t *testing.T) {
	var p struct {
		Text    string  `form:"Text"`
		Name    *string `form:"Name"`
		Number  *int    `form:"A.Number"`
		Flag    *bool   `form:"Flag"`
		NotSent *bool   `form:"NotSent"`
		Ignored int
	}
	form := url.Values{"Text": {"a", "b"}, "Name": {""}, "A.Number": {"7"}, "Flag": {"True"}, "Unknown": {"x"}, "Ignored": {"1"}}
	if err := decode(form, &p); err != nil {
		t.Fatal(err)
	}
	if p.Text != "a" || p.Name == nil || *p.Name != "" || *p.Number != 7 || !*p.Flag || p.NotSent != nil || p.Ignored != 0 {
		t.Errorf("decoded %+v", p)
	}
	for _, bad := range []url.Values{{"A.Number": {"x"}}, {"A.Number": {""}}, {"A.Number": {"3000000000"}}, {"Flag": {"1"}}, {"Flag": {"yes"}}} {
		if err := decode(bad, &p); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func FuzzParseForm(f *testing.F) {
	f.Add("To=%2B34612345678&Channel=sms")
	f.Add("a=1;2&%zz=%00")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := parseForm(body)
		if err != nil {
			return
		}
		again, err := parseForm(form.Encode())
		if err != nil && len(form) <= maxParameters {
			t.Fatalf("the encoded form is refused: %v", err)
		}
		if diff := cmp.Diff(form, again); err == nil && diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzRoute(f *testing.F) {
	f.Add("/v2/Services/VA1/Verifications/%2B34")
	f.Add("//v2/../%2e%2e/")
	table := newTable(routes)
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse(path)
		if err != nil {
			return
		}
		for i := range table.routes {
			parts := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
			if vars, ok := table.routes[i].match(parts); ok && len(vars) > len(parts) {
				t.Errorf("%q gave %v", path, vars)
			}
		}
	})
}
