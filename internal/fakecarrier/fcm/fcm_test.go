package fcm

import (
	"bytes"
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
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
)

var (
	epoch = time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC)
	token = "e0f1g2h3i4j5k6l7m8n9o0:APA91b" + strings.Repeat("x-Y_9", 30)
)

// What the key file of the Server says.
const (
	email       = "push@acme-verify.iam.gserviceaccount.com"
	keyID       = "7d1f0c5a9be24c3d8f60a1b2c3d4e5f607182930"
	bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// testKeys are made once, because making one takes a while.
var testKeys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// google is a Server that listens, at a time of the test's own.
type google struct {
	*Server
	t   *testing.T
	url string

	mu  sync.Mutex
	now time.Time
}

func start(t *testing.T) *google {
	g := &google{t: t, now: epoch}
	s, err := New(Options{Key: testKeys()[0], Now: g.clock})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	g.Server, g.url = s, h.URL
	return g
}

func (g *google) clock() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func (g *google) later(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(d)
}

// claims are those of a sound assertion.
func (g *google) claims() map[string]any {
	return map[string]any{
		"iss": email, "aud": g.url + "/token", "scope": "https://www.googleapis.com/auth/firebase.messaging",
		"iat": epoch.Unix(), "exp": epoch.Add(time.Hour).Unix(),
	}
}

func sign(key *rsa.PrivateKey, header, claims map[string]any) string {
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	signed := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(c)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (g *google) exchange(assertion string) (status int, said map[string]any) {
	g.t.Helper()
	return g.post("/token", "application/x-www-form-urlencoded", "",
		url.Values{"grant_type": {bearerGrant}, "assertion": {assertion}}.Encode())
}

// access is a fresh access token.
func (g *google) access() string {
	g.t.Helper()
	status, said := g.exchange(sign(testKeys()[0], map[string]any{"alg": "RS256", "typ": "JWT", "kid": keyID}, g.claims()))
	if status != 200 || said["token_type"] != "Bearer" || said["expires_in"] != 3599.0 {
		g.t.Fatalf("a sound assertion is answered %d %v", status, said)
	}
	return said["access_token"].(string)
}

func (g *google) send(access, body string) (status int, said map[string]any) {
	g.t.Helper()
	return g.post("/v1/projects/acme-verify/messages:send", "application/json", access, body)
}

func (g *google) post(path, contentType, access, body string) (status int, said map[string]any) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
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

const sound = `{"message":{"token":"TOKEN","data":{"type":"verify_push_challenge","message":"Log in?"},` +
	`"android":{"priority":"HIGH","ttl":"300s","collapse_key":"YC1"}}}`

func TestASoundMessageIsTaken(t *testing.T) {
	g := start(t)
	body := strings.Replace(sound, "TOKEN", token, 1)
	status, said := g.send(g.access(), body)
	inbox := g.Inbox()
	if status != 200 || len(inbox) != 1 || said["name"] != inbox[0].ID || !strings.HasPrefix(inbox[0].ID, "projects/acme-verify/messages/0:") {
		t.Fatalf("%d %v, the inbox is %+v", status, said, inbox)
	}
	want := Message{
		ID: inbox[0].ID, Token: token, Data: map[string]string{"type": "verify_push_challenge", "message": "Log in?"},
		Priority: "HIGH", TTL: "300s", CollapseKey: "YC1", At: epoch, Raw: []byte(body),
	}
	if !reflect.DeepEqual(inbox[0], want) {
		t.Errorf("the inbox has %+v\nwant %+v", inbox[0], want)
	}
}

func TestAssertionsThatGoogleRefuses(t *testing.T) {
	g := start(t)
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": keyID}
	with := func(name string, value any) map[string]any {
		c := g.claims()
		c[name] = value
		return c
	}
	for name, c := range map[string]struct{ assertion, words string }{
		"nothing":             {"", "Invalid JWT"},
		"no token":            {"a.b.c", "Invalid JWT"},
		"another's key":       {sign(testKeys()[1], header, g.claims()), "Signature"},
		"another key's id":    {sign(testKeys()[0], map[string]any{"alg": "RS256", "kid": "other"}, g.claims()), "Signature"},
		"another algorithm":   {sign(testKeys()[0], map[string]any{"alg": "none", "kid": keyID}, g.claims()), "Signature"},
		"another account":     {sign(testKeys()[0], header, with("iss", "x@example.com")), "account not found"},
		"another audience":    {sign(testKeys()[0], header, with("aud", "https://example.com/token")), "audience"},
		"no scope":            {sign(testKeys()[0], header, with("scope", "")), "scope"},
		"expired":             {sign(testKeys()[0], header, with("exp", epoch.Unix())), "short-lived"},
		"for too long":        {sign(testKeys()[0], header, with("exp", epoch.Unix()+3601)), "short-lived"},
		"from the future":     {sign(testKeys()[0], header, with("iat", epoch.Unix()+301)), "short-lived"},
		"a claim of any type": {sign(testKeys()[0], header, with("iat", "now")), "wrong type"},
	} {
		status, said := g.exchange(c.assertion)
		if status != 400 || !strings.Contains(fmt.Sprint(said["error_description"]), c.words) {
			t.Errorf("%s: %d %v, want words with %q", name, status, said, c.words)
		}
	}
	if status, said := g.post("/token", "application/x-www-form-urlencoded", "", "grant_type=password"); status != 400 || said["error"] != "unsupported_grant_type" {
		t.Errorf("another grant: %d %v", status, said)
	}
	if g.Grants() != 0 {
		t.Errorf("%d tokens were given", g.Grants())
	}
}

func TestAnAccessTokenIsGoodForAWhileForOneProjectAndForMessaging(t *testing.T) {
	g := start(t)
	body := strings.Replace(sound, "TOKEN", token, 1)
	access := g.access()
	expect := func(when string, status int, access string) {
		t.Helper()
		if got, said := g.send(access, body); got != status {
			t.Errorf("%s: %d %v, want %d", when, got, said, status)
		}
	}
	expect("without a token", 401, "")
	expect("with a token that nobody gave", 401, "ya29.c.x")
	expect("with its token", 200, access)
	if got, said := g.post("/v1/projects/other/messages:send", "application/json", access, body); got != 403 {
		t.Errorf("another project: %d %v", got, said)
	}
	narrow := g.claims()
	narrow["scope"] = "https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/devstorage.read_only"
	_, said := g.exchange(sign(testKeys()[0], map[string]any{"alg": "RS256"}, narrow))
	expect("with a token for something else", 403, fmt.Sprint(said["access_token"]))

	g.later(3598 * time.Second)
	expect("a second before its end", 200, access)
	g.later(time.Second)
	expect("at its end", 401, access)
	g.later(-time.Minute)
	g.Revoke()
	expect("after all were revoked", 401, access)
}

func TestMessagesThatGoogleRefuses(t *testing.T) {
	g := start(t)
	access := g.access()
	for name, c := range map[string]struct{ body, where string }{
		"no JSON":              {`{`, "Unexpected token"},
		"no message":           {`{}`, "Recipient of the message is not set"},
		"an unknown field":     {`{"message":{"token":"TOKEN","notification":{"title":"x"}}}`, `Unknown name "notification"`},
		"a token of nonsense":  {`{"message":{"token":"abc"}}`, "not a valid FCM registration token"},
		"a value that is none": {`{"message":{"token":"TOKEN","data":{"n":12}}}`, "(TYPE_STRING), number"},
		"a reserved key":       {`{"message":{"token":"TOKEN","data":{"from":"x"}}}`, "message.data[from]"},
		"a key of Google":      {`{"message":{"token":"TOKEN","data":{"google.x":"x"}}}`, "message.data[google.x]"},
		"a key of gcm":         {`{"message":{"token":"TOKEN","data":{"gcm.x":"x"}}}`, "message.data[gcm.x]"},
		"a priority":           {`{"message":{"token":"TOKEN","android":{"priority":"urgent"}}}`, "message.android.priority"},
		"a life without unit":  {`{"message":{"token":"TOKEN","android":{"ttl":"300"}}}`, "message.android.ttl"},
		"a life below zero":    {`{"message":{"token":"TOKEN","android":{"ttl":"-1s"}}}`, "message.android.ttl"},
		"a life too long":      {`{"message":{"token":"TOKEN","android":{"ttl":"2419201s"}}}`, "message.android.ttl"},
		"too much data":        {`{"message":{"token":"TOKEN","data":{"x":"` + strings.Repeat("y", 4096) + `"}}}`, "too big"},
	} {
		status, said := g.send(access, strings.Replace(c.body, "TOKEN", token, 1))
		if text := fmt.Sprint(said); status != 400 || !strings.Contains(text, "INVALID_ARGUMENT") || !strings.Contains(text, c.where) {
			t.Errorf("%s: %d %v, want 400 and %q", name, status, said, c.where)
		}
	}
	for name, body := range map[string]string{
		"all the data there may be": `{"message":{"token":"TOKEN","data":{"x":"` + strings.Repeat("y", 4095) + `"}}}`,
		"small letters":             `{"message":{"token":"TOKEN","android":{"priority":"high","ttl":"2419200s"}}}`,
		"parts of a second":         `{"message":{"token":"TOKEN","android":{"ttl":"3.5s"}},"validate_only":false}`,
	} {
		if status, said := g.send(access, strings.Replace(body, "TOKEN", token, 1)); status != 200 {
			t.Errorf("%s: %d %v, want 200", name, status, said)
		}
	}
}

// The two answers of firebase.google.com/docs/cloud-messaging/error-codes, which differ in nothing
// but their detail.
func TestRefusalsHaveGooglesForm(t *testing.T) {
	g := start(t)
	access := g.access()
	for want, refusal := range map[string]Refusal{
		`{"error":{"code":400,"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[` +
			`{"description":"Invalid value","field":"message.data[0].value"}]}],"message":"Invalid value","status":"INVALID_ARGUMENT"}}`: *violation("message.data[0].value", "Invalid value"),
		`{"error":{"code":400,"details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}],` +
			`"message":"The registration token is not a valid FCM registration token","status":"INVALID_ARGUMENT"}}`: InvalidToken,
	} {
		g.Fates.Set(token, fate.Fate[Refusal]{Refuse: &refusal})
		status, said := g.send(access, strings.Replace(sound, "TOKEN", token, 1))
		var got bytes.Buffer
		json.NewEncoder(&got).Encode(said)
		if strings.TrimSpace(got.String()) != want || status != refusal.HTTP {
			t.Errorf("%d %s\nwant %s", status, &got, want)
		}
	}
	if n := len(g.Inbox()); n != 0 {
		t.Errorf("%d messages were taken, want none", n)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte(strings.Replace(sound, "TOKEN", token, 1)))
	f.Add([]byte(`{"message":{"token":1}}`))
	f.Add([]byte(`{"message":{"android":{"ttl":"1e9s"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, refusal := readMessage(raw)
		if refusal == nil && (!handset.MatchString(m.Token) || m.TTL != "" && !goodTTL(m.TTL)) {
			t.Errorf("%q was taken as %+v", raw, m)
		}
		if refusal != nil && refusal.HTTP/100 != 4 {
			t.Errorf("%q is refused by %+v", raw, refusal)
		}
	})
}
