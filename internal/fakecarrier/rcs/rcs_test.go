package rcs

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
)

var epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

const (
	ana   = "+34612345678"
	id    = "0b8f3a7c-2e41-5f0e-9d5e-6f1d8a525c0f"
	sound = `{"contentMessage":{"text":"123456"},"messageTrafficType":"AUTHENTICATION","ttl":"60s"}`
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// google is a Server that listens, at a time of the test's own.
type google struct {
	*Server
	t    *testing.T
	url  string
	now  time.Time
	hook []string // the types of the events that the webhook was told
}

func start(t *testing.T) *google {
	g := &google{t: t, now: epoch}
	s, err := New(Options{Key: testKey(), Now: func() time.Time { return g.now }})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	g.Server, g.url = s, h.URL
	return g
}

// access is an access token for a scope.
func (g *google) access(scope string) string {
	g.t.Helper()
	part := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(map[string]string{"alg": "RS256"}) + "." + part(map[string]any{
		"iss": "rbm@acme-rcs.iam.gserviceaccount.com", "aud": g.url + "/token", "scope": scope,
		"iat": g.now.Unix(), "exp": g.now.Add(time.Hour).Unix(),
	})
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, testKey(), crypto.SHA256, sum[:])
	if err != nil {
		g.t.Fatal(err)
	}
	resp, err := http.PostForm(g.url+"/token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"assertion":  {signed + "." + base64.RawURLEncoding.EncodeToString(signature)},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	var said struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil || said.AccessToken == "" {
		g.t.Fatalf("a sound assertion is answered %d, %v", resp.StatusCode, err)
	}
	return said.AccessToken
}

func (g *google) do(access, method, path, body string) (status int, said map[string]any) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if access != "" {
		req.Header.Set("Authorization", "Bearer "+access)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(text, &said) != nil {
		g.t.Fatalf("%d %s: %v", resp.StatusCode, text, err)
	}
	return resp.StatusCode, said
}

func messagesOf(number string) string {
	return "/v1/phones/" + url.PathEscape(number) + "/agentMessages?agentId=acme_agent&messageId=" + id
}

func messageOf(number string) string {
	return "/v1/phones/" + url.PathEscape(number) + "/agentMessages/" + id + "?agentId=acme_agent"
}

func TestWhoAsks(t *testing.T) {
	g := start(t)
	good := g.access(scope)
	for _, c := range []struct {
		name, access, path string
		status             int
	}{
		{"nobody", "", messagesOf(ana), 401},
		{"somebody", "ya29.c.x", messagesOf(ana), 401},
		{"for something else", g.access("https://www.googleapis.com/auth/firebase.messaging"), messagesOf(ana), 403},
		{"another agent", good, strings.Replace(messagesOf(ana), "acme_agent", "other_agent", 1), 403},
		{"no agent", good, strings.Replace(messagesOf(ana), "agentId=acme_agent", "", 1), 400},
		{"no number", good, messagesOf("34612345678"), 400},
		{"no UUID", good, strings.Replace(messagesOf(ana), id, "VL1:1", 1), 400},
		{"it", good, messagesOf(ana), 200},
	} {
		if status, said := g.do(c.access, "POST", c.path, sound); status != c.status {
			t.Errorf("%s: %d %v, want %d", c.name, status, said, c.status)
		}
	}
	if n := len(g.Messages()); n != 1 {
		t.Errorf("%d messages were taken, want 1", n)
	}
	g.RevokeTokens()
	if status, _ := g.do(good, "POST", messagesOf(ana), sound); status != 401 || g.Grants() != 2 {
		t.Errorf("after its end: %d, %d tokens", status, g.Grants())
	}
}

func TestMessagesThatGoogleRefuses(t *testing.T) {
	g := start(t)
	access := g.access(scope)
	for name, body := range map[string]string{
		"no JSON":                `{`,
		"a field that is none":   `{"contentMessage":{"text":"x"},"prioritiy":1}`,
		"no text":                `{"contentMessage":{}}`,
		"too long a text":        `{"contentMessage":{"text":"` + strings.Repeat("ñ", 3073) + `"}}`,
		"no such traffic":        `{"contentMessage":{"text":"x"},"messageTrafficType":"OTP"}`,
		"a life of nothing":      `{"contentMessage":{"text":"x"},"ttl":"0s"}`,
		"a life in minutes":      `{"contentMessage":{"text":"x"},"ttl":"1m"}`,
		"a life of sixteen days": `{"contentMessage":{"text":"x"},"ttl":"1382400s"}`,
		"two ends":               `{"contentMessage":{"text":"x"},"ttl":"60s","expireTime":"2031-01-02T03:01:00Z"}`,
		"an end in the past":     `{"contentMessage":{"text":"x"},"expireTime":"2031-01-02T02:59:00Z"}`,
	} {
		if status, said := g.do(access, "POST", messagesOf(ana), body); status != 400 {
			t.Errorf("%s: %d %v, want 400", name, status, said)
		}
	}
	if n := len(g.Messages()); n != 0 {
		t.Errorf("%d messages were taken, want none", n)
	}
	if status, _ := g.do(access, "POST", messagesOf(ana), `{"contentMessage":{"text":"x"},"expireTime":"2031-01-02T03:01:00Z"}`); status != 200 {
		t.Errorf("a sound one with an end: %d", status)
	}
	if got := g.Messages()[0].TTL; got != time.Minute {
		t.Errorf("its life is %s, want a minute", got)
	}
}

