//go:build full

package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"
	verify "github.com/twilio/twilio-go/rest/verify/v2"
)

// The test binary is a program that knows nothing of verifyd when this variable is set.
const asProgram = "VERIFYD_TEST_AS_PROGRAM"

var binary string

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		if err := walk(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("passed")
		return
	}
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "verifyd-run-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "verifyd")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/verifyd").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build verifyd: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// verifydRun runs a program to its end.
func verifydRun(t *testing.T, program ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"run", "--data", t.TempDir(), "--"}, program...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "passed\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestNode(t *testing.T) {
	for _, library := range []string{"twilio5", "twilio6"} {
		t.Run(library, func(t *testing.T) { verifydRun(t, "node", "node/walk.mjs", library) })
	}
}

func TestPython(t *testing.T) {
	// By its path: the library belongs to the system's Python, and another may come first in PATH.
	verifydRun(t, "/usr/bin/python3", "python/walk.py")
}

func TestGo(t *testing.T) { verifydRun(t, "env", asProgram+"=1", os.Args[0]) }

func TestCurl(t *testing.T) {
	const script = `
service=https://verify.twilio.com/v2/Services/$TWILIO_VERIFY_SERVICE_SID
user=$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN
curl -sS --fail $service/Verifications -u $user -d Channel=sms --data-urlencode To=+34612345678
code=$(curl -sS --fail "$VERIFYD_URL/dev/inbox?to=%2B34612345678&wait=10s" | sed 's/.*"code":"\([0-9]*\)".*/\1/')
curl -sS --fail $service/VerificationCheck -u $user --data-urlencode To=+34612345678 -d Code=$code | grep '"status":"approved"'
curl -sS --fail https://verify.us1.twilio.com/livez
echo passed`
	verifydRun(t, "sh", "-ec", script)
}

// walk is what a program does with twilio-go. The client is put together as NewRestClientWithParams
// does it; that function brings sixty other products, which take minutes to compile.
func walk() error {
	c := &client.Client{Credentials: client.NewCredentials(os.Getenv("TWILIO_ACCOUNT_SID"), os.Getenv("TWILIO_AUTH_TOKEN"))}
	c.SetAccountSid(os.Getenv("TWILIO_ACCOUNT_SID"))
	for _, at := range []struct{ edge, region, host string }{
		{"", "", "verify.twilio.com"}, {"sydney", "au1", "verify.sydney.au1.twilio.com"},
	} {
		handler := client.NewRequestHandler(c)
		handler.Edge, handler.Region = at.edge, at.region
		if err := signIn(verify.NewApiService(handler), at.host); err != nil {
			return fmt.Errorf("%s: %w", at.host, err)
		}
	}
	api := verify.NewApiServiceWithClient(c)
	for _, name := range []string{"One", "Two"} {
		if _, err := api.CreateService(new(verify.CreateServiceParams).SetFriendlyName(name)); err != nil {
			return err
		}
	}
	list, err := api.ListService(new(verify.ListServiceParams).SetPageSize(1)) // over pages
	if err != nil || len(list) < 3 || *list[0].FriendlyName != "Two" || *list[1].FriendlyName != "One" {
		return fmt.Errorf("services: %d, %w", len(list), err)
	}
	_, err = api.FetchService("VA" + strings.Repeat("0", 32))
	if refusal, ok := errors.AsType[*client.TwilioRestError](err); !ok || refusal.Code != 20404 {
		return fmt.Errorf("a service that is not there: %v", err)
	}
	return nil
}

func signIn(api *verify.ApiService, host string) error {
	const to = "+34612345621"
	service := os.Getenv("TWILIO_VERIFY_SERVICE_SID")
	started, err := api.CreateVerification(service, new(verify.CreateVerificationParams).SetTo(to).SetChannel("sms"))
	if err != nil {
		return err
	}
	if !strings.HasPrefix(*started.Url, "https://"+host+"/v2/") {
		return fmt.Errorf("its URL is %s", *started.Url)
	}
	answer, err := http.Get(os.Getenv("VERIFYD_URL") + "/dev/inbox?wait=10s&limit=1&to=" + url.QueryEscape(to))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var inbox struct{ Messages []struct{ Code string } }
	if err := json.NewDecoder(answer.Body).Decode(&inbox); err != nil || len(inbox.Messages) != 1 {
		return fmt.Errorf("inbox: %v, %w", inbox, err)
	}
	checked, err := api.CreateVerificationCheck(service, new(verify.CreateVerificationCheckParams).SetTo(to).SetCode(inbox.Messages[0].Code))
	if err != nil {
		return err
	}
	if *checked.Status != "approved" {
		return fmt.Errorf("the check says %s", *checked.Status)
	}
	return nil
}
