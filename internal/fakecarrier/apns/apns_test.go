package apns

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
)

var epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)

const (
	device  = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"
	payload = `{"aps":{"alert":"Log in?"},"type":"verify_push_challenge"}`
	id      = "123e4567-e89b-12d3-a456-426655440000"
)

// apple is a Server that listens, at a time of the test's own.
type apple struct {
	*Server
	t      *testing.T
	url    string
	client *http.Client

	mu  sync.Mutex
	now time.Time
}

func start(t *testing.T, topics ...string) *apple {
	a := &apple{t: t, now: epoch}
	s, err := New(Options{Topics: topics, Now: a.clock})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(s)
	h.EnableHTTP2 = true
	h.StartTLS()
	t.Cleanup(h.Close)
	a.Server, a.url, a.client = s, h.URL, h.Client()
	return a
}

func (a *apple) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

func (a *apple) later(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

func sign(key *ecdsa.PrivateKey, header, claims map[string]any) string {
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	signed := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(c)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		panic(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// bearer is a sound provider token of the given age.
func (a *apple) bearer(age time.Duration) string {
	return "bearer " + sign(a.key, map[string]any{"alg": "ES256", "kid": a.keyID},
		map[string]any{"iss": a.team, "iat": a.clock().Add(-age).Unix()})
}

// sound is a request that is right; change makes it less so.
func (a *apple) sound(change ...func(*http.Request)) *http.Request {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.url+"/3/device/"+device, strings.NewReader(payload))
	if err != nil {
		a.t.Fatal(err)
	}
	for name, value := range map[string]string{
		"authorization": a.bearer(0), "apns-topic": "com.acme.app", "apns-push-type": "alert", "apns-priority": "10",
		"apns-expiration": "1924400000", "apns-collapse-id": "YC1", "apns-id": id,
	} {
		r.Header.Set(name, value)
	}
	for _, f := range change {
		f(r)
	}
	return r
}

func (a *apple) do(r *http.Request) (status int, reason string, h http.Header) {
	a.t.Helper()
	resp, err := a.client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	var said struct {
		Reason    string
		Timestamp int64
	}
	if len(text) > 0 && json.Unmarshal(text, &said) != nil {
		a.t.Fatalf("%d %s", resp.StatusCode, text)
	}
	if said.Timestamp != 0 {
		said.Reason += fmt.Sprint(" ", said.Timestamp)
	}
	return resp.StatusCode, said.Reason, resp.Header
}

func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func body(text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(text)), int64(len(text)), nil
	}
}

func TestASoundNotificationIsTaken(t *testing.T) {
	a := start(t, "com.acme.app")
	status, reason, h := a.do(a.sound())
	want := []Notification{{
		ID: id, Token: device, Topic: "com.acme.app", PushType: "alert", Priority: "10", Expiration: "1924400000",
		CollapseID: "YC1", Payload: json.RawMessage(payload), At: epoch,
	}}
	if got := a.Inbox(); status != 200 || h.Get("apns-id") != id || !reflect.DeepEqual(got, want) {
		t.Errorf("%d %s %v, the inbox has %+v\nwant %+v", status, reason, h, got, want)
	}
	if _, _, h := a.do(a.sound(header("apns-id"))); !uuid.MatchString(h.Get("apns-id")) {
		t.Errorf("without an apns-id of its own it got %q", h.Get("apns-id"))
	}
}

