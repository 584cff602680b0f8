package rcs

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/rcs"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestExam(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"plain":           func(*Config) {},
		"asks whom first": func(c *Config) { c.CheckCapability = true },
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, providertest.Subject{
				Channels: []string{"rcs"},
				Secrets:  append(keyLines(t)[1:4], clientToken),
				Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
					f := newFar(t)
					return f.provider(deps, change), f
				},
			})
		})
	}
}

// keyLines are those of the account's key in PEM.
func keyLines(t testing.TB) []string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "\n")
}

// TestRecordedRequests compares every byte that goes to Google, but for the access token, which the tests of
// package fcm record.
func TestRecordedRequests(t *testing.T) {
	answers := []httpfar.Answer{
		httpfar.Answering("200 OK", `{"access_token":"ya29.c.token","expires_in":3599,"token_type":"Bearer"}`),
		httpfar.Answering("200 OK", `{"features":[]}`),
		httpfar.Answering("200 OK", `{"name":"phones/+34612345678/agentMessages/x","sendTime":"2031-01-02T03:00:00Z"}`),
		httpfar.Answering("200 OK", `{}`),
	}
	wire := httpfar.NewWire(t, func(n int, c net.Conn) bool { return answers[n-1](n, c) })
	file, err := newFar(t).ServiceAccount("http://127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Config{
		Credentials: string(file), AgentID: agent, BaseURL: "http://127.0.0.1", CheckCapability: true,
	}, provider.Deps{HTTP: wire.Client(), Now: func() time.Time { return httpfar.Epoch }})
	if err != nil {
		t.Fatal(err)
	}
	m := providertest.Message("rcs", 0)
	accepted, err := p.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Revoke(t.Context(), provider.Sent{ID: accepted.ID, Key: m.Key, Channel: m.Channel, To: m.To}); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"capabilities.http", "send.http", "revoke.http"} {
		httpfar.CompareFile(t, filepath.Join("testdata", name), wire.Requests()[i+1])
	}
}

func TestWhatThePersonIsSent(t *testing.T) {
	f := newFar(t)
	f.stand.At(epoch)
	for _, c := range []struct {
		ttl  string
		left time.Duration
		want time.Duration
	}{
		{"", 10*time.Minute + 900*time.Millisecond, 10 * time.Minute},
		{"60s", 10 * time.Minute, time.Minute},
		{"60s", 30 * time.Second, 30 * time.Second},
		{"", time.Second, 10 * time.Second}, // the shortest that Google advises
	} {
		p := f.provider(provider.Deps{}, func(c2 *Config) { c2.TTL, c2.TrafficType = c.ttl, "TRANSACTION" })
		m := providertest.Message("rcs", 1)
		m.Key, m.Deadline = fmt.Sprint("VL1:", c.ttl, c.left), epoch.Add(c.left)
		a, err := p.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		all := f.Messages()
		got := all[len(all)-1]
		want := fake.Message{ID: a.ID, To: m.To, Text: m.Text, TTL: c.want, Traffic: "TRANSACTION", At: epoch, State: fake.Delivered}
		if got != want {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
}

func TestMessagesThatGoogleWouldRefuseStayHere(t *testing.T) {
	f := newFar(t)
	p := f.provider(provider.Deps{})
	for name, change := range map[string]func(*provider.Message){
		"no text":   func(m *provider.Message) { m.Text = "" },
		"too long":  func(m *provider.Message) { m.Text = strings.Repeat("ñ", 3073) },
		"to nobody": func(m *provider.Message) { m.To = "" },
	} {
		m := providertest.Message("rcs", 1)
		change(&m)
		_, err := p.Send(t.Context(), m)
		if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest {
			t.Errorf("%s: got %v, want bad_request", name, err)
		}
	}
	m := providertest.Message("rcs", 1)
	m.Text = strings.Repeat("ñ", 3072)
	if _, err := p.Send(t.Context(), m); err != nil || len(f.Messages()) != 1 {
		t.Errorf("%v, %d messages were taken, want 1", err, len(f.Messages()))
	}
}

// A message that was perhaps sent has a name, so that a report finds it, and a repetition sends nothing.
func TestAMessageIsSentOnceHoweverOftenItIsHandedOver(t *testing.T) {
	f := newFar(t)
	p := f.provider(provider.Deps{})
	m := providertest.Message("rcs", 1)
	var names []string
	for _, answered := range []bool{false, true, true} {
		f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
			if !answered && strings.HasSuffix(r.URL.Path, "/agentMessages") {
				f.Server.ServeHTTP(&silent{}, r)
				panic(http.ErrAbortHandler)
			}
			return false
		})
		a, err := p.Send(t.Context(), m)
		if answered != (err == nil) || err != nil && provider.AsError(err).Class != provider.Unknown {
			t.Fatalf("%v", err)
		}
		names = append(names, a.ID)
	}
	all := f.Messages()
	if len(all) != 1 || names[0] != all[0].ID || names[1] != names[0] || names[2] != names[0] {
		t.Errorf("the names were %q, the messages %+v", names, all)
	}
}

