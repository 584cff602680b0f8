package main

import (
	"bytes"
	"net/url"
	"os"
	"testing"

	"github.com/verifyd/verifyd/internal/devserver"
)

// A server refuses who guesses, unless that is turned off; a developer's does so if asked. Counts
// survive the process.
func TestWhoHasTheBuiltInLimits(t *testing.T) {
	t.Run("serve", func(t *testing.T) {
		in := install(t, newGateway(t).URL)
		p := in.serve()
		guess(t, p.base, in.key, in.secret, 201)
		p.stop()

		text, err := os.ReadFile(in.config)
		if err == nil {
			err = os.WriteFile(in.config, bytes.Replace(text, []byte("built_in_limits = false\n"), nil, 1), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		p = in.serve()
		guess(t, p.base, in.key, in.secret, 429)
	})
	t.Run("dev", func(t *testing.T) {
		p := dev(t, t.TempDir())
		guess(t, p.base, p.said("account SID"), p.said("auth token"), 201)
	})
	t.Run("dev --limits", func(t *testing.T) {
		data := t.TempDir()
		p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", data, "--log", "warn", "--limits")
		account, token := p.said("account SID"), p.said("auth token")
		service := guess(t, p.base, account, token, 429)
		p.kill() // as kill -9 does
		p = begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", data, "--log", "warn", "--limits")
		start(t, p.base, account, token, service, 429)
	})
}

// guess spends the five guesses of four digits, and starts again. It returns the path of its
// service.
func guess(t *testing.T, base, user, password string, want int) (service string) {
	t.Helper()
	send := func(status int, path string, form url.Values) map[string]any {
		t.Helper()
		got, body, _, err := post(t.Context(), base, user, password, path, form)
		if err != nil || got != status {
			t.Fatalf("POST %s: %d %v, %v; want %d", path, got, body, err, status)
		}
		return body
	}
	made := send(201, "/v2/Services", url.Values{"FriendlyName": {"Acme"}, "CodeLength": {"4"}})
	service = "/v2/Services/" + made["sid"].(string)
	v := start(t, base, user, password, service, 201)
	for range 5 {
		send(200, service+"/VerificationCheck", url.Values{"To": {devserver.SampleNumber}, "Code": {"too long"}})
	}
	send(200, service+"/Verifications/"+v["sid"].(string), url.Values{"Status": {"canceled"}})
	start(t, base, user, password, service, want)
	return service
}

func start(t *testing.T, base, user, password, service string, want int) map[string]any {
	t.Helper()
	got, body, _, err := post(t.Context(), base, user, password, service+"/Verifications", url.Values{"To": {devserver.SampleNumber}, "Channel": {"sms"}})
	if err != nil || got != want || want == 429 && body["code"] != 60202.0 {
		t.Fatalf("start: %d %v, %v; want %d", got, body, err, want)
	}
	return body
}
