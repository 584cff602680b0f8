//go:build full

package providers

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
)

// reports is an API whose reports a library judges.
type reports struct {
	api               vendors.API
	vendor, judge, at string
}

// reporting are those of some vendors: of texts, and of what else they carry, calls for one. Those have in
// their URL what a call goes on with.
func reporting(apis []vendors.API) (all []reports) {
	const page = reportURL + "&aa=b_-c"
	also := map[string]reports{
		"twilio": {judge: "twilio", at: page}, "vonage": {judge: "vonage-jwt", at: page},
		"plivo": {judge: "plivo-call", at: page}, "telnyx": {judge: "telnyx", at: page},
	}
	for _, api := range apis {
		other, judged := also[api.Name]
		if !judged {
			continue
		}
		all = append(all, reports{api, api.Name, api.Name, reportURL})
		for _, one := range api.Also {
			all = append(all, reports{one, api.Name, other.judge, other.at})
		}
	}
	return all
}

// TestTheVendorsLibrariesBelieveTheFakeCarrier: their clients send to it, and their validators believe its
// reports.
func TestTheVendorsLibrariesBelieveTheFakeCarrier(t *testing.T) {
	seed := sha256.Sum256([]byte("telnyx"))
	private := ed25519.NewKeyFromSeed(seed[:])
	public := base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	apis := []vendors.API{
		vendors.Twilio(vendors.TwilioAccount{SID: account, Token: secret}),
		vendors.Vonage(vendors.VonageAccount{Key: apiKey, Secret: secret, SignatureSecret: secret, Application: application, Private: key}),
		vendors.Plivo(vendors.PlivoAccount{ID: "MA1", Token: secret}),
		vendors.Telnyx(vendors.TelnyxAccount{Key: secret, Connection: "1", Private: private}),
		vendors.AWS(vendors.AWSAccount{Region: "eu-west-1", KeyID: apiKey, Secret: secret}),
		vendors.SendGrid(eventServer(t), secret),
		vendors.Postmark(vendors.PostmarkAccount{Token: secret}),
		vendors.SES(vendors.SESAccount{KeyID: apiKey, Secret: secret, Domain: "auth.example.com"}),
	}
	var d desk.Desk
	nothing := []desk.State{}
	d.Set([]desk.Knob{{Report: &nothing}}) // nobody answers a call, so that nobody asks what to say
	s := vendors.New(&d, slog.New(slog.DiscardHandler), apis...)
	defer s.Close()
	// The libraries know no prefix for a vendor.
	prefixes := map[string]string{"/2010-04-01/": "twilio", "/sms/json": "vonage", "/v1/calls": "vonage", "/v2/messages": "telnyx", "/v2/calls": "telnyx",
		sendgridMails: "sendgrid", postmarkMails: "postmark", sesMails: "ses", "/": "aws"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		best := ""
		for prefix := range prefixes {
			if strings.HasPrefix(r.URL.Path, prefix) && len(prefix) > len(best) {
				best = prefix
			}
		}
		r.URL.Path = "/" + prefixes[best] + r.URL.Path
		s.ServeHTTP(w, r)
	}))
	defer server.Close()

	keys := map[string]string{"twilio": secret, "vonage": secret, "plivo": secret, "telnyx": public}
	var signed []call
	for _, x := range reporting(apis) {
		key, api := keys[x.vendor], x.api
		for _, state := range []desk.State{desk.Delivered, desk.NoSuch} {
			r, err := api.Call(vendors.Report{
				Sent: vendors.Sent{To: "+34612345678", From: "Acme & Co", Key: "VL1:1", ReportTo: x.at}, ID: "m1", State: state, At: time.Now(), Nonce: "12345",
			})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			c := call{Vendor: x.judge, URL: x.at, Body: string(body), Headers: map[string]string{}, Key: key}
			for name := range r.Header {
				c.Headers[name] = r.Header.Get(name)
			}
			signed = append(signed, c)
		}
	}
	v := referee(t, question{
		Base: server.URL, Certificate: sns(t).certificate, Calls: signed,
		Message: map[string]any{"account": account, "key": apiKey, "secret": secret, "to": "+34612345678", "from": "+15005550006",
			"text": "482913 is your Acme code", "report": "", "seconds": 600, "ref": "VL1:1", "prompt": "Press a key."},
		AWS:  map[string]any{"body": "{}", "date": time.Now().UTC().Format(time.RFC3339), "headers": map[string]string{"host": "x"}},
		Mail: mailQuestion(), PlivoCall: map[string]any{"action": reportURL},
		TwilioCall: map[string]any{"To": called, "From": caller, "Twiml": "<Response><Say>x</Say></Response>", "Timeout": 30, "TimeLimit": 120, "StatusCallback": reportURL},
		VonageCall: map[string]any{"application": application, "privateKey": keyPEM(t, key), "request": map[string]any{
			"to": []any{map[string]string{"type": "phone", "number": called[1:]}}, "from": map[string]string{"type": "phone", "number": caller[1:]},
			"ncco":      []any{map[string]string{"action": "talk", "text": "<speak>x</speak>", "language": "en-US"}},
			"event_url": []string{reportURL}, "event_method": "POST", "ringing_timer": 30, "length_timer": 120}},
		TelnyxCall: map[string]any{"connection_id": "1", "to": called, "from": caller, "webhook_url": reportURL, "webhook_url_method": "POST",
			"client_state": "eA==", "command_id": "1", "timeout_secs": 30, "time_limit_secs": 120},
	})
	if len(v.Verdicts) != len(signed) {
		t.Fatalf("%d verdicts of %d reports", len(v.Verdicts), len(signed))
	}
	for i, c := range signed {
		if !v.Verdicts[i] {
			t.Errorf("%s: its library does not believe %+v", c.Vendor, c)
		}
	}
	for _, name := range []string{"twilio", "vonage", "telnyx", "aws"} {
		if got := d.Messages(t.Context(), desk.Query{Provider: name, To: "+34612345678", All: true}); len(got) != 1 || got[0].Text != "482913 is your Acme code" {
			t.Errorf("%s: its client's message is %+v", name, got)
		}
	}
	for _, name := range []string{"twilio", "vonage", "telnyx"} {
		if got := d.Messages(t.Context(), desk.Query{Provider: name, To: called, All: true}); len(got) != 1 || got[0].Answer != desk.Accepted || got[0].Text != "nobody answered" {
			t.Errorf("%s: its client's call is %+v", name, got)
		}
	}
	for _, name := range []string{"sendgrid", "postmark", "ses"} {
		if got := d.Messages(t.Context(), desk.Query{Provider: name, All: true}); len(got) != 1 || got[0].To != theMail().To || !strings.HasPrefix(got[0].Text, theMail().Email.Subject+"\n") {
			t.Errorf("%s: its client's mail is %+v", name, got)
		}
	}
}

// called is somebody else than who is written to.
const called = "+34612345679"

// keyPEM is a key as Vonage hands it out.
func keyPEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