func TestRequestsThatAppleRefuses(t *testing.T) {
	a := start(t, "com.acme.app")
	path := func(path string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = path } }
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
		reason string
	}{
		"another path":        {path("/3/devices/" + device), 404, "BadPath"},
		"another method":      {func(r *http.Request) { r.Method = http.MethodPut }, 405, "MethodNotAllowed"},
		"no provider token":   {header("authorization"), 403, "MissingProviderToken"},
		"another scheme":      {header("authorization", "Basic abc"), 403, "MissingProviderToken"},
		"no topic":            {header("apns-topic"), 400, "MissingTopic"},
		"a topic of nonsense": {header("apns-topic", "acme"), 400, "BadTopic"},
		"another's topic":     {header("apns-topic", "com.other.app"), 400, "TopicDisallowed"},
		"no push type":        {header("apns-push-type"), 400, "InvalidPushType"},
		"another push type":   {header("apns-push-type", "loud"), 400, "InvalidPushType"},
		"another priority":    {header("apns-priority", "7"), 400, "BadPriority"},
		"another expiration":  {header("apns-expiration", "soon"), 400, "BadExpirationDate"},
		"a long collapse id":  {header("apns-collapse-id", strings.Repeat("x", 65)), 400, "BadCollapseId"},
		"an id of nonsense":   {header("apns-id", "abc"), 400, "BadMessageId"},
		"a header twice":      {header("apns-topic", "com.acme.app", "com.acme.app"), 400, "DuplicateHeaders"},
		"no device":           {path("/3/device/"), 400, "MissingDeviceToken"},
		"a device in base64":  {path("/3/device/APwTrf94USK0rSiAmjQgmCNBJBQhNICXh45XfJkd6PA="), 400, "BadDeviceToken"},
		"half a device":       {path("/3/device/" + device[:40]), 400, "BadDeviceToken"},
		"no payload":          {body(""), 400, "PayloadEmpty"},
		"no aps":              {body(`{"type":"x"}`), 400, "PayloadEmpty"},
		"no JSON":             {body(`{"aps":{`), 400, "PayloadEmpty"},
		"too large":           {body(`{"aps":{"alert":"` + strings.Repeat("x", 4097-20) + `"}}`), 413, "PayloadTooLarge"},
	} {
		status, reason, h := a.do(a.sound(c.change))
		if status != c.status || reason != c.reason || !uuid.MatchString(h.Get("apns-id")) {
			t.Errorf("%s: %d %s, apns-id %q, want %d %s", name, status, reason, h.Get("apns-id"), c.status, c.reason)
		}
	}
	if n := len(a.Inbox()); n != 0 {
		t.Errorf("%d notifications were taken, want none", n)
	}
	largest := body(`{"aps":{"alert":"` + strings.Repeat("x", 4096-20) + `"}}`)
	if status, reason, _ := a.do(a.sound(largest, header("apns-collapse-id", strings.Repeat("x", 64)))); status != 200 {
		t.Errorf("the largest there may be: %d %s", status, reason)
	}
}

func TestProviderTokensThatAppleRefuses(t *testing.T) {
	a := start(t)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]any{"alg": "ES256", "kid": a.keyID}
	claims := map[string]any{"iss": a.team, "iat": epoch.Unix()}
	asn1 := func() string {
		token := sign(a.key, header, claims)
		signed := token[:strings.LastIndexByte(token, '.')]
		sum := sha256.Sum256([]byte(signed))
		signature, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	for name, c := range map[string]struct{ token, reason string }{
		"no token":            {"abc", "InvalidProviderToken"},
		"another's key":       {sign(other, header, claims), "InvalidProviderToken"},
		"another key's id":    {sign(a.key, map[string]any{"alg": "ES256", "kid": "OTHER"}, claims), "InvalidProviderToken"},
		"no key's id":         {sign(a.key, map[string]any{"alg": "ES256"}, claims), "InvalidProviderToken"},
		"another algorithm":   {sign(a.key, map[string]any{"alg": "HS256", "kid": a.keyID}, claims), "InvalidProviderToken"},
		"a signature in ASN1": {asn1(), "InvalidProviderToken"},
		"another team":        {sign(a.key, header, map[string]any{"iss": "OTHER", "iat": epoch.Unix()}), "InvalidProviderToken"},
		"milliseconds":        {sign(a.key, header, map[string]any{"iss": a.team, "iat": epoch.UnixMilli()}), "InvalidProviderToken"},
		"from the future":     {sign(a.key, header, map[string]any{"iss": a.team, "iat": epoch.Unix() + 6}), "InvalidProviderToken"},
		"too old":             {sign(a.key, header, map[string]any{"iss": a.team, "iat": epoch.Unix() - 3601}), "ExpiredProviderToken"},
		"without iat":         {sign(a.key, header, map[string]any{"iss": a.team}), "ExpiredProviderToken"},
	} {
		r := a.sound()
		r.Header.Set("authorization", "bearer "+c.token)
		if status, reason, _ := a.do(r); status != 403 || reason != c.reason {
			t.Errorf("%s: %d %s, want 403 %s", name, status, reason, c.reason)
		}
	}
}

