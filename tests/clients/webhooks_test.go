//go:build full

package clients

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
)

// delivered is a webhook call as it arrived.
type delivered struct {
	signature string
	form      map[string]string
}

// Each official library has a validator of signatures, which a receiver uses as it is.
func TestTheOfficialValidatorsTakeTheSignature(t *testing.T) {
	onEach(t, func(t *testing.T, baseURL string) {
		got := make(chan delivered, 10)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			form := map[string]string{}
			for name := range r.PostForm {
				form[name] = r.PostForm.Get(name)
			}
			got <- delivered{r.Header.Get("X-Twilio-Signature"), form}
		}))
		defer receiver.Close()
		target := receiver.URL + "/hooks/verify?tenant=7&name=%C3%A9"
		service := call(t, baseURL+"/v2/Services", url.Values{"FriendlyName": {"Hooks"}})["sid"].(string)
		at := baseURL + "/v2/Services/" + service
		call(t, at+"/Webhooks", url.Values{"FriendlyName": {"audit"}, "EventTypes": {"*"}, "WebhookUrl": {target}})
		call(t, at+"/Entities/user-7f3a91c2/Factors", url.Values{"FriendlyName": {"Ann"}, "FactorType": {"totp"}})
		var event delivered
		select {
		case event = <-got:
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was delivered")
		}
		if event.form["type"] != "factor.created" || event.form["factor_type"] != "totp" {
			t.Errorf("the event is %v", event.form)
		}
		for name, takes := range map[string]func(*testing.T, string, string, delivered) bool{"Go": inGo, "Node": inNode, "Python": inPython} {
			if !takes(t, authToken, target, event) {
				t.Errorf("%s refuses %q of %v", name, event.signature, event.form)
			}
			if takes(t, strings.ToUpper(authToken), target, event) {
				t.Errorf("%s takes the signature of another token", name)
			}
		}
	})
}

func call(t *testing.T, target string, form url.Values) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(accountSID, authToken)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	var body map[string]any
	if err != nil || answer.StatusCode != http.StatusCreated || json.Unmarshal(text, &body) != nil {
		t.Fatalf("%s: %d %s %v", target, answer.StatusCode, text, err)
	}
	return body
}

func inGo(_ *testing.T, token, target string, event delivered) bool {
	validator := client.NewRequestValidator(token)
	return validator.Validate(target, event.form, event.signature)
}

func inNode(t *testing.T, token, target string, event delivered) bool {
	return says(t, "node", "node", "-e", `
const [token, signature, url, form] = process.argv.slice(1);
console.log(require("twilio").validateRequest(token, signature, url, JSON.parse(form)) ? "yes" : "no");`, token, target, event)
}

func inPython(t *testing.T, token, target string, event delivered) bool {
	return says(t, "", "/usr/bin/python3", "-c", `
import json, sys
from twilio.request_validator import RequestValidator
token, signature, url, form = sys.argv[1:]
print("yes" if RequestValidator(token).validate(url, json.loads(form), signature) else "no")`, token, target, event)
}

// says runs a validator in a folder that has its library.
func says(t *testing.T, dir, interpreter, flag, script, token, target string, event delivered) bool {
	t.Helper()
	form, err := json.Marshal(event.form)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), interpreter, flag, script, token, event.signature, target, string(form))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	said := strings.TrimSpace(string(out))
	if err != nil || (said != "yes" && said != "no") {
		t.Fatalf("%s: %v (`make tools` installs the library)\n%s", interpreter, err, out)
	}
	return said == "yes"
}