// told calls a webhook with all that waits and returns what it was told, or fails it.
func (g *google) told(status int) []string {
	g.t.Helper()
	g.hook = nil
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var call struct{ Message struct{ Data []byte } }
		var e event
		if json.Unmarshal(body, &call) != nil || json.Unmarshal(call.Message.Data, &e) != nil {
			g.t.Errorf("a call with %s", body)
		}
		if _, want := Sign("SJENCPGJESMGUFPY", call.Message.Data); r.Header.Get("X-Goog-Signature") != want {
			g.t.Errorf("%s is signed %q", call.Message.Data, r.Header.Get("X-Goog-Signature"))
		}
		g.hook = append(g.hook, e.EventType+" "+e.MessageID+" "+e.AgentID)
		w.WriteHeader(status)
	}))
	defer hook.Close()
	if err := g.Deliver(g.t.Context(), hook.Client(), hook.URL); (err == nil) != (status/100 == 2) {
		g.t.Errorf("a webhook that answers %d: %v", status, err)
	}
	return g.hook
}

func TestWhatTelephonesDo(t *testing.T) {
	said := func(kind string) []string { return []string{kind + " " + id + " acme_agent"} }
	for _, c := range []struct {
		name    string
		handset Handset
		then    func(g *google, access string)
		state   State
		events  []string
	}{
		{"it is on", Handset{}, nil, Delivered, said("DELIVERED")},
		{"it is read", Handset{}, func(g *google, _ string) { g.Read(ana) }, Delivered, append(said("DELIVERED"), said("READ")...)},
		{"it is off", Handset{Off: true}, nil, Waiting, nil},
		{"it is off, then on", Handset{Off: true}, func(g *google, _ string) { g.Set(ana, Handset{}) }, Delivered, said("DELIVERED")},
		{"it is off until the end", Handset{Off: true}, func(g *google, _ string) {
			g.now = epoch.Add(59 * time.Second)
			if g.Lapse(); g.Messages()[0].State != Waiting {
				g.t.Error("taken back before the end")
			}
			g.now = epoch.Add(time.Minute)
			g.Lapse()
			g.Lapse()
		}, Revoked, said("TTL_EXPIRATION_REVOKED")},
		{"it is on its way at the end", Handset{Off: true, Keeps: true}, func(g *google, _ string) {
			g.now = epoch.Add(time.Minute)
			g.Lapse()
			g.Lapse()
		}, Waiting, said("TTL_EXPIRATION_REVOKE_FAILED")},
		{"taken back", Handset{Off: true}, func(g *google, access string) {
			if status, _ := g.do(access, "DELETE", messageOf(ana), ""); status != 200 {
				g.t.Errorf("%d, want 200", status)
			}
			if status, _ := g.do(access, "DELETE", messageOf(ana), ""); status != 404 {
				g.t.Errorf("twice: %d, want 404", status)
			}
			g.Set(ana, Handset{})
		}, Revoked, nil},
		{"taken back too late", Handset{}, func(g *google, access string) {
			if status, _ := g.do(access, "DELETE", messageOf(ana), ""); status != 404 {
				g.t.Errorf("%d, want 404", status)
			}
		}, Delivered, said("DELIVERED")},
		{"taken back by another", Handset{Off: true}, func(g *google, access string) {
			if status, _ := g.do(access, "DELETE", messageOf("+34612345679"), ""); status != 404 {
				g.t.Errorf("%d, want 404", status)
			}
			if status, _ := g.do(access, "DELETE", messageOf(ana), "{}"); status != 400 {
				g.t.Errorf("with a body: %d, want 400", status)
			}
		}, Waiting, nil},
		{"sent twice", Handset{}, func(g *google, access string) {
			if status, _ := g.do(access, "POST", messagesOf(ana), sound); status != 200 {
				g.t.Errorf("%d, want 200", status)
			}
		}, Delivered, said("DELIVERED")},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := start(t)
			access := g.access(scope)
			g.Set(ana, c.handset)
			if status, said := g.do(access, "POST", messagesOf(ana), sound); status != 200 || said["name"] != "phones/"+ana+"/agentMessages/"+id {
				t.Fatalf("%d %v", status, said)
			}
			if c.then != nil {
				c.then(g, access)
			}
			if got := g.told(204); !slices.Equal(got, c.events) {
				t.Errorf("the webhook was told %q, want %q", got, c.events)
			}
			if all := g.Messages(); len(all) != 1 || all[0].State != c.state {
				t.Errorf("%+v, want one that is %s", all, c.state)
			}
		})
	}
}

