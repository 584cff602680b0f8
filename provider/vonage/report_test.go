package vonage

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func reporting(t testing.TB, got *httpfar.Reports, change func(*Config)) *Provider {
	t.Helper()
	c := Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme", Currency: "EUR"}
	change(&c)
	p, err := New(c, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const receipt = "err-code=0&message-timestamp=2031-01-02+03:00:00&messageId=0A1&msisdn=34612345678&network-code=21407&price=0.03&status=delivered"

var delivered = provider.Report{ID: "0A1", State: provider.Delivered, At: httpfar.Epoch, MCC: "214", MNC: "07",
	Price: provider.Price{Amount: "0.03", Currency: "EUR"}}

func TestReceiptsComeInEveryForm(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, func(*Config) {})
	for name, call := range map[string]*http.Request{
		"a query": httptest.NewRequest("GET", "/r?"+receipt, nil),
		"a form":  httpfar.Post("/r", receipt, httpfar.Form...),
		"JSON": httpfar.Post("/r", `{"messageId":"0A1","status":"delivered","network-code":"21407","price":0.03,"message-timestamp":"2031-01-02 03:00:00"}`,
			httpfar.JSON...),
	} {
		if status, recorded := got.Call(p, call); status != 204 || !slices.Equal(recorded, []provider.Report{delivered}) {
			t.Errorf("%s: got %d %+v", name, status, recorded)
		}
	}
	if status, _ := got.Call(p, httpfar.Post("/r", "{", httpfar.JSON...)); status != 400 {
		t.Errorf("half a body: got %d", status)
	}
}

// https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
func TestErrCodesAndTheirClasses(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, func(*Config) {})
	for class, codes := range map[provider.Class][]string{
		provider.BadRecipient: {"3", "4", "9"},
		provider.BadRequest:   {"6", "10", "11", "15"},
		provider.Temporary:    {"1", "2", "5", "7", "8", "12", "99", "", "1234"},
	} {
		for _, code := range codes {
			for _, state := range []string{"failed", "rejected", "expired"} {
				_, recorded := got.Call(p, httptest.NewRequest("GET", "/r?messageId=0A1&status="+state+"&err-code="+code, nil))
				want := []provider.Report{{ID: "0A1", State: provider.Failed, Class: class, Code: code}}
				if !slices.Equal(recorded, want) {
					t.Errorf("%s %s: got %+v, want %+v", state, code, recorded, want)
				}
			}
		}
	}
	for _, query := range []string{"messageId=0A1&status=accepted", "messageId=0A1&status=buffered", "messageId=0A1&status=unknown", "status=delivered", ""} {
		if status, recorded := got.Call(p, httptest.NewRequest("GET", "/r?"+query, nil)); status != 204 || len(recorded) != 0 {
			t.Errorf("%s: got %d %+v", query, status, recorded)
		}
	}
}

// signed adds timestamp and sig as Vonage does; tests/providers asks the official library.
func signed(params string, at time.Time, sum func(string) []byte) string {
	params += fmt.Sprintf("&timestamp=%d", at.Unix())
	pairs := strings.Split(strings.NewReplacer("+", " ").Replace(params), "&")
	slices.Sort(pairs)
	return params + "&sig=" + hex.EncodeToString(sum("&"+strings.Join(pairs, "&")))
}

func TestSignedParameters(t *testing.T) {
	var got httpfar.Reports
	bySHA256 := func(s string) []byte { return httpreport.MAC(sha256.New, "sig-secret", s) }
	byMD5 := func(s string) []byte { sum := md5.Sum([]byte(s + "sig-secret")); return sum[:] }
	hmac := reporting(t, &got, func(c *Config) { c.SignatureSecret = "sig-secret" })
	plain := reporting(t, &got, func(c *Config) { c.SignatureSecret, c.SignatureMethod = "sig-secret", "md5hash" })
	for _, c := range []struct {
		name   string
		p      *Provider
		query  string
		status int
	}{
		{"sha256", hmac, signed(receipt, httpfar.Epoch, bySHA256), 204},
		{"md5hash", plain, signed(receipt, httpfar.Epoch, byMD5), 204},
		{"the wrong method", hmac, signed(receipt, httpfar.Epoch, byMD5), 403},
		{"long ago", hmac, signed(receipt, httpfar.Epoch.Add(-time.Hour), bySHA256), 403},
		{"something added", hmac, signed(receipt, httpfar.Epoch, bySHA256) + "&x=y", 403},
		{"no signature", hmac, receipt, 403},
	} {
		if status, _ := got.Call(c.p, httptest.NewRequest("GET", "/r?"+c.query, nil)); status != c.status {
			t.Errorf("%s: got %d, want %d", c.name, status, c.status)
		}
	}
	if status, _ := got.Call(hmac, httpfar.Post("/r", "%", httpfar.Form...)); status != 403 {
		t.Errorf("a broken form: got %d", status)
	}
}

