package apns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// TestRecordedRequest compares what goes to Apple with what was recorded, before HPACK folds it. The
// signature is in it, because it is the same every time.
func TestRecordedRequest(t *testing.T) {
	f := newFar(t)
	f.stand.At(epoch)
	var recorded bytes.Buffer
	f.stand.Instead(func(_ http.ResponseWriter, r *http.Request) bool {
		fmt.Fprintf(&recorded, "%s %s %s\n", r.Method, r.URL.Path, r.Proto)
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			fmt.Fprintf(&recorded, "%s: %s\n", strings.ToLower(name), strings.Join(r.Header[name], " | "))
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&recorded, "\n%s", body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return false
	})
	if _, err := f.provider(provider.Deps{}).Send(t.Context(), message(0)); err != nil {
		t.Fatal(err)
	}
	httpfar.CompareFile(t, filepath.Join("testdata", "push.http2"), recorded.Bytes())
}

func TestWhatThePhoneShows(t *testing.T) {
	f := newFar(t)
	const rest = `,"category":"verify_push_challenge","sound":"default"}`
	for _, c := range []struct {
		title       bool
		brand, body string
		want        string
	}{
		{false, "Acme", "Log in?", `{"alert":"Log in?"` + rest},
		{false, "", "Log in?", `{"alert":"Log in?"` + rest},
		{false, "Acme", "", `{"alert":"Acme"` + rest},
		{true, "Acme", "Log in?", `{"alert":{"body":"Log in?","title":"Acme"}` + rest},
		{true, "", "Log in?", `{"alert":"Log in?"` + rest},
	} {
		config := f.config()
		config.Title = c.title
		p := mustNew(t, config, provider.Deps{HTTP: f.stand.Client()})
		m := message(1)
		m.Push.Title, m.Push.Body = c.brand, c.body
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		inbox := f.Inbox()
		var got struct {
			APS          json.RawMessage
			Type         string
			ChallengeSID string `json:"challenge_sid"`
			FactorSID    string `json:"factor_sid"`
		}
		if err := json.Unmarshal(inbox[len(inbox)-1].Payload, &got); err != nil {
			t.Fatal(err)
		}
		if string(got.APS) != c.want {
			t.Errorf("%+v: aps is %s", c, got.APS)
		}
		if data := m.Push.Data; got.Type != data["type"] || got.ChallengeSID != data["challenge_sid"] || got.FactorSID != data["factor_sid"] {
			t.Errorf("beside aps there is %+v, want %v", got, data)
		}
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	f := newFar(t)
	c := f.config()
	c.Topic = "com.acme.other"
	p := mustNew(t, c, provider.Deps{HTTP: f.stand.Client()})
	m := message(1)
	m.Key, m.Deadline, m.Push.App, m.Push.Collapse, m.Push.Data = "", time.Time{}, "", "", nil
	accepted, err := p.Send(t.Context(), m)
	n := f.Inbox()[0]
	if err != nil || accepted.ID == "" || accepted.ID != n.ID {
		t.Errorf("without a key it has the identifier %q, Apple gave %q, %v", accepted.ID, n.ID, err)
	}
	if n.Expiration != "" || n.CollapseID != "" || n.Topic != "com.acme.other" {
		t.Errorf("got %+v, want the configured topic and no more", n)
	}
	m.Push.App = "com.acme.app"
	if _, err := p.Send(t.Context(), m); err != nil || f.Inbox()[1].Topic != "com.acme.app" {
		t.Errorf("the app of the notification does not win: %+v, %v", f.Inbox()[1], err)
	}
}

func TestTheSameHandOverHasTheSameIdentifier(t *testing.T) {
	a, b, again := id("VL1:1"), id("VL1:2"), id("VL1:1")
	if a == b || a != again || len(a) != 36 || a[14] != '8' || !strings.ContainsRune("89ab", rune(a[19])) {
		t.Errorf("got %s, %s, %s", a, b, again)
	}
}

func TestMessagesThatAppleWouldRefuseStayHere(t *testing.T) {
	f := newFar(t)
	p := f.provider(provider.Deps{})
	for _, c := range []struct {
		detail string
		change func(*provider.Message)
	}{
		{"push and nothing else", func(m *provider.Message) { m.Channel = "sms" }},
		{"holds no notification", func(m *provider.Message) { m.Push = nil }},
		{`for a handset of "fcm"`, func(m *provider.Message) { m.Push.Platform = "fcm" }},
		{"no token of a handset", func(m *provider.Message) { m.To = "" }},
		{"names no app", func(m *provider.Message) { m.Push.App = "" }},
		{"names no app", func(m *provider.Message) { m.Push.App = "com.acme\r\nx: y" }},
		{"to collapse by", func(m *provider.Message) { m.Push.Collapse = strings.Repeat("x", 65) }},
		{"to collapse by", func(m *provider.Message) { m.Push.Collapse = "a\nb" }},
		{`the data key "aps"`, func(m *provider.Message) { m.Push.Data["aps"] = "x" }},
		{"Apple takes 4096", func(m *provider.Message) { m.Push.Body = strings.Repeat("x", 4096) }},
	} {
		m := message(1)
		c.change(&m)
		_, err := p.Send(t.Context(), m)
		if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, c.detail) {
			t.Errorf("got %v, want bad_request and %q", err, c.detail)
		}
	}
	for _, to := range []string{"../x", "c0ffe", "APwTrf94USK0rSiAmjQgmCNBJBQhNICXh45XfJkd6PA=", strings.Repeat("0", 202)} {
		m := message(1)
		m.To = to
		_, err := p.Send(t.Context(), m)
		if e := provider.AsError(err); err == nil || e.Class != provider.BadRecipient {
			t.Errorf("%q: got %v, want bad_recipient", to, err)
		}
	}
	if n := len(f.Inbox()); n != 0 {
		t.Errorf("%d notifications arrived, want none", n)
	}
}

