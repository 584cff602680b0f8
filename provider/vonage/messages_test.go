package vonage

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestARecordedTextByRCS(t *testing.T) {
	config := Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme", RCSFrom: "AcmeAgent",
		MessagesURL: "http://localhost", ReportURL: "https://verify.example.com/reports/vonage/x"}
	httpfar.Record(t, filepath.Join("testdata", "rcs.http"), httpfar.Answering("202 Accepted", `{"message_uuid":"a"}`), providertest.Message("rcs", 0),
		func(d provider.Deps) (provider.Provider, error) { return New(config, d) })
}

func TestAnswersOfTheMessagesAPI(t *testing.T) {
	var status int
	var body string
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer far.Close()
	p, err := New(Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme", RCSFrom: "Acme", MessagesURL: far.URL}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		body   string
		id     string
		class  provider.Class
		says   string
	}{
		{202, `{"message_uuid":"aaaaaaaa-bbbb"}`, "aaaaaaaa-bbbb", 0, ""},
		{202, `{}`, "", 0, ""},
		{401, `{"title":"Unauthorized","detail":"You did not provide correct credentials."}`, "", provider.BadRequest, "Unauthorized: You did not"},
		{422, `{"title":"Invalid params"}`, "", provider.BadRequest, "Invalid params"},
		{422, `{"detail":"The value of from is invalid."}`, "", provider.BadRequest, "422: The value of from"},
		{429, `{"title":["x"]}`, "", provider.Throttled, "429"},
		{500, `<html>`, "", provider.Unknown, "500"},
		{503, ``, "", provider.Temporary, "503"},
	} {
		status, body = c.status, c.body
		got, err := p.Send(t.Context(), providertest.Message("rcs", 1))
		e := provider.AsError(err)
		if got.ID != c.id || (err == nil) != (c.class == 0) || err != nil && (e.Class != c.class || !strings.Contains(e.Error(), c.says)) {
			t.Errorf("%d %s: got %+v, %v, want %q, %v", c.status, c.body, got, err, c.id, c.class)
		}
	}
	none, err := New(Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme"}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = none.Send(t.Context(), providertest.Message("rcs", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, "rcs_from") {
		t.Errorf("without a sender: %v", err)
	}
}

func TestStatusesOfTheMessagesAPI(t *testing.T) {
	var got httpfar.Reports
	p := reporting(t, &got, func(*Config) {})
	for _, c := range []struct {
		body string
		want []provider.Report
	}{
		{`{"message_uuid":"a","status":"delivered","timestamp":"2031-01-02T03:00:00Z","channel":"rcs"}`,
			[]provider.Report{{ID: "a", State: provider.Delivered, At: httpfar.Epoch}}},
		{`{"message_uuid":"a","status":"read"}`, []provider.Report{{ID: "a", State: provider.Read}}},
		{`{"message_uuid":"a","status":"undeliverable","error":{"title":1360,"detail":"TTL was reached"}}`,
			[]provider.Report{{ID: "a", State: provider.Failed, Class: provider.Temporary, Code: "1360"}}},
		{`{"message_uuid":"a","status":"rejected","error":"x"}`, []provider.Report{{ID: "a", State: provider.Failed, Class: provider.Temporary}}},
		{`{"message_uuid":"a","status":"submitted"}`, nil},
		{`{"message_uuid":"a"}`, nil},
	} {
		status, recorded := got.Call(p, httpfar.Post("/r", c.body, httpfar.JSON...))
		if status != 204 || !slices.Equal(recorded, c.want) {
			t.Errorf("%s: got %d %+v, want %+v", c.body, status, recorded, c.want)
		}
	}
}

func FuzzReadStatus(f *testing.F) {
	f.Add([]byte(`{"message_uuid":"a","status":"rejected","error":{"title":1000}}`))
	f.Add([]byte(`{"message_uuid":["a"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		reports, _ := readStatus(body)
		httpfar.CheckReports(t, string(body), reports)
	})
}