// & and = in values become _ before they are signed.
func TestValuesCannotBecomeParametersInTheSignature(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, func(c *Config) { c.SignatureSecret = "sig-secret" })
	text := fmt.Sprintf("&a=x_y_z&timestamp=%d", httpfar.Epoch.Unix())
	query := fmt.Sprintf("a=x%%26y%%3Dz&timestamp=%d&sig=%X", httpfar.Epoch.Unix(), httpreport.MAC(sha256.New, "sig-secret", text))
	if status, _ := got.Call(p, httptest.NewRequest("GET", "/r?"+query, nil)); status != 204 {
		t.Errorf("got %d", status)
	}
}

func token(header, claims, secret string) string {
	enc := base64.RawURLEncoding.EncodeToString
	signed := enc([]byte(header)) + "." + enc([]byte(claims))
	return "Bearer " + signed + "." + enc(httpreport.MAC(sha256.New, secret, signed))
}

func TestSignedWebhooks(t *testing.T) {
	const body = `{"messageId":"0A1","status":"delivered"}`
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	claims := func(iat int64, key, hash string) string {
		return fmt.Sprintf(`{"iss":"Vonage","iat":%d,"jti":"x","api_key":%q,"payload_hash":%q}`, iat, key, hash)
	}
	now := httpfar.Epoch.Unix()
	const hs256 = `{"typ":"JWT","alg":"HS256"}`
	var got httpfar.Reports
	p := reporting(t, &got, func(c *Config) { c.SignatureSecret = "sig-secret" })
	for _, c := range []struct {
		name, token string
		status      int
	}{
		{"right", token(hs256, claims(now, "abcd1234", sum), "sig-secret"), 204},
		{"another secret", token(hs256, claims(now, "abcd1234", sum), "other"), 403},
		{"another account", token(hs256, claims(now, "other", sum), "sig-secret"), 403},
		{"another body", token(hs256, claims(now, "abcd1234", strings.Repeat("0", 64)), "sig-secret"), 403},
		{"no hash of the body", token(hs256, claims(now, "abcd1234", ""), "sig-secret"), 403},
		{"long ago", token(hs256, claims(now-301, "abcd1234", sum), "sig-secret"), 403},
		{"another algorithm", token(`{"alg":"none"}`, claims(now, "abcd1234", sum), "sig-secret"), 403},
		{"no claims", token(hs256, "", "sig-secret"), 403},
		{"no token", "Bearer x", 403},
		{"half a token", "Bearer x." + base64.RawURLEncoding.EncodeToString(httpreport.MAC(sha256.New, "sig-secret", "x")), 403},
		{"another scheme", "Basic eDp5", 403},
	} {
		call := httpfar.Post("/r", body, append(httpfar.JSON, "Authorization", c.token)...)
		if status, _ := got.Call(p, call); status != c.status {
			t.Errorf("%s: got %d, want %d", c.name, status, c.status)
		}
	}
}

func TestNetworksAreHeeded(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, func(c *Config) { c.AllowFrom = []string{"198.51.100.0/24"} })
	call := httptest.NewRequest("GET", "/r?"+receipt, nil)
	for address, want := range map[string]int{"198.51.100.7:1": 204, "203.0.113.7:1": 403} {
		call.RemoteAddr = address
		if status, _ := got.Call(p, call); status != want {
			t.Errorf("%s: got %d, want %d", address, status, want)
		}
	}
}

func FuzzReports(f *testing.F) {
	f.Add("GET", "", receipt, "")
	f.Add("POST", "application/json", `{"messageId":1,"status":"failed"}`, "Bearer a.b.c")
	var kept httpfar.Reports
	open := reporting(f, &kept, func(*Config) {})
	shut := reporting(f, &kept, func(c *Config) { c.SignatureSecret = "sig-secret" })
	f.Fuzz(func(t *testing.T, method, contentType, text, authorization string) {
		r := httpfar.Post("/r", text, "Content-Type", contentType, "Authorization", authorization)
		if r.Method = http.MethodPost; method == http.MethodGet {
			r.Method, r.URL.RawQuery = method, text
		}
		reports, _ := open.readReport(r, []byte(text))
		for _, report := range reports {
			if report.ID == "" || (report.State == provider.Failed) != (report.Class != 0) {
				t.Errorf("%q: %+v", text, report)
			}
		}
		shut.prove(r, []byte(text))
	})
}
