package infobip

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func reporting(t testing.TB, got *httpfar.Reports, change func(*Config)) *Provider {
	t.Helper()
	c := Config{APIKey: testKey, From: "Acme", BaseURL: "https://x.api.infobip.com"}
	change(&c)
	p, err := New(c, got.Deps())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReports(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, func(*Config) {})
	status, recorded := got.Call(p, httpfar.Post("/r", `{"results":[
		{"messageId":"VL1:1","to":"34612345678","doneAt":"2031-01-02T03:00:00.000+0000","mccMnc":"21407","messageCount":2,
		 "price":{"pricePerMessage":0.01,"currency":"EUR"},"status":{"groupId":3,"groupName":"DELIVERED","id":5},"error":{"id":0,"permanent":false}},
		{"messageId":"VL2:1","doneAt":"2031-01-02T03:00:00.000+00:00","smsCount":1,"price":{"pricePerMessage":0.0,"currency":"EUR"},
		 "status":{"groupName":"UNDELIVERABLE","id":9},"error":{"id":1,"name":"EC_UNKNOWN_SUBSCRIBER","permanent":true}},
		{"messageId":"VL3:1","status":{"groupName":"PENDING","id":7}},
		{"status":{"groupName":"DELIVERED"}}]}`, httpfar.JSON...))
	want := []provider.Report{
		{ID: "VL1:1", State: provider.Delivered, At: httpfar.Epoch, MCC: "214", MNC: "07", Price: provider.Price{Amount: "0.02000000", Currency: "EUR"}},
		{ID: "VL2:1", State: provider.Failed, Class: provider.BadRecipient, Code: "1", At: httpfar.Epoch, Price: provider.Price{Amount: "0.0", Currency: "EUR"}},
	}
	if status != 204 || !slices.Equal(recorded, want) {
		t.Errorf("got %d\n%+v\nwant\n%+v", status, recorded, want)
	}
	if status, _ := got.Call(p, httpfar.Post("/r", "{", httpfar.JSON...)); status != 400 {
		t.Errorf("half a body: got %d", status)
	}
}

// https://www.infobip.com/docs/essentials/response-status-and-error-codes
func TestFailuresAndTheirClasses(t *testing.T) {
	for _, c := range []struct {
		group     string
		id, error int
		class     provider.Class
		code      string
	}{
		{"UNDELIVERABLE", 4, 5, provider.BadRecipient, "5"},
		{"UNDELIVERABLE", 4, 3041, provider.BadRecipient, "3041"},
		{"UNDELIVERABLE", 4, 27, provider.Temporary, "27"},
		{"UNDELIVERABLE", 4, 21, provider.Temporary, "21"},
		{"UNDELIVERABLE", 4, 607, provider.BadRequest, "607"},
		{"UNDELIVERABLE", 4, 4103, provider.Throttled, "4103"},
		{"UNDELIVERABLE", 4, 0, provider.Temporary, "4"},
		{"UNDELIVERABLE", 52, 0, provider.BadRecipient, "52"},
		{"EXPIRED", 15, 99999, provider.Temporary, "99999"},
		{"REJECTED", 12, 0, provider.BadRequest, "12"},
		{"REJECTED", 8, 0, provider.BadRecipient, "8"},
		{"REJECTED", 20, 0, provider.Throttled, "20"},
		{"REJECTED", 999, 0, provider.BadRequest, "999"},
	} {
		got, err := readReports(nil, fmt.Appendf(nil, `{"results":[{"messageId":"a","status":{"groupName":%q,"id":%d},"error":{"id":%d}}]}`, c.group, c.id, c.error))
		want := []provider.Report{{ID: "a", State: provider.Failed, Class: c.class, Code: c.code}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
	}
}

func TestProofs(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, func(c *Config) {
		c.ReportUsername, c.ReportPassword, c.AllowFrom = "u", "hunter2", []string{"192.0.2.0/24"} // where httptest calls from
	})
	for credentials, want := range map[string]int{"u:hunter2": 204, "u:hunter3": 403, "v:hunter2": 403, "": 403} {
		call := httpfar.Post("/r", `{"results":[]}`, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
		if status, _ := got.Call(p, call); status != want {
			t.Errorf("%q: got %d, want %d", credentials, status, want)
		}
		call.RemoteAddr = "203.0.113.7:1"
		if status, _ := got.Call(p, call); status != 403 {
			t.Errorf("%q from elsewhere: got %d", credentials, status)
		}
	}
}

func FuzzReports(f *testing.F) {
	f.Add(`{"results":[{"messageId":"a","status":{"groupName":"DELIVERED"},"smsCount":3,"price":{"pricePerMessage":1.5,"currency":"EUR"}}]}`)
	f.Add(`{"results":[{"messageId":1,"status":{"groupName":"REJECTED","id":23},"error":{"id":"x"}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := readReports(nil, []byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
