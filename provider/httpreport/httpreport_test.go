package httpreport_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
)

// lines is a carrier that reports identifiers, one a line.
func lines(record func(context.Context, provider.Report) error) *httpreport.Handler {
	return &httpreport.Handler{
		Prove: func(r *http.Request, _ []byte) error {
			if r.Header.Get("X-Token") != "right" {
				return httpreport.ErrProof
			}
			return nil
		},
		Read: func(_ *http.Request, body []byte) ([]provider.Report, error) {
			switch string(body) {
			case "nonsense":
				return nil, errors.New("nonsense")
			case "who knows":
				return nil, fmt.Errorf("ask somebody: %w", httpreport.ErrLater)
			}
			var all []provider.Report
			for _, id := range strings.Fields(string(body)) {
				all = append(all, provider.Report{ID: id, State: provider.Delivered})
			}
			return all, nil
		},
		Record: record,
	}
}

func call(h http.Handler, method, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/reports/acme/x", strings.NewReader(body))
	r.Header.Set("X-Token", token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestCallsAndTheirAnswers(t *testing.T) {
	for _, c := range []struct {
		name, method, token, body string
		status                    int
		kept                      []string
	}{
		{"reports", "POST", "right", "a b", 204, []string{"a", "b"}},
		{"the same report twice", "POST", "right", "a a", 204, []string{"a", "a"}},
		{"nothing to report", "POST", "right", "", 204, nil},
		{"no proof", "POST", "", "a", 403, nil},
		{"a wrong proof", "POST", "wrong", "a", 403, nil},
		{"another method", "GET", "right", "a", 405, nil},
		{"unreadable", "POST", "right", "nonsense", 400, nil},
		{"not to be judged now", "POST", "right", "who knows", 503, nil},
		{"too large", "POST", "right", strings.Repeat("a ", 1<<20), 413, nil},
		{"the second is not kept", "POST", "right", "a full b", 503, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kept []string
			h := lines(func(_ context.Context, r provider.Report) error {
				if r.ID == "full" {
					return errors.New("disk full")
				}
				kept = append(kept, r.ID)
				return nil
			})
			if w := call(h, c.method, c.token, c.body); w.Code != c.status || !slices.Equal(kept, c.kept) {
				t.Errorf("got %d and %v, want %d and %v", w.Code, kept, c.status, c.kept)
			}
		})
	}
}

func TestAReplyIsA200(t *testing.T) {
	h := lines(func(context.Context, provider.Report) error { return nil })
	h.Reply = "ACK"
	h.Methods = []string{"GET", "POST"}
	for _, method := range h.Methods {
		if w := call(h, method, "right", "a"); w.Code != 200 || w.Body.String() != "ACK" {
			t.Errorf("%s: got %d %q", method, w.Code, w.Body)
		}
	}
	if w := call(h, "PUT", "right", "a"); w.Code != 405 || w.Header().Get("Allow") != "GET, POST" {
		t.Errorf("got %d, Allow: %s", w.Code, w.Header().Get("Allow"))
	}
}

func TestAnAnswerIsGivenWhenAllIsKeptAndProved(t *testing.T) {
	h := lines(func(_ context.Context, r provider.Report) error {
		if r.ID == "full" {
			return errors.New("disk full")
		}
		return nil
	})
	h.Answer = func(_ *http.Request, body []byte) (string, string) {
		if len(body) == 0 {
			return "", ""
		}
		return "application/xml", "<to>" + string(body) + "</to>"
	}
	if w := call(h, "POST", "right", "a"); w.Code != 200 || w.Body.String() != "<to>a</to>" || w.Header().Get("Content-Type") != "application/xml" ||
		w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v %q", w.Code, w.Header(), w.Body)
	}
	if w := call(h, "POST", "right", ""); w.Code != 204 || w.Body.Len() != 0 {
		t.Errorf("nothing to say: got %d %q", w.Code, w.Body)
	}
	for name, c := range map[string][2]string{"not proved": {"wrong", "a"}, "not kept": {"right", "full"}, "unreadable": {"right", "nonsense"}} {
		if w := call(h, "POST", c[0], c[1]); strings.Contains(w.Body.String(), "<to>") {
			t.Errorf("%s: got %d %q", name, w.Code, w.Body)
		}
	}
}

