//go:build full

package push

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	fakeapns "github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	fakefcm "github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/apns"
	"github.com/verifyd/verifyd/provider/fcm"
)

// The challenge that all clients tell of.
const (
	challenge = "YC0123456789abcdef0123456789abcdef"
	question  = "Log in to Acme?"
)

func data() map[string]string {
	return map[string]string{
		"type": "verify_push_challenge", "message": question,
		"challenge_sid": challenge, "factor_sid": "YF0123456789abcdef0123456789abcdef",
	}
}

// run returns the lines that a client prints.
func run(t *testing.T, cmd *exec.Cmd) []string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, &stderr)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestFirebasesLibraryIsContentWithTheStandIn(t *testing.T) {
	google, err := fakefcm.New(fakefcm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(google)
	defer server.Close()
	key, err := google.ServiceAccount(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	handset := func(name string) string { return name + ":APA91b" + strings.Repeat("x", 120) }
	want := []string{"taken", "unregistered", "sender id mismatch", "quota exceeded", "third party auth error", "invalid argument"}
	tokens := []string{handset("good")}
	for _, r := range []fakefcm.Refusal{fakefcm.Unregistered, fakefcm.OtherSender, fakefcm.QuotaExceeded, fakefcm.ThirdPartyAuth} {
		tokens = append(tokens, handset(strings.ToLower(r.FCM)))
		google.Fates.Set(tokens[len(tokens)-1], fate.Fate[fakefcm.Refusal]{Refuse: &r})
	}
	tokens = append(tokens, "malformed")

	binary := filepath.Join(t.TempDir(), "firebase")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir = "firebase"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the client: %v\n%s", err, out)
	}
	client := exec.CommandContext(t.Context(), binary, tokens...)
	client.Env = append(os.Environ(), "FIREBASE_KEY="+string(key), "FIREBASE_URL="+server.URL)
	said := run(t, client)
	inbox := google.Inbox()
	if len(inbox) != 1 {
		t.Fatalf("the stand-in took %d messages, want 1; the client says %q", len(inbox), said)
	}
	want[0] += " " + inbox[0].ID
	if !reflect.DeepEqual(said, want) {
		t.Errorf("the client says %q\nwant %q", said, want)
	}

	// Ours is the same message.
	p, err := fcm.New(fcm.Config{Credentials: string(key), BaseURL: server.URL}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := p.Send(t.Context(), provider.Message{
		Channel: "push", To: tokens[0], Deadline: time.Now().Add(300*time.Second + 900*time.Millisecond),
		Push: &provider.Push{Platform: "fcm", Data: data(), Collapse: challenge},
	})
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := inbox[0], google.Inbox()[1]
	if accepted.ID != ours.ID || strings.EqualFold(theirs.Priority, "high") != strings.EqualFold(ours.Priority, "high") {
		t.Errorf("ours is %+v under %q\ntheirs %+v", ours, accepted.ID, theirs)
	}
	// The stand-in reads their small letters as Firebase does; time may have passed since the deadline.
	for _, m := range []*fakefcm.Message{&theirs, &ours} {
		m.ID, m.Raw, m.At, m.Priority = "", nil, time.Time{}, ""
	}
	theirs.TTL, ours.TTL = lasts(t, theirs.TTL, 300), lasts(t, ours.TTL, 270)
	if !reflect.DeepEqual(ours, theirs) {
		t.Errorf("ours is %+v\ntheirs %+v", ours, theirs)
	}
}

// lasts checks that a life has at least so many seconds, and five minutes at most.
func lasts(t *testing.T, ttl string, least int) string {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSuffix(ttl, "s"))
	if err != nil || n < least || n > 300 {
		t.Errorf("a life of %q, want %ds to 300s", ttl, least)
	}
	return ""
}

func TestALibraryForAPNsIsContentWithTheStandIn(t *testing.T) {
	if _, err := os.Stat("node/node_modules/@parse/node-apn/package.json"); errors.Is(err, fs.ErrNotExist) {
		t.Fatal("the library is not installed: `make tools` does it")
	}
	apple, err := fakeapns.New(fakeapns.Options{Topics: []string{"com.acme.app"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(apple)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	key, err := apple.Key()
	if err != nil {
		t.Fatal(err)
	}
	handset := func(n int) string { return fmt.Sprintf("%064x", n) }
	gone := fakeapns.Unregistered
	gone.Since = time.UnixMilli(1925089200000)
	apple.Fates.Set(handset(2), fate.Fate[fakeapns.Refusal]{Refuse: &gone})
	apple.Fates.Set(handset(3), fate.Fate[fakeapns.Refusal]{Refuse: &fakeapns.BadDeviceToken})

	expiry := time.Now().Add(5 * time.Minute).Unix()
	note := func(token string, change ...any) map[string]any {
		n := map[string]any{
			"token": token, "topic": "com.acme.app", "alert": question, "sound": "default",
			"category": "verify_push_challenge", "expiry": expiry, "collapseId": challenge, "payload": data(),
		}
		for i := 0; i < len(change); i += 2 {
			n[change[i].(string)] = change[i+1]
		}
		return n
	}
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(map[string]any{
		"port": number, "key": string(key), "keyId": apple.KeyID(), "teamId": apple.Team(), "ca": authority(server.Certificate()),
		"notes": []any{
			note(handset(1)), note(handset(2)), note(handset(3)), note("xyz"),
			note(handset(1), "topic", "com.other.app"),
			note(handset(1), "priority", 7),
			note(handset(1), "collapseId", strings.Repeat("x", 65)),
			note(handset(1), "alert", strings.Repeat("x", 4096)),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := exec.CommandContext(t.Context(), "node", "apn.mjs")
	client.Dir, client.Stdin = "node", bytes.NewReader(input)
	said := run(t, client)
	want := []string{"taken", "410 Unregistered 1925089200000", "400 BadDeviceToken", "400 BadDeviceToken",
		"400 TopicDisallowed", "400 BadPriority", "400 BadCollapseId", "413 PayloadTooLarge"}
	if !reflect.DeepEqual(said, want) {
		t.Errorf("the client says %q\nwant %q", said, want)
	}
	inbox := apple.Inbox()
	if len(inbox) != 1 {
		t.Fatalf("the stand-in took %d notifications, want 1", len(inbox))
	}

	// Ours is the same notification. It goes to a stand-in of its own, because Apple takes no other
	// provider token within twenty minutes of the client's.
	ours := sendOurs(t, handset(1), expiry)
	theirs := inbox[0]
	for _, n := range []*fakeapns.Notification{&theirs, &ours} {
		var payload any
		if err := json.Unmarshal(n.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		if n.Payload, err = json.Marshal(payload); err != nil { // in one order
			t.Fatal(err)
		}
		n.ID, n.At = "", time.Time{}
	}
	if !reflect.DeepEqual(ours, theirs) {
		t.Errorf("ours is %+v %s\ntheirs %+v %s", ours, ours.Payload, theirs, theirs.Payload)
	}
}

// sendOurs sends by our provider to a stand-in of its own.
func sendOurs(t *testing.T, token string, expiry int64) fakeapns.Notification {
	t.Helper()
	apple, err := fakeapns.New(fakeapns.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := apple.Key()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(apple)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	p, err := apns.New(apns.Config{Key: string(key), KeyID: apple.KeyID(), TeamID: apple.Team(), BaseURL: server.URL},
		provider.Deps{HTTP: &http.Client{Transport: server.Client().Transport}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Send(t.Context(), provider.Message{
		Key: "VL1:1", Channel: "push", To: token, Deadline: time.Unix(expiry, 0),
		Push: &provider.Push{Platform: "apn", App: "com.acme.app", Title: "Acme", Body: question, Data: data(), Collapse: challenge},
	}); err != nil {
		t.Fatal(err)
	}
	return apple.Inbox()[0]
}

func authority(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}