// two is production and sandbox, of which the handset belongs to one.
func two(t *testing.T, c Config) (p *Provider, production, sandbox *far) {
	t.Helper()
	production, sandbox = newFar(t), newFar(t)
	own := production.config()
	own.SandboxURL, own.Sandbox = sandbox.stand.URL, c.Sandbox
	return mustNew(t, own, provider.Deps{HTTP: production.stand.Client()}), production, sandbox
}

func TestAHandsetIsAskedForAtTheOtherHost(t *testing.T) {
	p, production, sandbox := two(t, Config{})
	var asked int
	production.stand.Instead(func(http.ResponseWriter, *http.Request) bool { asked++; return false })
	m := message(1)
	production.Fates.Set(m.To, fate.Fate[fake.Refusal]{Refuse: &fake.BadDeviceToken})
	for n := 1; n <= 3; n++ {
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if len(sandbox.Inbox()) != n || asked != 1 {
			t.Errorf("after %d notifications the sandbox has %d, and production was asked %d times", n, len(sandbox.Inbox()), asked)
		}
	}
	if _, err := p.Send(t.Context(), message(2)); err != nil || len(production.Inbox()) != 1 {
		t.Errorf("another handset: %v, production has %d notifications", err, len(production.Inbox()))
	}

	// The app was replaced by the one from the store, under the same token.
	production.Fates.Set(m.To, fate.Fate[fake.Refusal]{})
	sandbox.Fates.Set(m.To, fate.Fate[fake.Refusal]{Refuse: &fake.BadDeviceToken})
	if _, err := p.Send(t.Context(), m); err != nil || len(production.Inbox()) != 2 {
		t.Errorf("a handset that moved: %v", err)
	}
	if p.homes.of(m.To) != 0 {
		t.Error("the old home is still remembered")
	}
}

func TestTheSandboxMayBeAskedFirst(t *testing.T) {
	p, production, sandbox := two(t, Config{Sandbox: true})
	if _, err := p.Send(t.Context(), message(1)); err != nil || len(sandbox.Inbox()) != 1 || len(production.Inbox()) != 0 {
		t.Errorf("%v, sandbox %d, production %d", err, len(sandbox.Inbox()), len(production.Inbox()))
	}
}

func TestWhatTheOtherHostSays(t *testing.T) {
	for _, c := range []struct {
		name  string
		other fake.Refusal
		class provider.Class
		code  string
	}{
		{"it does not know the handset either", fake.BadDeviceToken, provider.BadRecipient, "400 BadDeviceToken"},
		{"the handset has gone", fake.Unregistered, provider.BadRecipient, "410 Unregistered"},
		{"the key is not for it", fake.Refusal{HTTP: 403, Reason: "BadEnvironmentKeyIdInToken"}, provider.BadRecipient, "400 BadDeviceToken"},
		{"it is down", fake.ServiceUnavailable, provider.Temporary, "503 ServiceUnavailable"},
		{"it is busy", fake.TooManyRequests, provider.Throttled, "429 TooManyRequests"},
	} {
		p, production, sandbox := two(t, Config{})
		production.refuse(fake.BadDeviceToken)
		sandbox.refuse(c.other)
		_, err := p.Send(t.Context(), message(1))
		if e := provider.AsError(err); err == nil || e.Class != c.class || e.Code != c.code {
			t.Errorf("%s: got %v, want %v %s", c.name, err, c.class, c.code)
		}
	}
}