func TestProviderTokensLastTwentyMinutesAndAnHourAtMost(t *testing.T) {
	a := start(t)
	expect := func(when, bearer string, want int) {
		t.Helper()
		r := a.sound()
		r.Header.Set("authorization", bearer)
		if status, reason, _ := a.do(r); status != want {
			t.Errorf("%s: %d %s, want %d", when, status, reason, want)
		}
	}
	first := a.bearer(0)
	expect("the first", first, 200)
	a.later(19 * time.Minute)
	expect("another after 19 minutes", a.bearer(0), 429)
	expect("the first after 19 minutes", first, 200)
	expect("another signature over the first's time", a.bearer(19*time.Minute), 200)
	a.later(time.Minute)
	expect("another after 20 minutes", a.bearer(0), 200)
	a.later(40 * time.Minute)
	expect("the first after an hour", first, 200)
	a.later(time.Second)
	expect("the first after an hour and a second", first, 403)
}

func TestItSpeaksHTTP2Alone(t *testing.T) {
	a := start(t)
	a.client.CloseIdleConnections()
	tr := a.client.Transport.(*http.Transport)
	one := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: tr.TLSClientConfig.RootCAs}}
	defer one.CloseIdleConnections()
	resp, err := one.RoundTrip(a.sound())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusHTTPVersionNotSupported || len(a.Inbox()) != 0 {
		t.Errorf("over %s it answered %d", resp.Proto, resp.StatusCode)
	}
}

func TestADeadHandsetSaysSinceWhen(t *testing.T) {
	a := start(t)
	gone := Unregistered
	gone.Since = epoch.Add(-time.Hour)
	a.Fates.Set(device, fate.Fate[Refusal]{Refuse: &gone})
	want := fmt.Sprint("Unregistered ", epoch.Add(-time.Hour).UnixMilli())
	if status, reason, _ := a.do(a.sound()); status != 410 || reason != want {
		t.Errorf("%d %s, want 410 %s", status, reason, want)
	}
	busy := TooManyRequests
	busy.RetryAfter = 7 * time.Second
	a.Fates.Set(device, fate.Fate[Refusal]{Refuse: &busy})
	if status, reason, h := a.do(a.sound()); status != 429 || reason != "TooManyRequests" || h.Get("Retry-After") != "7" {
		t.Errorf("%d %s %v", status, reason, h)
	}
}

func TestTheKeyIsAFileOfApples(t *testing.T) {
	a := start(t)
	key, err := a.Key()
	if err != nil || !bytes.HasPrefix(key, []byte("-----BEGIN PRIVATE KEY-----\n")) || a.Team() == "" || a.KeyID() == "" {
		t.Errorf("%q %q %s %v", a.Team(), a.KeyID(), key, err)
	}
}

func FuzzCheck(f *testing.F) {
	s, err := New(Options{Now: func() time.Time { return epoch }})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/3/device/"+device, "bearer a.b.c", "com.acme.app", payload)
	f.Add("/3/device/", "bearer "+sign(s.key, map[string]any{"alg": "ES256", "kid": s.keyID},
		map[string]any{"iss": s.team, "iat": epoch.Unix()}), "x", `{"aps":{}}`)
	f.Fuzz(func(t *testing.T, path, authorization, topic, payload string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.URL.Path = path
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Apns-Topic", topic)
		if _, refusal := s.check(r, []byte(payload)); refusal == nil || refusal.HTTP/100 != 4 || refusal.Reason == "" {
			t.Errorf("without a push type it is judged %+v", refusal)
		}
	})
}
