package whatsapp

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const testBusiness = "102290129340398"

var desk = httpfar.Desk{
	Asks:   "GET /v23.0/" + testNumber + "?fields=verified_name,status",
	Shows:  map[string]string{"Authorization": "Bearer " + testToken},
	Answer: `{"verified_name":"Acme","status":"CONNECTED","id":"` + testNumber + `"}`,
	Refuse: func(w http.ResponseWriter, words string) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":%q,"type":"OAuthException","code":190}}`, words)
	},
}

func atDesk(business string) func(string, provider.Deps) (provider.Provider, error) {
	return func(url string, deps provider.Deps) (provider.Provider, error) {
		return New(Config{PhoneNumberID: testNumber, BusinessAccountID: business, AccessToken: testToken,
			Languages: []string{"en", "pt_BR"}, BaseURL: url + "/v23.0", Timeout: "2m"}, deps)
	}
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testToken}, Unproven: true, Start: desk.Start(atDesk(""))})
}

func TestWhatTheAnswersToACheckMean(t *testing.T) {
	httpfar.CheckWords(t, atDesk(""), []httpfar.Said{
		{Status: 200, Body: `{"status":"CONNECTED"}`, Want: "not known without business_account_id", Unproven: true},
		{Status: 200, Body: `{"verified_name":"Acme"}`, Want: "not known without business_account_id", Unproven: true},
		{Status: 200, Body: `{"status":"PENDING"}`, Want: "phone_number_id is PENDING"},
		{Status: 200, Body: `<html>`, Want: "something else than JSON"},
		{Status: 401, Body: `{"error":{"code":190,"message":"Session has expired"}}`, Want: "the access token is refused (190): Session has expired"},
		{Status: 400, Body: `{"error":{"code":100,"message":"Unsupported get request"}}`, Want: "phone_number_id is not known to Meta"},
		{Status: 403, Body: `{"error":{"code":200,"message":"Permissions error"}}`, Want: "may not read phone_number_id (200)"},
		{Status: 400, Body: `{"error":{"code":4,"message":"Application request limit reached"}}`, Want: "Meta answers 4: Application"},
		{Status: 500, Body: ``, Want: "it answers 500"},
	})
}

// TestTheTemplateIsLookedFor has a business account with one template or more: as "name/language/status",
// of the category AUTHENTICATION unless it says otherwise.
func TestTheTemplateIsLookedFor(t *testing.T) {
	for templates, want := range map[string]string{
		"verification_code/en/APPROVED verification_code/pt_BR/APPROVED":                            "",
		"verification_code/en/APPROVED":                                                             "not approved in pt_BR (not there)",
		"verification_code/en/PENDING verification_code/pt_BR/APPROVED":                             "not approved in en (PENDING)",
		"verification_code/en/REJECTED verification_code/pt_BR/PAUSED":                              "not approved in en (REJECTED), pt_BR (PAUSED)",
		"verification_code_2/en/APPROVED verification_code_2/pt_BR/APPROVED":                        "no template verification_code",
		"verification_code/en/APPROVED/MARKETING verification_code/pt_BR/APPROVED":                  "of the category MARKETING",
		"old_verification_code/de/REJECTED verification_code/en/APPROVED verification_code/pt_BR/x": "not approved in pt_BR (x)",
	} {
		var data []string
		for one := range strings.FieldsSeq(templates) {
			parts := append(strings.Split(one, "/"), "AUTHENTICATION")
			data = append(data, fmt.Sprintf(`{"name":%q,"language":%q,"status":%q,"category":%q}`, parts[0], parts[1], parts[2], parts[3]))
		}
		wire := httpfar.NewWire(t, httpfar.Answering("200 OK", `{"status":"CONNECTED","data":[`+strings.Join(data, ",")+`]}`))
		p, err := atDesk(testBusiness)("http://localhost", provider.Deps{HTTP: wire.Client()})
		if err != nil {
			t.Fatal(err)
		}
		err = p.(*Provider).Check(t.Context())
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", templates, err, want)
		}
		second := string(wire.Requests()[1])
		if !strings.HasPrefix(second, "GET /v23.0/"+testBusiness+"/message_templates?fields=name%2Clanguage%2Cstatus%2Ccategory&limit=200&name=verification_code ") {
			t.Errorf("asked %s", second)
		}
	}
}

func TestTheBusinessAccountIsANumber(t *testing.T) {
	const least = `"phone_number_id":"106540352242922","access_token":"hunter2","business_account_id":`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least + `"102290129340398"`: "",
		least + `"Acme"`:            "business_account_id is not a row of digits",
	})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "whatsapp").NamesKeys(Config{})
}

// said is Meta without a network.
type said string

func (s said) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(s)))}, nil
}

func FuzzCheck(f *testing.F) {
	f.Add(`{"status":"CONNECTED","data":[{"name":"verification_code","language":"en","status":"PENDING","category":"AUTHENTICATION"}]}`)
	f.Add(`{"status":"` + testToken + `"}`)
	f.Add(`{"data":[{"name":"verification_code","category":"` + testToken + `"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		p, err := atDesk(testBusiness)("https://vendor.test", provider.Deps{HTTP: &http.Client{Transport: said(body)}})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.(*Provider).Check(t.Context()); err != nil && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(testToken)) {
			t.Errorf("%q: the words are %q", body, err)
		}
	})
}

func TestEachNumberIsLookedFor(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		if r.URL.Path == "/v23.0/222222" {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":{"code":100,"message":"Unsupported get request"}}`)
			return
		}
		io.WriteString(w, `{"status":"CONNECTED"}`)
	}))
	t.Cleanup(server.Close)
	p, err := New(Config{PhoneNumberID: testNumber, AccessToken: testToken, BaseURL: server.URL + "/v23.0", PhoneNumbers: map[string]string{
		"+34612345670": testNumber, "+34612345671": "111111", "+34612345672": "222222",
	}}, provider.Deps{HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/v23.0/" + testNumber, "/v23.0/111111", "/v23.0/222222"}
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "+34612345672 is not known to Meta") || !slices.Equal(asked, want) {
		t.Errorf("asked for %q, got %v", asked, err)
	}
}
