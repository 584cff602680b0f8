package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What examples/compose starts answers as verify.twilio.com, with the credentials that both have, and is
// healthy by the command that it names.
func TestTheComposeExample(t *testing.T) {
	text, err := os.ReadFile("../../examples/compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	list := func(key string) (words []string) {
		m := regexp.MustCompile(`(?m)^ +` + key + `: (\[.*\])$`).FindSubmatch(text)
		if m == nil || json.Unmarshal(m[1], &words) != nil {
			t.Fatalf("no list of %s", key)
		}
		return words
	}
	data := t.TempDir()
	here := strings.NewReplacer("/data", data, "0.0.0.0:8642", "127.0.0.1:0", "0.0.0.0:443", "127.0.0.1:0", "/verifyd", os.Args[0])
	var env []string
	for _, m := range regexp.MustCompile(`(?m)^ +(TWILIO_\w+): (\w+)$`).FindAllSubmatch(text, -1) {
		env = append(env, string(m[1])+"="+string(m[2]))
	}
	var args []string
	for _, word := range list("command") {
		args = append(args, here.Replace(word))
	}
	p := begin(t, devReady, env, args...)

	health := list("test")
	cmd := exec.Command(here.Replace(health[1]))
	for _, word := range health[2:] {
		cmd.Args = append(cmd.Args, here.Replace(word))
	}
	cmd.Env = []string{asVerifyd + "=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("it is not healthy: %v\n%s", err, out)
	}

	var at struct{ TLS string }
	announced, err := os.ReadFile(filepath.Join(data, "running.json"))
	if err != nil || json.Unmarshal(announced, &at) != nil {
		t.Fatal(err, string(announced))
	}
	app := trusting(t, filepath.Join(data, "ca.pem"), at.TLS)
	_, sid, _ := strings.Cut(env[2], "=")
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://verify.twilio.com/v2/Services/"+sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(p.said("account SID"), p.said("auth token"))
	answer, err := app.Do(r)
	if err != nil || answer.StatusCode != 200 {
		t.Errorf("its service: %v, %v", answer, err)
	}
}
