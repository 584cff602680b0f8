package webapi

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
)

// reportTo serves calls with the report of a description, and lists what was recorded.
func reportTo(t testing.TB, report string) func(*http.Request) (*httptest.ResponseRecorder, []provider.Report) {
	t.Helper()
	var got []provider.Report
	p := mustBuild(t, `{"url":"https://gw","request":{"form":{"to":"{{to}}"}},"report":`+report+`}`, provider.Deps{
		Now:    func() time.Time { return epoch },
		Report: func(_ context.Context, r provider.Report) error { got = append(got, r); return nil },
	})
	return func(r *http.Request) (*httptest.ResponseRecorder, []provider.Report) {
		got = nil
		w := httptest.NewRecorder()
		p.ServeReport(w, r)
		return w, got
	}
}

func post(contentType, body string) *http.Request {
	r := httptest.NewRequest("POST", "/reports/x/y", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func TestReportsInAQuery(t *testing.T) {
	serve := reportTo(t, `{"methods":["GET"],"id":"query:id","state":"query:stat","code":"query:err","mccmnc":"query:net","at":"query:t",
		"delivered":["DELIVRD"],"read":["READ"],"failed":["UNDELIV"],"errors":[{"in":["1","5"],"class":"bad_recipient"}],
		"proof":{"kind":"none"},"reply":"ACK"}`)
	for query, want := range map[string][]provider.Report{
		"id=7&stat=DELIVRD&net=21407&t=1925089200": {{ID: "7", State: provider.Delivered, MCC: "214", MNC: "07", At: epoch}},
		"id=7&stat=READ&t=2031-01-02T03:00:00Z":    {{ID: "7", State: provider.Read, At: epoch}},
		"id=7&stat=UNDELIV&err=5":                  {{ID: "7", State: provider.Failed, Class: provider.BadRecipient, Code: "5"}},
		"id=7&stat=UNDELIV&err=6&net=x&t=soon":     {{ID: "7", State: provider.Failed, Class: provider.Temporary, Code: "6"}},
		"id=7&stat=ENROUTE":                        nil,
		"stat=DELIVRD":                             nil,
		"":                                         nil,
	} {
		w, got := serve(httptest.NewRequest("GET", "/reports/x/y?"+query, nil))
		if w.Code != 200 || w.Body.String() != "ACK" || !slices.Equal(got, want) {
			t.Errorf("%s: got %d %q %+v, want %+v", query, w.Code, w.Body, got, want)
		}
	}
}

func TestReportsInAList(t *testing.T) {
	serve := reportTo(t, `{"list":"json:/results","id":"json:/id","key":"json:/ref","state":"json:/status","price":"json:/cost","currency":"text:EUR",
		"delivered":["1"],"proof":{"kind":"none"}}`)
	w, got := serve(post("application/json", `{"results":[{"id":"a","status":1,"cost":0.04},{"ref":"VL1:1","status":"1"},{"id":"c","status":"2"},{"id":"d","ref":"VL2:1","status":1},7]}`))
	want := []provider.Report{
		{ID: "a", State: provider.Delivered, Price: provider.Price{Amount: "0.04", Currency: "EUR"}},
		{Key: "VL1:1", State: provider.Delivered},
		{ID: "d", State: provider.Delivered},
	}
	if w.Code != 204 || !slices.Equal(got, want) {
		t.Errorf("got %d %+v, want %+v", w.Code, got, want)
	}
	if w, got := serve(post("application/json", `{"results":{}}`)); w.Code != 400 || got != nil {
		t.Errorf("no list: got %d %+v", w.Code, got)
	}
}

func TestReportsInAForm(t *testing.T) {
	serve := reportTo(t, `{"id":"form:id","state":"form:s","delivered":["D"],"proof":{"kind":"none"}}`)
	if w, got := serve(post("application/x-www-form-urlencoded", "id=7&s=D")); w.Code != 204 || len(got) != 1 {
		t.Errorf("got %d %+v", w.Code, got)
	}
	if w, _ := serve(post("application/x-www-form-urlencoded", "id=%")); w.Code != 400 {
		t.Errorf("a broken form: got %d", w.Code)
	}
	if w, got := serve(post("text/plain", "id=7&s=D")); w.Code != 204 || got != nil {
		t.Errorf("no form: got %d %+v", w.Code, got)
	}
}

func TestProofs(t *testing.T) {
	const body = "id=7&s=D"
	form := func(change func(r *http.Request)) *http.Request {
		r := post("application/x-www-form-urlencoded", body)
		change(r)
		return r
	}
	base64MAC := func(parts ...string) string {
		return base64.StdEncoding.EncodeToString(httpreport.MAC(sha1.New, "s3cr3t", parts...))
	}
	for _, c := range []struct {
		proof   string
		right   func(r *http.Request)
		wrong   []func(r *http.Request)
		comment string
	}{
		{`{"kind":"header","header":"X-Token","secret":"s3cr3t"}`,
			func(r *http.Request) { r.Header.Set("X-Token", "s3cr3t") },
			[]func(r *http.Request){func(r *http.Request) { r.Header.Set("X-Token", "s3cr3") }, func(*http.Request) {}}, ""},
		{`{"kind":"basic","username":"u","secret":"s3cr3t"}`,
			func(r *http.Request) { r.SetBasicAuth("u", "s3cr3t") },
			[]func(r *http.Request){func(r *http.Request) { r.SetBasicAuth("v", "s3cr3t") }, func(r *http.Request) { r.SetBasicAuth("u", "") }}, ""},
		{`{"kind":"hmac","header":"X-Sig","secret":"s3cr3t","prefix":"sha1=","hash":"sha1"}`,
			func(r *http.Request) {
				r.Header.Set("X-Sig", fmt.Sprintf("sha1=%x", httpreport.MAC(sha1.New, "s3cr3t", body)))
			},
			[]func(r *http.Request){
				func(r *http.Request) {
					r.Header.Set("X-Sig", fmt.Sprintf("%x", httpreport.MAC(sha1.New, "s3cr3t", body)))
				},
				func(r *http.Request) {
					r.Header.Set("X-Sig", fmt.Sprintf("sha1=%x", httpreport.MAC(sha1.New, "s3cr3t", body+"&")))
				},
				func(*http.Request) {},
			}, ""},
		{`{"kind":"hmac","header":"X-Sig","secret":"s3cr3t","hash":"sha1","encoding":"base64","timestamp_header":"X-Time","separator":"."}`,
			func(r *http.Request) {
				r.Header.Set("X-Time", "1925089000")
				r.Header.Set("X-Sig", base64MAC("1925089000", ".", body))
			},
			[]func(r *http.Request){
				func(r *http.Request) { // overheard long ago
					r.Header.Set("X-Time", "1925000000")
					r.Header.Set("X-Sig", base64MAC("1925000000", ".", body))
				},
				func(r *http.Request) { r.Header.Set("X-Sig", base64MAC("", ".", body)) },
			}, ""},
		{`{"kind":"none","allow_from":["198.51.100.0/24"]}`,
			func(r *http.Request) { r.RemoteAddr = "198.51.100.7:4711" },
			[]func(r *http.Request){func(r *http.Request) { r.RemoteAddr = "203.0.113.7:4711" }}, ""},
	} {
		serve := reportTo(t, `{"id":"form:id","state":"form:s","delivered":["D"],"proof":`+c.proof+`}`)
		if w, got := serve(form(c.right)); w.Code != 204 || len(got) != 1 {
			t.Errorf("%s: the right proof gives %d %+v", c.proof, w.Code, got)
		}
		for i, wrong := range c.wrong {
			if w, got := serve(form(wrong)); w.Code != 403 || got != nil {
				t.Errorf("%s: wrong proof %d gives %d %+v", c.proof, i, w.Code, got)
			}
		}
	}
}

func TestWithoutAReportThereIsNothingToCall(t *testing.T) {
	p := mustBuild(t, `{"url":"https://gw","request":{"form":{"to":"{{to}}"}}}`, provider.Deps{})
	w := httptest.NewRecorder()
	p.ServeReport(w, post("text/plain", ""))
	if w.Code != 404 {
		t.Errorf("got %d, want 404", w.Code)
	}
}

// TestReportsOfThePresets calls as the vendor does.
func TestReportsOfThePresets(t *testing.T) {
	for _, c := range []struct {
		preset string
		call   *http.Request
		want   provider.Report
		reply  string
	}{
		{"kannel", httptest.NewRequest("GET", "/reports/x/y?key=VL1%3A1&state=1", nil), provider.Report{Key: "VL1:1", State: provider.Delivered}, ""},
		{"kannel", httptest.NewRequest("GET", "/reports/x/y?key=VL1%3A1&state=2", nil),
			provider.Report{Key: "VL1:1", State: provider.Failed, Class: provider.Temporary, Code: "2"}, ""},
		{"kannel", httptest.NewRequest("GET", "/reports/x/y?key=VL1%3A1&state=16", nil),
			provider.Report{Key: "VL1:1", State: provider.Failed, Class: provider.BadRequest, Code: "16"}, ""},
		{"jasmin", post("application/x-www-form-urlencoded", "id=0703&level=2&message_status=DELIVRD&id_smsc=1&sub=001&dlvrd=001&donedate=1&err=000"),
			provider.Report{ID: "0703", State: provider.Delivered}, "ACK/Jasmin"},
		{"jasmin", post("application/x-www-form-urlencoded", "id=0703&level=2&message_status=UNDELIV"),
			provider.Report{ID: "0703", State: provider.Failed, Class: provider.Temporary, Code: "UNDELIV"}, "ACK/Jasmin"},
		{"gupshup", httptest.NewRequest("GET", "/reports/x/y?externalId=72-1&status=SUCCESS&errCode=000", nil), provider.Report{ID: "72-1", State: provider.Delivered}, ""},
		{"messagebird", httptest.NewRequest("GET", "/reports/x/y?id=e8&status=delivered&mccmnc=20408&statusDatetime=2031-01-02T03:00:00%2B00:00", nil),
			provider.Report{ID: "e8", State: provider.Delivered, MCC: "204", MNC: "08", At: epoch}, ""},
	} {
		var got []provider.Report
		p := mustBuild(t, fmt.Sprintf(`{"preset":%q,"url":"https://gw","vars":%s}`, c.preset, presetVars[c.preset]), provider.Deps{
			Report: func(_ context.Context, r provider.Report) error { got = append(got, r); return nil },
		})
		w := httptest.NewRecorder()
		p.ServeReport(w, c.call)
		if w.Code/100 != 2 || w.Body.String() != c.reply || !slices.Equal(got, []provider.Report{c.want}) {
			t.Errorf("%s: got %d %q %+v, want %+v", c.preset, w.Code, w.Body, got, c.want)
		}
	}
}

func FuzzReports(f *testing.F) {
	f.Add("application/json", `{"results":[{"id":"a","s":"1"}]}`, "id=1")
	f.Add("application/x-www-form-urlencoded", "id=7&s=D", "")
	c := ReportConfig{List: "json:/results", ID: "json:/id", State: "json:/s", At: "json:/t", Failed: []string{"1"}}
	r, err := parseReading(c)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, contentType, body, query string) {
		call := post(contentType, body)
		call.URL.RawQuery = query
		reports, _ := r.read(call, []byte(body))
		for _, report := range reports {
			if report.ID == "" || len(report.ID) > 255 || report.State != provider.Failed || report.Class == 0 {
				t.Errorf("%q: %+v", body, report)
			}
		}
	})
}