func TestACarrierThatHangsUpIsBelievedAllTheSame(t *testing.T) {
	h := lines(func(ctx context.Context, _ provider.Report) error { return ctx.Err() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "POST", "/", strings.NewReader("a"))
	r.Header.Set("X-Token", "right")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 204 {
		t.Errorf("got %d, want 204", w.Code)
	}
}

func TestWhereNobodyTakesReportsNoneIsAcknowledged(t *testing.T) {
	var log bytes.Buffer
	h := lines(nil)
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	if w := call(h, "POST", "right", "a"); w.Code != 503 || !strings.Contains(log.String(), "nobody takes reports") {
		t.Errorf("got %d and the log %q", w.Code, &log)
	}
	if w := call(h, "POST", "right", ""); w.Code != 204 {
		t.Errorf("nothing to report: got %d", w.Code)
	}
}

func TestProofs(t *testing.T) {
	mac := httpreport.MAC(sha256.New, "key", "what ", "was said")
	if !bytes.Equal(mac, httpreport.MAC(sha256.New, "key", "what was said")) {
		t.Error("parts are not what they are together")
	}
	for signature, want := range map[string]bool{
		fmt.Sprintf("%x", mac): true, fmt.Sprintf("%X", mac): true, "": false, "zz": false, fmt.Sprintf("%x", mac[:31]): false,
	} {
		if httpreport.EqualHex(mac, signature) != want {
			t.Errorf("EqualHex(%q) is %v", signature, !want)
		}
	}
	if httpreport.EqualBase64(mac, "") || httpreport.EqualBase64(mac, "!") || httpreport.EqualBase64(mac, fmt.Sprintf("%x", mac)) {
		t.Error("EqualBase64 takes what it should not")
	}
	if httpreport.EqualSecret("", "") || httpreport.EqualSecret("a", "b") || !httpreport.EqualSecret("a", "a") {
		t.Error("EqualSecret is wrong")
	}
	now := time.Unix(1700000000, 0)
	for age, want := range map[time.Duration]bool{0: true, 300: true, 301: false, -300: true, -301: false} {
		if httpreport.Recent(now.Add(-age*time.Second), now) != want {
			t.Errorf("Recent, %d seconds old, is %v", age, !want)
		}
	}
}

func TestThePublicURLIsTheConfigurationsWithTheQueryThatCame(t *testing.T) {
	configured, _ := url.Parse("https://verify.example.com/reports/twilio/x")
	r := httptest.NewRequest("POST", "http://10.0.0.7:8080/reports/twilio/x?bodySHA256=ab", nil)
	if got, want := httpreport.PublicURL(configured, r).String(), "https://verify.example.com/reports/twilio/x?bodySHA256=ab"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if configured.RawQuery != "" {
		t.Error("the configuration was changed")
	}
}

func TestNetworks(t *testing.T) {
	n, err := httpreport.ParseNetworks("allow_from", []string{"192.0.2.7", "198.51.100.0/24", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"192.0.2.7:1": true, "192.0.2.8:1": false, "198.51.100.9:1": true, "[2001:db8::1]:1": true,
		"[::ffff:192.0.2.7]:1": true, "": false, "@": false, "203.0.113.1:1": false,
	} {
		err := n.Prove(&http.Request{RemoteAddr: address})
		if (err == nil) != want || err != nil && !errors.Is(err, httpreport.ErrProof) {
			t.Errorf("%q: got %v, want allowed %v", address, err, want)
		}
	}
	if err := httpreport.Networks(nil).Prove(&http.Request{}); err != nil {
		t.Errorf("no networks: %v", err)
	}
	if _, err := httpreport.ParseNetworks("allow_from", []string{"example.com"}); err == nil || !strings.HasPrefix(err.Error(), "allow_from: ") {
		t.Errorf("got %v", err)
	}
}

func TestNetworksOfTelephones(t *testing.T) {
	for text, want := range map[string][2]string{
		"21407": {"214", "07"}, "310410": {"310", "410"}, "214-07": {"214", "07"}, "": {}, "2140": {}, "2140777": {}, "null": {},
	} {
		if mcc, mnc := httpreport.Network(text); mcc != want[0] || mnc != want[1] {
			t.Errorf("%q: got %q and %q, want %q", text, mcc, mnc, want)
		}
	}
}

func FuzzParseNetworks(f *testing.F) {
	for _, s := range []string{"192.0.2.7", "192.0.2.0/24", "::/0", "x", "1.2.3.4/99"} {
		f.Add(s, "192.0.2.7:80")
	}
	f.Fuzz(func(t *testing.T, network, from string) {
		n, err := httpreport.ParseNetworks("allow_from", []string{network})
		if err == nil {
			n.Prove(&http.Request{RemoteAddr: from})
		}
	})
}

// A carrier that signs its body, and reports one identifier and one word.
func ExampleHandler() {
	h := &httpreport.Handler{
		Prove: func(r *http.Request, body []byte) error {
			if !httpreport.EqualHex(httpreport.MAC(sha256.New, "shared secret", string(body)), r.Header.Get("X-Signature")) {
				return httpreport.ErrProof
			}
			return nil
		},
		Read: func(_ *http.Request, body []byte) ([]provider.Report, error) {
			id, state, _ := strings.Cut(string(body), " ")
			if state != "DELIVRD" {
				return nil, nil
			}
			return []provider.Report{{ID: id, State: provider.Delivered}}, nil
		},
		Record: func(_ context.Context, r provider.Report) error {
			fmt.Println(r.ID, "was delivered")
			return nil
		},
	}
	const body = "msg-7 DELIVRD"
	r := httptest.NewRequest("POST", "/reports/acme/8f4f…", strings.NewReader(body))
	r.Header.Set("X-Signature", hex.EncodeToString(httpreport.MAC(sha256.New, "shared secret", body)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// msg-7 was delivered
	// 204
}
