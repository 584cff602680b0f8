package verifytest_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/verifytest"
)

const acme = "VA5c1d0e8f7a6b49325c1d0e8f7a6b4932"

// writeWorld is the file of a world.
func writeWorld(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "verifyd.world.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const smallWorld = `
[[service]]
sid = "` + acme + `"
friendly_name = "Acme"
code_length = 4

[[service.rate_limit]]
unique_name = "ip"
bucket = [{ max = 1, interval = 60 }]

[[rule]]
to = "+34699*"
code = "4711"
`

func TestAWorldFromAFile(t *testing.T) {
	file := writeWorld(t, smallWorld)
	srv := verifytest.Start(t, verifytest.World(file))
	if srv.ServiceSID != acme {
		t.Fatalf("the service is %s", srv.ServiceSID)
	}
	limited := func() int {
		status, _ := post(t, srv, "verify.twilio.com", "/Verifications", url.Values{"To": {ana}, "Channel": {"sms"}, "RateLimits": {`{"ip":"192.0.2.1"}`}})
		return status
	}
	if got := fmt.Sprint(limited(), len(srv.Code(t, ana)), limited()); got != "201 4 429" {
		t.Errorf("two starts: %s", got)
	}
	// What a test changed is as in the file after a reset, and so is what was changed in the file.
	post(t, srv, "verify.twilio.com", "", url.Values{"CodeLength": {"8"}})
	srv.SetRules()
	if err := os.WriteFile(file, []byte(strings.Replace(smallWorld, "4711", "4712", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	srv.Reset()
	if got := fmt.Sprint(limited(), len(srv.Code(t, ana))); got != "201 4" {
		t.Errorf("after the reset: %s", got)
	}
	start(t, srv, "+34699000000")
	if got := srv.Code(t, "+34699000000"); got != "4712" {
		t.Errorf("the code of the rule is %s", got)
	}
}

func TestAWorldThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"[[service]]\n": "[[service]] 1: sid",
		strings.Replace(smallWorld, "= 4", "= 40", 1):       "code_length",
		strings.Replace(smallWorld, "unique_name", "uq", 1): "unknown key service.rate_limit.uq",
	} {
		if srv, err := verifytest.New(verifytest.World(writeWorld(t, text))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v; want %s", srv, err, want)
		}
	}
}

// A reset to a file that is wrong by now changes nothing.
func TestAResetToAWorldThatIsWrong(t *testing.T) {
	file := writeWorld(t, smallWorld)
	srv := verifytest.Start(t, verifytest.World(file))
	start(t, srv, ana)
	if err := os.WriteFile(file, []byte("[[rule]]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, body := call(t, srv, "POST", "/dev/reset")
	if status != 400 || !strings.Contains(body, "[[rule]] 1: to is missing") {
		t.Errorf("%d %s", status, body)
	}
	if got := check(t, srv, ana, srv.Code(t, ana)); got != "200 approved" {
		t.Errorf("a check after it: %s", got)
	}
}

// What only the API can refuse is found when everything is gone already: the answer says what it is, and the
// inbox has nothing of before.
func TestAResetToAWorldThatTheAPIRefuses(t *testing.T) {
	file := writeWorld(t, smallWorld)
	srv := verifytest.Start(t, verifytest.World(file))
	start(t, srv, ana)
	srv.Code(t, ana)
	if err := os.WriteFile(file, []byte(strings.Replace(smallWorld, "code_length = 4", "code_length = 40", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	status, body := call(t, srv, "POST", "/dev/reset")
	if status != 400 || !strings.Contains(body, "code_length") {
		t.Errorf("%d %s", status, body)
	}
	if _, messages := call(t, srv, "GET", "/dev/inbox"); !strings.Contains(messages, `"messages":[]`) {
		t.Errorf("after it the inbox has %s", messages)
	}
	if err := os.WriteFile(file, []byte(smallWorld), 0o600); err != nil {
		t.Fatal(err)
	}
	srv.Reset()
	start(t, srv, ana)
	if got := check(t, srv, ana, srv.Code(t, ana)); got != "200 approved" {
		t.Errorf("a check after the file was mended: %s", got)
	}
}
