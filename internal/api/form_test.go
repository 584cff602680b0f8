package api

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

func TestEveryCodeHasAPage(t *testing.T) {
	codes := slices.Concat(verify.Codes(), factor.Codes())
	for _, code := range codes {
		p, ok := pages[code]
		if !ok || p.status < 400 || p.text == "" {
			t.Errorf("code %d has the page %+v", code, p)
		}
	}
	if len(pages) != len(codes) {
		t.Errorf("%d pages for %d codes", len(pages), len(codes))
	}
}

// publishedPaths are the parameters of the published description, by path and method.
type publishedPaths map[string]map[string]struct {
	Parameters map[string]string
	Required   []string
	Query      []string
}

func readPublished(t *testing.T) publishedPaths {
	t.Helper()
	var published struct{ Paths publishedPaths }
	for _, name := range []string{"contract.json", "contract_factors.json", "contract_passkeys.json", "contract_push.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &published); err != nil { // adds to the map
			t.Fatal(err)
		}
	}
	return published.Paths
}

// ofBrowsers are what answers of browsers must have, where it is published otherwise: a new key needs an
// id and all of its parts, and where the authenticator is may be unknown (Web Authentication, section 5.1).
var ofBrowsers = map[string][]string{
	"UpdatePasskeysFactor":    {"id", "rawId", "response", "response.attestationObject", "response.clientDataJSON"},
	"UpdateChallengePasskeys": {"id", "rawId", "response", "response.authenticatorData", "response.clientDataJSON", "response.signature"},
}

// Every parameter that is published is one that we read, in the places that we serve, and what is
// required there is required here.
func TestEveryPublishedParameterIsRead(t *testing.T) {
	ours := operations()
	for path, methods := range readPublished(t) {
		for method, published := range methods {
			o, served := ours[method+" "+path]
			if !served {
				t.Errorf("%s %s is not served", method, path)
				continue
			}
			want := slices.Collect(maps.Keys(published.Parameters))
			for _, name := range published.Query {
				if !o.Paged || !strings.HasPrefix(name, "Page") { // readPage's
					want = append(want, name)
				}
			}
			var read, required []string
			for _, f := range o.Facts {
				if (f.From == 0 || f.From&Spec != 0) && f.Name != "Templates" { // newer than the description
					read = append(read, f.Name)
				}
				if f.Required && !o.Partial {
					required = append(required, f.Name)
				}
			}
			wanted := published.Required
			if others, ok := ofBrowsers[o.ID]; ok {
				wanted = others
			}
			for _, names := range [][]string{want, read, required, wanted} {
				slices.Sort(names)
			}
			if diff := cmp.Diff(want, read, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s %s reads:\n%s", method, path, diff)
			}
			if diff := cmp.Diff(wanted, required, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s %s requires:\n%s", method, path, diff)
			}
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

// FuzzReadPage follows the links of a page: whoever reads one gets where it says.
func FuzzReadPage(f *testing.F) {
	f.Add("50", "2", "PAVA00000000000000000000000000000001", "VA00000000000000000000000000000002")
	f.Add("1000", "", "PA&Page=7", "a b")
	f.Add("0", "-1", "PA", "")
	f.Add("99999999999", "2147483647", "x", "?")
	f.Fuzz(func(t *testing.T, size, number, token, next string) {
		q, page, err := readPage(url.Values{"PageSize": {size}, "Page": {number}, "PageToken": {token}})
		if err != nil {
			if _, ok := errors.AsType[*verify.Error](err); !ok {
				t.Errorf("%v is no refusal", err)
			}
			return
		}
		if page.Size < 2 || page.Size > maxPageSize+1 || page.Skip < 0 || page.Skip > 0 && page.After != "" {
			t.Errorf("%q, %q, %q are read as %+v", size, number, token, page)
		}
		m := q.describe("services", "https://verify.example.com/v2/Services", next)
		follow := func(link string) verify.Page {
			u, err := url.Parse(link)
			if err != nil {
				t.Fatalf("%q: %v", link, err)
			}
			_, there, err := readPage(u.Query())
			if err != nil {
				t.Errorf("%q is refused: %v", link, err)
			}
			return there
		}
		if again := follow(m.URL); again != page {
			t.Errorf("the page %+v is at %q, which is %+v", page, m.URL, again)
		}
		if m.NextPageURL != nil && q.page < math.MaxInt32 {
			if there := follow(*m.NextPageURL); there.After != next || there.Size != page.Size {
				t.Errorf("the page behind %q is at %q, which is %+v", next, *m.NextPageURL, there)
			}
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