// silent is an answer that nobody hears.
type silent struct{}

func (*silent) Header() http.Header         { return http.Header{} }
func (*silent) Write(p []byte) (int, error) { return len(p), nil }
func (*silent) WriteHeader(int)             {}

func TestAnAccessTokenThatIsNoLongerTakenIsReplacedOnce(t *testing.T) {
	f := newFar(t)
	p := f.provider(provider.Deps{})
	for range 2 {
		if _, err := p.Send(t.Context(), providertest.Message("rcs", 1)); err != nil {
			t.Fatal(err)
		}
		f.RevokeTokens()
	}
	if got := f.Grants(); got != 2 {
		t.Errorf("%d tokens were asked for, want 2", got)
	}
	f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			return false
		}
		w.WriteHeader(401)
		return true
	})
	_, err := p.Send(t.Context(), providertest.Message("rcs", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || f.Grants() != 3 {
		t.Errorf("%v after %d tokens, want bad_request after 3", err, f.Grants())
	}
}

func TestATelephoneWithoutRCS(t *testing.T) {
	for _, first := range []bool{false, true} {
		f := newFar(t)
		m := providertest.Message("rcs", 1)
		f.Set(m.To, fake.Handset{NotRCS: true})
		sends := 0
		f.stand.Instead(func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/agentMessages") {
				sends++
			}
			return false
		})
		p := f.provider(provider.Deps{}, func(c *Config) { c.CheckCapability = first })
		_, err := p.Send(t.Context(), m)
		e := provider.AsError(err)
		if err == nil || e.Class != provider.BadRecipient || e.Code != "404 NOT_FOUND" || (sends == 0) != first {
			t.Errorf("asks first: %v: got %v after %d sends", first, err, sends)
		}
	}
}

func TestCodesAndTheirClasses(t *testing.T) {
	p := newFar(t).provider(provider.Deps{})
	for _, c := range []struct {
		status int
		body   string
		class  provider.Class
		code   string
	}{
		{404, `{"error":{"code":404,"message":"words","status":"NOT_FOUND"}}`, provider.BadRecipient, "404 NOT_FOUND"},
		{404, `<html>`, provider.BadRequest, "404"}, // of somebody in between: base_url is wrong
		{400, `{"error":{"status":"INVALID_ARGUMENT"}}`, provider.BadRequest, "400 INVALID_ARGUMENT"},
		{403, `{"error":{"status":"PERMISSION_DENIED"}}`, provider.BadRequest, "403 PERMISSION_DENIED"},
		{401, `{"error":{"status":"UNAUTHENTICATED"}}`, provider.BadRequest, "401 UNAUTHENTICATED"},
		{429, `{"error":{"status":"RESOURCE_EXHAUSTED"}}`, provider.Throttled, "429 RESOURCE_EXHAUSTED"},
		{503, `{"error":{"status":"UNAVAILABLE"}}`, provider.Temporary, "503 UNAVAILABLE"},
		{500, `{"error":{"status":"INTERNAL"}}`, provider.Unknown, "500 INTERNAL"},
		{504, `{"error":{"status":"DEADLINE_EXCEEDED"}}`, provider.Unknown, "504 DEADLINE_EXCEEDED"},
		{502, ``, provider.Unknown, "502"},
		{400, `{"error":7}`, provider.BadRequest, "400"},
	} {
		e := p.refusal(httpsend.Answer{Status: c.status, Body: []byte(c.body)}, "", provider.Message{})
		if e.Class != c.class || e.Code != c.code {
			t.Errorf("%d %s: got %v, want %v %s", c.status, c.body, e, c.class, c.code)
		}
	}
}