func TestOnlyABadDeviceTokenIsAskedForElsewhere(t *testing.T) {
	p, production, sandbox := two(t, Config{})
	for _, r := range []fake.Refusal{fake.Unregistered, fake.DeviceTokenNotForTopic, fake.ServiceUnavailable, fake.InvalidProviderToken} {
		production.refuse(r)
		if _, err := p.Send(t.Context(), message(1)); provider.AsError(err).Code != fmt.Sprint(r.HTTP, " ", r.Reason) {
			t.Errorf("got %v, want %d %s", err, r.HTTP, r.Reason)
		}
	}
	if n := len(sandbox.Inbox()); n != 0 {
		t.Errorf("the sandbox took %d notifications, want none", n)
	}
}

func TestHomesAreBounded(t *testing.T) {
	var h homes
	for n := range 2*maxHomes + 1 {
		h.remember(fmt.Sprint(n), 1)
		if len(h.second) > maxHomes || h.of(fmt.Sprint(n)) != 1 {
			t.Fatalf("after %d handsets %d are remembered", n+1, len(h.second))
		}
	}
}

// RFC 9113, 6.8: what came after the last stream of a GOAWAY was not looked at.
func TestWhenAppleGoesAway(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(stream uint32) []byte
		more   bool
		class  provider.Class // 0: accepted
	}{
		{"after an answer", func(s uint32) []byte { return append(httpfar.GoAway(s, httpfar.NoError), httpfar.OK(s)...) }, true, 0},
		{"before our notification", func(s uint32) []byte { return httpfar.GoAway(s-1, httpfar.NoError) }, true, provider.Temporary},
		{"with our notification", func(s uint32) []byte { return httpfar.GoAway(s, httpfar.NoError) }, false, provider.Unknown},
	} {
		url, client := httpfar.NewFrames(t, func(_ int, stream uint32) ([]byte, bool) { return c.answer(stream), c.more })
		p := mustNew(t, Config{Key: keyText(t), KeyID: testKeyID, TeamID: testTeam, BaseURL: url}, provider.Deps{HTTP: client})
		for range 2 { // the second finds a connection that is going
			_, err := p.Send(t.Context(), message(1))
			if c.class == 0 && err != nil || c.class != 0 && (err == nil || provider.AsError(err).Class != c.class) {
				t.Errorf("%s: got %v, want class %v", c.name, err, c.class)
			}
		}
	}
}

func TestOneConnectionIsKept(t *testing.T) {
	f := newFar(t)
	var mu sync.Mutex
	ends := map[string]bool{}
	f.stand.Instead(func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		ends[r.RemoteAddr] = true
		return false
	})
	p := f.provider(provider.Deps{})
	for n := range 10 {
		if _, err := p.Send(t.Context(), message(n)); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for n := range 24 {
		all.Go(func() {
			if _, err := p.Send(t.Context(), message(n)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(ends) != 1 {
		t.Errorf("34 notifications came over %d connections, want 1", len(ends))
	}
}

func TestAnEndWithoutHTTP2GetsNothing(t *testing.T) {
	var asked atomic.Bool
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(true) }))
	defer s.Close()
	p := mustNew(t, Config{Key: keyText(t), KeyID: testKeyID, TeamID: testTeam, BaseURL: s.URL}, provider.Deps{HTTP: s.Client()})
	_, err := p.Send(t.Context(), message(1))
	if e := provider.AsError(err); err == nil || e.Class != provider.Temporary || asked.Load() {
		t.Errorf("got %v, asked: %v, want temporary", err, asked.Load())
	}
}

func TestWithoutATransportItMakesItsOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "https://" + l.Addr().String()
	l.Close()
	p := mustNew(t, Config{Key: keyText(t), KeyID: testKeyID, TeamID: testTeam, BaseURL: url}, provider.Deps{})
	if _, err := p.Send(t.Context(), message(1)); provider.AsError(err).Class != provider.Temporary {
		t.Errorf("got %v, want temporary: nobody listens", err)
	}
}

// roundTrip is a transport of somebody's own making.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Apple has one word of its own in an answer, and whoever stands in between may have more: none may
// repeat the provider token, which nobody knows beforehand.
func TestTheProviderTokenIsNotRepeated(t *testing.T) {
	var shown string
	lent := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		shown = strings.TrimPrefix(r.Header.Get("Authorization"), "bearer ")
		return &http.Response{StatusCode: 403, Body: io.NopCloser(strings.NewReader(
			`{"reason":"for ` + r.URL.Path + ` no ` + shown + `"}`))}, nil
	})}
	p := mustNew(t, Config{Key: keyText(t), KeyID: testKeyID, TeamID: testTeam}, provider.Deps{HTTP: lent})
	m := message(1)
	_, err := p.Send(t.Context(), m)
	if err == nil || shown == "" || strings.Contains(err.Error(), shown) || strings.Contains(err.Error(), m.To) {
		t.Errorf("the request had %q, the error is %v", shown, err)
	}
}
