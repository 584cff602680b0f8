package telnyx

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var (
	privateKey = ed25519.NewKeyFromSeed([]byte(strings.Repeat("7", ed25519.SeedSize)))
	publicKey  = base64.StdEncoding.EncodeToString(privateKey.Public().(ed25519.PublicKey))
)

func reporting(t testing.TB, got *httpfar.Reports) *Provider {
	t.Helper()
	p, err := New(Config{APIKey: testKey, From: "x", PublicKey: publicKey}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sign(at int64, body string) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(privateKey, fmt.Appendf(nil, "%d|%s", at, body)))
}

const finalized = `{"data":{"event_type":"message.finalized","occurred_at":"2031-01-02T03:00:00.000+00:00","payload":{"id":"4031",
	"to":[{"phone_number":"+34612345678","status":%q}],"cost":{"amount":"0.0051","currency":"USD"},"errors":[%s]}}}`

func TestTheSignatureIsChecked(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got)
	body := fmt.Sprintf(finalized, "delivered", "")
	now := httpfar.Epoch.Unix()
	for _, c := range []struct {
		name, timestamp, signature string
		status                     int
	}{
		{"right", fmt.Sprint(now), sign(now, body), 204},
		{"299 seconds late", fmt.Sprint(now - 299), sign(now-299, body), 204},
		{"301 seconds late", fmt.Sprint(now - 301), sign(now-301, body), 403},
		{"another time", fmt.Sprint(now - 1), sign(now, body), 403},
		{"another body", fmt.Sprint(now), sign(now, body+" "), 403},
		{"no base64", fmt.Sprint(now), "!", 403},
		{"no signature", fmt.Sprint(now), "", 403},
		{"no time", "", sign(now, body), 403},
	} {
		status, recorded := got.Call(p, httpfar.Post("/r", body, "telnyx-timestamp", c.timestamp, "telnyx-signature-ed25519", c.signature))
		if status != c.status || len(recorded) != map[int]int{204: 1, 403: 0}[c.status] {
			t.Errorf("%s: got %d %+v, want %d", c.name, status, recorded, c.status)
		}
	}
	keyless, err := New(Config{APIKey: testKey, From: "x"}, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := got.Call(keyless, httpfar.Post("/r", body)); status != 403 {
		t.Errorf("without a key: got %d", status)
	}
}

func TestReports(t *testing.T) {
	var kept httpfar.Reports
	p := reporting(t, &kept)
	price := provider.Price{Amount: "0.0051", Currency: "USD"}
	failed := func(class provider.Class, code string) []provider.Report {
		return []provider.Report{{ID: "4031", State: provider.Failed, Class: class, Code: code, At: httpfar.Epoch, Price: price}}
	}
	for _, c := range []struct {
		body string
		want []provider.Report
	}{
		{fmt.Sprintf(finalized, "delivered", ""), []provider.Report{{ID: "4031", State: provider.Delivered, At: httpfar.Epoch, Price: price}}},
		{fmt.Sprintf(finalized, "delivery_failed", `{"code":"40001","title":"t"}`), failed(provider.BadRecipient, "40001")},
		{fmt.Sprintf(finalized, "sending_failed", `{"code":"40003"}`), failed(provider.BadRequest, "40003")},
		{fmt.Sprintf(finalized, "sending_failed", `{"code":40011}`), failed(provider.Throttled, "40011")},
		{fmt.Sprintf(finalized, "delivery_failed", `{"code":"99999"}`), failed(provider.Temporary, "99999")},
		{fmt.Sprintf(finalized, "delivery_failed", ``), failed(provider.Temporary, "")},
		{fmt.Sprintf(finalized, "delivery_unconfirmed", ``), nil},
		{strings.Replace(fmt.Sprintf(finalized, "delivered", ""), "finalized", "sent", 1), nil},
		{`{"data":{"event_type":"message.received","payload":{"id":"1"}}}`, nil},
		{`{"data":{"event_type":"message.finalized","payload":{"to":[{"status":"delivered"}]}}}`, nil},
		{`{}`, nil},
	} {
		got, err := p.readReport(httpfar.Post("/r", c.body), []byte(c.body))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, %v, want %+v", c.body, got, err, c.want)
		}
	}
	if _, err := p.readReport(nil, []byte("{")); err == nil {
		t.Error("half a body was read")
	}
}

func FuzzReports(f *testing.F) {
	f.Add(fmt.Sprintf(finalized, "delivered", ""), "1925089200", "AAAA")
	f.Add(fmt.Sprintf(finalized, "delivery_failed", `{"code":1}`), "", "")
	var kept httpfar.Reports
	p := reporting(f, &kept)
	f.Fuzz(func(t *testing.T, body, timestamp, signature string) {
		reports, _ := p.readReport(httpfar.Post("/r", body), []byte(body))
		httpfar.CheckReports(t, body, reports)
		call := httpfar.Post("/r", body, "telnyx-timestamp", timestamp, "telnyx-signature-ed25519", signature)
		if p.prove(call, []byte(body)) == nil {
			t.Errorf("%q: a signature out of thin air", body)
		}
	})
}