// A revocation counts when Google has said so, and is final when it says no.
func TestWhatARevocationComesTo(t *testing.T) {
	f := newFar(t)
	p := f.provider(provider.Deps{})
	for _, c := range []struct {
		name    string
		handset fake.Handset
		answer  int // in Google's place, 0 for its own
		class   provider.Class
	}{
		{"it waits", fake.Handset{Off: true}, 0, 0},
		{"it is there", fake.Handset{}, 0, provider.BadRequest},
		{"it is on its way", fake.Handset{Off: true, Keeps: true}, 0, provider.BadRequest},
		{"Google has no time", fake.Handset{Off: true}, 503, provider.Temporary},
		{"Google is broken", fake.Handset{Off: true}, 500, provider.Unknown},
	} {
		m := providertest.Message("rcs", 1)
		m.Key = c.name
		f.stand.Instead(nil)
		f.Set(m.To, c.handset)
		a, err := p.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if c.answer != 0 {
			f.stand.Instead(func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(c.answer)
				return true
			})
		}
		err = p.Revoke(t.Context(), provider.Sent{ID: a.ID, Key: m.Key, Channel: "rcs", To: m.To})
		if (err == nil) != (c.class == 0) || err != nil && provider.AsError(err).Class != c.class {
			t.Errorf("%s: got %v, want class %v", c.name, err, c.class)
		}
	}
}

func TestTheDoctorIsToldWhatIsWrong(t *testing.T) {
	f := newFar(t)
	if err := f.provider(provider.Deps{}).Check(t.Context()); err != nil {
		t.Errorf("all is well: %v", err)
	}
	f.Set(nobody, fake.Handset{NotRCS: true})
	if err := f.provider(provider.Deps{}).Check(t.Context()); err != nil {
		t.Errorf("RCS does not reach the number: %v", err)
	}
	err := f.provider(provider.Deps{}, func(c *Config) { c.AgentID = "other" }).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "403 PERMISSION_DENIED") {
		t.Errorf("another's agent: %v", err)
	}
	f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(400)
		io.WriteString(w, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`)
		return true
	})
	err = f.provider(provider.Deps{}).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "access token: Invalid JWT Signature") {
		t.Errorf("a key that was deleted: %v", err)
	}
	if got := len(f.Messages()); got != 0 {
		t.Errorf("%d messages were sent", got)
	}
}

func TestConfigurations(t *testing.T) {
	file, err := newFar(t).ServiceAccount("https://oauth2.googleapis.com")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(string(file))
	if err != nil {
		t.Fatal(err)
	}
	least := `"credentials":` + string(text) + `,"agent_id":"acme_agent","region":"europe"`
	agentless := `"credentials":` + string(text) + `,"region":"europe"`
	httpfar.CheckConfigs(t, provider.Build(New), map[string]string{
		least: "",
		least + `,"client_token":"hunter2","ttl":"60s","traffic_type":"TRANSACTION","check_capability":true,"timeout":"5s"`: "",
		agentless + `,"agent_id":"acme_agent@rbm.goog"`:                                                                     "",
		agentless + `,"agent_id":"a","base_url":"http://127.0.0.1:1","token_url":"http://[::1]"`:                            "",
		`"agent_id":"acme_agent","region":"us"`:                                                                             "credentials_file is missing",
		`"agent_id":"a","region":"us","credentials":"hunter2"`:                                                              "credentials is not the JSON key file",
		agentless:                                  "agent_id is missing",
		agentless + `,"agent_id":"a/b"`:            "agent_id is missing, or not",
		strings.Replace(least, "europe", "eu", 1):  `region: "eu" is none of asia, europe, us`,
		strings.Replace(least, "europe", "", 1):    `region: "" is none of`,
		least + `,"base_url":"http://example.com"`: "base_url: plain http is for this host alone",
		least + `,"token_url":"hunter2"`:           "token_url is not an http or https URL",
		least + `,"ttl":"5s"`:                      "ttl: want a duration from 10s to 24h",
		least + `,"ttl":"long"`:                    "ttl: want a duration",
		least + `,"traffic_type":"PROMOTION"`:      "traffic_type: \"PROMOTION\" is none of",
		least + `,"timeout":"0s"`:                  "timeout",
		least + `,"agent":"a"`:                     "unknown field",
	})
}

func FuzzRefusal(f *testing.F) {
	p := newFar(f).provider(provider.Deps{})
	f.Add(404, `{"error":{"status":"NOT_FOUND","message":"x"}}`)
	f.Add(404, `{"error":{"status":["NOT_FOUND"]}}`)
	f.Add(500, `<html>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := p.refusal(httpsend.Answer{Status: status, Body: []byte(body)}, "", provider.Message{})
		if _, ok := provider.ParseClass(e.Class.String()); !ok || e.Code == "" {
			t.Errorf("%d %s is %v", status, body, e)
		}
		if e.Class == provider.BadRecipient && (status != 404 || !json.Valid([]byte(body))) {
			t.Errorf("%d %s is held against the telephone", status, body)
		}
	})
}
