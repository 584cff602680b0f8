package fcm

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	fake "github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// keyText is testKey as it stands in a key file.
func keyText(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// keyFileOf is a key file, changed by the given names and values.
func keyFileOf(t testing.TB, changes ...string) string {
	t.Helper()
	file := map[string]string{
		"type": "service_account", "project_id": "acme-verify", "private_key_id": "k1", "private_key": keyText(t),
		"client_email": "push@acme-verify.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
	}
	for i := 0; i < len(changes); i += 2 {
		file[changes[i]] = changes[i+1]
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRecordedRequests compares every byte that goes to Google and to Firebase with what was
// recorded. The signature is in it: RSASSA-PKCS1-v1_5 gives the same one every time.
func TestRecordedRequests(t *testing.T) {
	token := httpfar.Answering("200 OK", `{"access_token":"ya29.c.token","expires_in":3599,"token_type":"Bearer"}`)
	send := httpfar.Answering("200 OK", `{"name":"projects/acme-verify/messages/0:1"}`)
	wire := httpfar.NewWire(t, func(n int, c net.Conn) bool {
		if n == 1 {
			return token(n, c)
		}
		return send(n, c)
	})
	p, err := New(Config{
		Credentials: keyFileOf(t), BaseURL: "http://127.0.0.1", TokenURL: "http://127.0.0.1/token",
	}, provider.Deps{HTTP: wire.Client(), Now: func() time.Time { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := p.Send(t.Context(), providertest.Message("push", 0))
	if want := (provider.Accepted{ID: "projects/acme-verify/messages/0:1"}); err != nil || accepted != want {
		t.Fatalf("got %v, %v, want %v", accepted, err, want)
	}
	requests := wire.Requests()
	if len(requests) != 2 {
		t.Fatalf("%d requests were sent, want 2", len(requests))
	}
	for i, name := range []string{"token.http", "send.http"} {
		httpfar.CompareFile(t, filepath.Join("testdata", name), requests[i])
	}
}

func TestWhatTheHandsetIsSent(t *testing.T) {
	f := newFar(t, false)
	f.stand.At(epoch)
	p := f.provider(provider.Deps{})
	m := providertest.Message("push", 1)
	m.Deadline = epoch.Add(5*time.Minute + 900*time.Millisecond)
	if _, err := p.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := f.Inbox()[0]
	got.ID, got.Raw = "", nil
	want := fake.Message{Token: m.To, Data: m.Push.Data, Priority: "HIGH", TTL: "300s", CollapseKey: m.Push.Collapse, At: epoch}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestHowLongFirebaseTries(t *testing.T) {
	for deadline, want := range map[time.Time]string{
		{}:                                  "",
		epoch.Add(5 * time.Minute):          "300s",
		epoch.Add(1999 * time.Millisecond):  "1s",
		epoch:                               "0s",
		epoch.Add(-time.Hour):               "0s",
		epoch.Add(365 * 24 * time.Hour):     "2419200s",
		epoch.Add(28*24*time.Hour + 999999): "2419200s",
	} {
		if got := ttl(deadline, epoch); got != want {
			t.Errorf("until %v it is %q, want %q", deadline, got, want)
		}
	}
}

func TestMessagesThatFirebaseWouldRefuseStayHere(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	for detail, change := range map[string]func(*provider.Message){
		"push and nothing else":        func(m *provider.Message) { m.Channel = "sms" },
		"holds no notification":        func(m *provider.Message) { m.Push = nil },
		`for a handset of "apn"`:       func(m *provider.Message) { m.Push.Platform = "apn" },
		"no token of a handset":        func(m *provider.Message) { m.To = "" },
		`reserves the data key "from"`: func(m *provider.Message) { m.Push.Data["from"] = "x" },
		`the data key "google.x"`:      func(m *provider.Message) { m.Push.Data["google.x"] = "x" },
		`the data key "gcm.x"`:         func(m *provider.Message) { m.Push.Data["gcm.x"] = "x" },
		"has 4097 bytes":               func(m *provider.Message) { m.Push.Data = map[string]string{"x": strings.Repeat("y", 4096)} },
	} {
		m := providertest.Message("push", 1)
		change(&m)
		_, err := p.Send(t.Context(), m)
		if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, detail) {
			t.Errorf("got %v, want bad_request and %q", err, detail)
		}
	}
	if f.Grants() != 0 || len(f.Inbox()) != 0 {
		t.Error("Google was asked all the same")
	}
	m := providertest.Message("push", 1)
	m.Push.Data = map[string]string{"x": strings.Repeat("y", 4095)}
	if _, err := p.Send(t.Context(), m); err != nil {
		t.Errorf("the largest data there may be: %v", err)
	}
}

// Firebase's words may repeat whatever they were sent, also the access token, which nobody knows
// beforehand.
func TestTheAccessTokenIsNotRepeated(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	m := providertest.Message("push", 1)
	var shown string
	f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
		if shown = r.Header.Get("Authorization"); shown == "" {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"error":{"status":%q,"message":%q}}`, "DENIED "+shown, "no "+shown+" for "+m.To)
		return true
	})
	_, err := p.Send(t.Context(), m)
	secret := strings.TrimPrefix(shown, "Bearer ")
	if err == nil || secret == "" || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), m.To) {
		t.Errorf("the request had %q, the error is %v", shown, err)
	}
}

func TestOneTimeoutHoldsForTokenAndMessage(t *testing.T) {
	f := newFar(t, false)
	c := f.config()
	c.Timeout = "50ms"
	p, err := New(c, provider.Deps{HTTP: f.stand.Client()})
	if err != nil {
		t.Fatal(err)
	}
	f.Fates.SetAll(fate.Fate[fake.Refusal]{Hold: make(chan struct{})})
	_, err = p.Send(t.Context(), providertest.Message("push", 1))
	if e := provider.AsError(err); !errors.Is(err, context.DeadlineExceeded) || e.Class != provider.Unknown && e.Class != provider.Temporary {
		t.Errorf("got %v, want a deadline exceeded", err)
	}
}
