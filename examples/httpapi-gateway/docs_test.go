//go:build full

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider/httpapi"
)

func block(t *testing.T, language string, n int) string {
	t.Helper()
	manual, err := os.ReadFile("../../docs/providers/httpapi.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(manual), -1)
	if n >= len(found) {
		t.Fatalf("the manual has %d pieces of %s", len(found), language)
	}
	return found[n][1]
}

func need(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is missing: `make tools` installs it: %v", name, err)
		}
	}
}

// TestTheManualsCurlIsAnswered runs the two pieces of shell: the gateway, and what verifyd would
// send to it.
func TestTheManualsCurlIsAnswered(t *testing.T) {
	need(t, "python3", "bash", "curl", "openssl", "base64")
	start := strings.TrimSpace(block(t, "sh", 0))
	start = strings.Replace(start, " python3", " exec python3", 1) + " 0"
	gateway := exec.Command("bash", "-c", start)
	gateway.Dir = "../.."
	gateway.Stderr = t.Output()
	out, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		gateway.Process.Kill()
		gateway.Wait()
	})
	lines := bufio.NewReader(out)
	_, url, _ := strings.Cut(readLine(t, lines), "gateway on ")

	curl := strings.ReplaceAll(block(t, "sh", 1), "http://127.0.0.1:8089", url)
	answer, err := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", curl).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	if got := string(answer); !strings.HasPrefix(got, "HTTP/1.0 202 Accepted") || !strings.HasSuffix(got, `{"id": "gw-1", "parts": 1}`) {
		t.Errorf("the gateway answered\n%s", got)
	}
	if got, want := readLine(t, lines), "sms +34612345678 482913 is your Acme code"; got != want {
		t.Errorf("the gateway printed %q, want %q", got, want)
	}
}

// TestTheManualsVerifiersAgree lets Python and Node judge what our signer signed.
func TestTheManualsVerifiersAgree(t *testing.T) {
	need(t, "python3", "node")
	type request struct {
		Secret  string            `json:"secret"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	var requests []request
	var want []bool
	add := func(valid bool, secret string, at time.Time, spoil func(h map[string]string, body *string)) {
		s, err := httpapi.ParseSecret(secret)
		if err != nil {
			t.Fatal(err)
		}
		body := `{"to":"+34612345678","text":"482913 es tu código"}`
		h := http.Header{}
		s.SignHeader(h, "VL1:1", at, []byte(body))
		headers := map[string]string{}
		for name := range h {
			headers[strings.ToLower(name)] = h.Get(name)
		}
		if spoil != nil {
			spoil(headers, &body)
		}
		requests, want = append(requests, request{secret, headers, body}), append(want, valid)
	}
	now := time.Now()
	add(true, secret, now, nil)
	add(true, "a passphrase of words", now, nil)
	add(true, secret, now.Add(-200*time.Second), nil)
	add(true, secret, now, func(h map[string]string, _ *string) {
		h["webhook-signature"] = "v1a,x v1,AAAA " + h["webhook-signature"]
	})
	add(false, secret, now.Add(-400*time.Second), nil)
	add(false, secret, now.Add(400*time.Second), nil)
	add(false, secret, now, func(_ map[string]string, body *string) { *body += " " })
	add(false, secret, now, func(h map[string]string, _ *string) { h["webhook-id"] = "VL2:1" })
	add(false, secret, now, func(h map[string]string, _ *string) { h["webhook-signature"] = "v1,AAAA" })
	input, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	for name, cmd := range map[string]*exec.Cmd{
		"Python": exec.Command("python3", "-c", block(t, "python", 0)+`
import json, sys
print(json.dumps([bool(signed(r["secret"], r["headers"], r["body"].encode())) for r in json.load(sys.stdin)]))`),
		"Node": exec.Command("node", "-e", block(t, "js", 0)+`
console.log(JSON.stringify(JSON.parse(require("node:fs").readFileSync(0)).map((r) => signed(r.secret, r.headers, Buffer.from(r.body)))))`),
	} {
		cmd.Stdin = strings.NewReader(string(input))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		var got []bool
		if err := json.Unmarshal(out, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s says %s, want %v", name, out, want)
		}
	}
}