func TestATelephoneWithoutRCS(t *testing.T) {
	g := start(t)
	access := g.access(scope)
	capabilities := "/v1/phones/" + url.PathEscape(ana) + "/capabilities?agentId=acme_agent&requestId=" + id
	if status, said := g.do(access, "GET", capabilities, ""); status != 200 || said["features"] == nil {
		t.Errorf("with RCS: %d %v", status, said)
	}
	g.Set(ana, Handset{NotRCS: true})
	for method, path := range map[string]string{"GET": capabilities, "POST": messagesOf(ana)} {
		if status, said := g.do(access, method, path, sound); status != 404 || !strings.Contains(fmt.Sprint(said), "NOT_FOUND") {
			t.Errorf("%s: %d %v", method, status, said)
		}
	}
	if status, _ := g.do(access, "GET", strings.Replace(capabilities, id, "7", 1), ""); status != 400 {
		t.Errorf("a request without a name: %d", status)
	}
}

func TestAnEventWaitsForAWebhookThatTakesIt(t *testing.T) {
	g := start(t)
	if status, _ := g.do(g.access(scope), "POST", messagesOf(ana), sound); status != 200 {
		t.Fatal(status)
	}
	for status, want := range map[int]int{503: 1, 500: 1} {
		if got := g.told(status); len(got) != want {
			t.Errorf("with %d: %q", status, got)
		}
	}
	if got := g.told(200); len(got) != 1 {
		t.Errorf("in the end: %q", got)
	}
	if got := g.told(200); len(got) != 0 {
		t.Errorf("after the end: %q", got)
	}
}

func TestFates(t *testing.T) {
	g := start(t)
	access := g.access(scope)
	g.Fates.SetAll(fate.Fate[Refusal]{Refuse: &Refusal{HTTP: 429, Status: "RESOURCE_EXHAUSTED", RetryAfter: time.Minute}})
	for method, path := range map[string]string{"POST": messagesOf(ana), "DELETE": messageOf(ana)} {
		body := sound
		if method == "DELETE" {
			body = ""
		}
		if status, said := g.do(access, method, path, body); status != 429 {
			t.Errorf("%s: %d %v", method, status, said)
		}
	}
}

func TestAWebhookIsMadeSureOf(t *testing.T) {
	g := start(t)
	for answer, ok := range map[string]bool{"1234567890": true, "no": false} {
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); !bytes.Contains(body, []byte(`"clientToken":"SJENCPGJESMGUFPY"`)) {
				t.Errorf("the call has %s", body)
			}
			io.WriteString(w, answer)
		}))
		if err := g.SetUp(t.Context(), hook.Client(), hook.URL); (err == nil) != ok {
			t.Errorf("%q: %v", answer, err)
		}
		hook.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.SetUp(ctx, http.DefaultClient, g.url); err == nil {
		t.Error("nobody was asked")
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte(`{"contentMessage":{"text":"x"},"ttl":"1e9s"}`))
	f.Add([]byte(`{"contentMessage":{"text":"x"},"expireTime":"2031-01-02T03:01:00Z"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, refusal := readMessage(raw, epoch)
		if refusal == nil && (m.Text == "" || m.TTL < 0 || m.TTL > maxTTL) {
			t.Errorf("%q was taken as %+v", raw, m)
		}
		if refusal != nil && refusal.HTTP != 400 {
			t.Errorf("%q is refused by %+v", raw, refusal)
		}
	})
}

func TestTheOldestMessagesAreForgotten(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_001 {
		s.Put(Message{ID: fmt.Sprint(i), State: Waiting})
	}
	if got := s.Messages(); len(got) != 9001 || got[0].ID != "1000" {
		t.Errorf("%d are left, the first is %s", len(got), got[0].ID)
	}
}
