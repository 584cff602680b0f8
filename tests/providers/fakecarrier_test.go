//go:build full

package providers

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
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

// TestTheVendorsLibrariesBelieveTheFakeCarrier: their clients send to it, and their validators believe its
// reports.
func TestTheVendorsLibrariesBelieveTheFakeCarrier(t *testing.T) {
	seed := sha256.Sum256([]byte("telnyx"))
	private := ed25519.NewKeyFromSeed(seed[:])
	public := base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	apis := []vendors.API{
		vendors.Twilio(vendors.TwilioAccount{SID: account, Token: secret}),
		vendors.Vonage(vendors.VonageAccount{Key: apiKey, Secret: secret, SignatureSecret: secret}),
		vendors.Plivo(vendors.PlivoAccount{ID: "MA1", Token: secret}),
		vendors.Telnyx(vendors.TelnyxAccount{Key: secret, Private: private}),
		vendors.AWS(vendors.AWSAccount{Region: "eu-west-1", KeyID: apiKey, Secret: secret}),
	}
	var d desk.Desk
	s := vendors.New(&d, slog.New(slog.DiscardHandler), apis...)
	defer s.Close()
	// The libraries know no prefix for a vendor.
	prefixes := map[string]string{"/2010-04-01/": "twilio", "/sms/json": "vonage", "/v2/messages": "telnyx", "/": "aws"}
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
	for _, api := range apis {
		key, judged := keys[api.Name]
		if !judged {
			continue
		}
		for _, state := range []desk.State{desk.Delivered, desk.NoSuch} {
			r, err := api.Call(vendors.Report{
				Sent: vendors.Sent{To: "+34612345678", From: "Acme & Co", Key: "VL1:1", ReportTo: reportURL}, ID: "m1", State: state, At: time.Now(), Nonce: "12345",
			})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			c := call{Vendor: api.Name, URL: reportURL, Body: string(body), Headers: map[string]string{}, Key: key}
			for name := range r.Header {
				c.Headers[name] = r.Header.Get(name)
			}
			signed = append(signed, c)
		}
	}
	v := referee(t, question{
		Base: server.URL, Certificate: sns(t).certificate, Calls: signed,
		Message: map[string]any{"account": account, "key": apiKey, "secret": secret, "to": "+34612345678", "from": "+15005550006",
			"text": "482913 is your Acme code", "report": "", "seconds": 600, "ref": "VL1:1"},
		AWS: map[string]any{"body": "{}", "date": time.Now().UTC().Format(time.RFC3339), "headers": map[string]string{"host": "x"}},
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
		if got := d.Messages(t.Context(), desk.Query{Provider: name}); len(got) != 1 || got[0].To != "+34612345678" || got[0].Text != "482913 is your Acme code" {
			t.Errorf("%s: its client's message is %+v", name, got)
		}
	}
}
