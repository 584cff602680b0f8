package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv(asCarrier) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// asCarrier has the test binary be fakecarrier itself, so that stories run the real program in a process of
// its own.
const asCarrier = "FAKECARRIER_TEST_AS_PROGRAM"

// anywhere has every port be chosen by the system.
var anywhere = []string{"--api", "127.0.0.1:0", "--http", "127.0.0.1:0", "--smpp", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--smtp", "127.0.0.1:0"}

func TestMistakesAreSaidInWords(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	knobs := filepath.Join(t.TempDir(), "knobs.json")
	if err := os.WriteFile(knobs, []byte(`{"knobs":[{"provider":"pigeon"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--help"}, exitOK, "the `address`"},
		{[]string{"--pigeon"}, exitUsage, "flag provided but not defined"},
		{[]string{"serve"}, exitUsage, `"serve" is too much`},
		{[]string{"--hosts", "http://x"}, exitUsage, `--hosts: "http://x" is no name of a host`},
		{[]string{"--seed", "x"}, exitUsage, `--seed "x" is not a number`},
		{[]string{"--log", "loud"}, exitUsage, `--log "loud" is none of`},
		{[]string{"--cert", "x.pem"}, exitUsage, "--cert is of --apns"},
		{append(anywhere, "--smtp", taken.Addr().String()), exitFailed, "--smtp: cannot listen"},
		{append(anywhere, "--knobs", "none.json"), exitFailed, "--knobs: open none.json"},
		{append(anywhere, "--knobs", knobs), exitFailed, `knob 1: provider "pigeon" is none of`},
		{append(anywhere, "--apns", "127.0.0.1:0", "--cert", "/none/x.pem"), exitFailed, "--cert: open"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), c.args, &stdout, &stderr)
		if want := strings.ReplaceAll(c.want, "the `address`", "address"); code != c.code || !strings.Contains(stderr.String(), want) {
			t.Errorf("%v: %d %s, want %d %s", c.args, code, &stderr, c.code, want)
		}
	}
}

func TestItStopsWhenItIsTold(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	cert := filepath.Join(dir, "apns.pem")
	if code := run(ctx, append(anywhere, "--apns", "127.0.0.1:0", "--cert", cert, "--seed", "7"), &stdout, &stderr); code != exitOK {
		t.Fatal(code, stderr.String())
	}
	for _, want := range []string{"[providers.smpp]\n", "[providers.apns]\n", "[routes]\nsms = [\"smpp\", \"twilio\"]\n", "/messages, and the knobs are at http://127.0.0.1:"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("it did not print %q:\n%s", want, &stdout)
		}
	}
	if text, err := os.ReadFile(cert); err != nil || !bytes.HasPrefix(text, []byte("-----BEGIN CERTIFICATE-----")) {
		t.Errorf("the certificate: %v", err)
	}
}
