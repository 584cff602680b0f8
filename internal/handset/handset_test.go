package handset_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/handset"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// world is a server over real HTTP, with the time of day: handsets set their clocks by it.
type world struct {
	t                *testing.T
	engine           *verify.Engine
	factors          *factor.Engine
	server           *httptest.Server
	account, service string
}

const identity = "user-7f3a91c2"

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, engine: verify.NewEngine(store, keys, time.Now, rand.Reader, func(verify.Channel) bool { return true })}
	w.factors = factor.NewEngine(w.engine)
	w.server = httptest.NewServer(api.New(w.engine, "", slog.New(slog.DiscardHandler)))
	t.Cleanup(w.server.Close)
	a, _, err := w.engine.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.engine.CreateService(t.Context(), a.SID, verify.ServiceParams{FriendlyName: new("Acme"), PushIncludeDate: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	w.account, w.service = a.SID, s.SID
	return w
}

func (w *world) options(system handset.System) handset.Options {
	return handset.Options{BaseURL: w.server.URL + "/v2", System: system, Client: w.server.Client(), Now: time.Now, Random: rand.Reader}
}

// enrolled is a handset that has proved its key.
func (w *world) enrolled(o handset.Options, platform, token string) *handset.Handset {
	w.t.Helper()
	h, err := w.enrol(o, platform, token)
	if err == nil {
		err = h.Verify(w.t.Context())
	}
	if err != nil || h.Status != "verified" {
		w.t.Fatalf("enrol: %+v, %v", h, err)
	}
	return h
}

func (w *world) enrol(o handset.Options, platform, token string) (*handset.Handset, error) {
	w.t.Helper()
	_, access, err := w.factors.CreateAccessToken(w.t.Context(), w.account, w.service, factor.AccessTokenParams{Identity: new(identity), FactorType: new("push")})
	if err != nil {
		w.t.Fatal(err)
	}
	return handset.Enrol(w.t.Context(), o, handset.Enrolment{
		AccessToken: access, ServiceSID: w.service, Identity: identity, FriendlyName: "Ann's (old) phone; 100% = ü+?", AppID: "com.acme.app",
		Platform: platform, Token: token, Metadata: map[string]string{"os": "x; y=z/√"},
	})
}

func (w *world) ask(h *handset.Handset, message string) string {
	w.t.Helper()
	c, err := w.factors.CreateChallenge(w.t.Context(), w.account, w.service, identity, factor.ChallengeParams{
		FactorSID: &h.FactorSID, DetailsMessage: &message, DetailsFields: []string{`{"label":"Where","value":"https://acme.example/ <b>"}`, `{"label":"City","value":"Zürich \"5\""}`},
		HiddenDetails: new(`{"path":"/a/b"}`),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c.SID
}

// The whole way of both libraries.
func TestBothLibrariesGoTheWholeWay(t *testing.T) {
	for _, system := range []handset.System{handset.Android, handset.IOS} {
		t.Run(string(system), func(t *testing.T) {
			w, ctx := newWorld(t), t.Context()
			h := w.enrolled(w.options(system), "fcm", "token/of:the,handset=1")
			f, err := w.factors.Factor(ctx, w.account, w.service, identity, h.FactorSID)
			if err != nil {
				t.Fatal(err)
			}
			token, err := w.factors.NotificationToken(f)
			if err != nil || f.FriendlyName != "Ann's (old) phone; 100% = ü+?" || f.Metadata["os"] != "x; y=z/√" || token != "token/of:the,handset=1" {
				t.Errorf("the server has %+v, %q, %v", f, token, err)
			}
			if err := h.UpdateToken(ctx, "apn", "00ff"); err != nil {
				t.Fatal(err)
			}
			if name, err := h.Service(ctx); err != nil || name != "Acme" {
				t.Errorf("the service: %q, %v", name, err)
			}
			var asked []string
			for n := range 5 {
				asked = append(asked, w.ask(h, fmt.Sprintf("Log in? / %d", n)))
			}
			pending, err := h.Challenges(ctx, "pending", 2)
			if err != nil || len(pending) != 5 || pending[0].SID != asked[0] || pending[4].SID != asked[4] {
				t.Fatalf("pending: %+v, %v", pending, err)
			}
			c := pending[0]
			if c.Message != "Log in? / 0" || len(c.Fields) != 2 || c.Fields[1].Value != `Zürich "5"` || !c.Date.Equal(c.CreatedAt) || c.HiddenDetails["path"] != "/a/b" {
				t.Errorf("it is shown %+v", c)
			}
			if got, err := h.Approve(ctx, asked[0]); err != nil || got.Status != "approved" {
				t.Errorf("approve: %+v, %v", got, err)
			}
			if got, err := h.Deny(ctx, asked[1]); err != nil || got.Status != "denied" {
				t.Errorf("deny: %+v, %v", got, err)
			}
			if pending, err = h.Challenges(ctx, "pending", 20); err != nil || len(pending) != 3 {
				t.Errorf("%d are pending, %v", len(pending), err)
			}
			if err := errors.Join(h.Delete(ctx), h.Delete(ctx)); err != nil { // the second time its key is gone
				t.Error(err)
			}
		})
	}
}

// One in 128 signatures of iOS has a half that is padded; one in 32,000 is a byte short (package jose).
func TestShortSignaturesAreTaken(t *testing.T) {
	w := newWorld(t)
	h := w.enrolled(w.options(handset.IOS), "none", "")
	for range 300 {
		if _, err := h.Service(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A handset whose clock is wrong is told the time, and gets through at the second try.
func TestAWrongClockIsSetByTheRefusal(t *testing.T) {
	for _, off := range []time.Duration{-3 * time.Hour, 26 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			w := newWorld(t)
			o := w.options(handset.Android)
			o.Now = func() time.Time { return time.Now().Add(off) }
			requests := 0
			o.Client = &http.Client{Transport: counting{&requests, w.server.Client().Transport}}
			h := w.enrolled(o, "none", "")
			if requests != 3 { // enrol, refused, verify
				t.Errorf("%d requests, want 3", requests)
			}
			if _, err := h.Service(t.Context()); err != nil || requests != 4 {
				t.Errorf("after that: %d requests, %v", requests, err)
			}
		})
	}
}

type counting struct {
	n *int
	http.RoundTripper
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.n++
	return c.RoundTripper.RoundTrip(r)
}

func TestAHandsetRemembers(t *testing.T) {
	w := newWorld(t)
	h := w.enrolled(w.options(handset.IOS), "fcm", "token")
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var s handset.State
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	again, err := handset.Restore(w.options(handset.Android), s)
	if err != nil || again.System != handset.IOS || again.FactorSID != h.FactorSID {
		t.Fatalf("%+v, %v", again, err)
	}
	if c, err := again.Approve(t.Context(), w.ask(h, "Log in?")); err != nil || c.Status != "approved" {
		t.Errorf("%+v, %v", c, err)
	}
}

// What breaks a library breaks the handset. Every body is one that a server might well send.
func TestAHandsetTakesOffence(t *testing.T) {
	const good = `{"sid":"YC1","factor_sid":"YF1","status":"pending","date_created":"2026-11-24T12:00:00Z","date_updated":"2026-11-24T12:00:00Z",` +
		`"expiration_date":"2026-11-24T12:05:00Z","details":{"message":"m","fields":[]},"hidden_details":null}`
	var c handset.Challenge
	if err := json.Unmarshal([]byte(good), &c); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, change := range map[string][2]string{
		"a fraction of a second": {`12:05:00Z`, `12:05:00.000Z`},
		"a zone":                 {`12:05:00Z`, `12:05:00+00:00`},
		"details.date null":      {`"fields":[]`, `"fields":[],"date":null`},
		"no message":             {`"message":"m",`, ``},
		"a message of null":      {`"message":"m"`, `"message":null`},
		"no details":             {`{"message":"m","fields":[]}`, `null`},
		"another status":         {`"pending"`, `"canceled"`},
		"a hidden number":        {`"hidden_details":null`, `"hidden_details":{"a":1}`},
		"a field without value":  {`"fields":[]`, `"fields":[{"label":"a"}]`},
		"no date":                {`"date_updated":"2026-11-24T12:00:00Z",`, ``},
	} {
		if !strings.Contains(good, change[0]) {
			t.Fatal(change)
		}
		if err := json.Unmarshal([]byte(strings.Replace(good, change[0], change[1], 1)), &c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// answering is a server that says one thing.
func answering(t *testing.T, header http.Header, status int, body string) handset.Options {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return handset.Options{BaseURL: server.URL, Client: server.Client(), Now: time.Now, Random: rand.Reader}
}

func TestAFactorWithoutACredentialIsNoFactor(t *testing.T) {
	const body = `{"sid":"YF1","account_sid":"AC1","friendly_name":"a","status":"unverified","date_created":"2026-11-24T12:00:00Z","config":{"credential_sid":%s},"metadata":null}`
	for credential, taken := range map[string]bool{`"CR1"`: true, `null`: false, `""`: false} {
		_, err := handset.Enrol(context.Background(), answering(t, nil, 201, fmt.Sprintf(body, credential)), handset.Enrolment{})
		if (err == nil) != taken {
			t.Errorf("credential_sid %s: %v", credential, err)
		}
	}
}
