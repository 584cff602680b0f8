package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpapi"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestMain lets the test binary be the program: with RUN_GATEWAY set it runs main, as
// `go run` would, without compiling it again.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_GATEWAY") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestTheGoGateway(t *testing.T) {
	cmd := exec.Command(os.Args[0], "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "RUN_GATEWAY=1")
	check(t, cmd)
}

// check runs a gateway as its own process, sends it messages by verifyd's provider, and reads what
// it printed.
func check(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Env = append(cmd.Environ(), "SECRET="+secret)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewReader(out)
	line := readLine(t, lines)
	_, url, ok := strings.Cut(line, "gateway on ")
	if !ok {
		t.Fatalf("the gateway began with %q", line)
	}

	p, err := httpapi.New(httpapi.Config{URL: url, Secret: secret}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	send := func(key, to, text string) string {
		t.Helper()
		accepted, err := p.Send(t.Context(), provider.Message{Key: key, Channel: "sms", To: to, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if accepted.ID == "" || accepted.Parts != 1 {
			t.Errorf("accepted as %+v, want an identifier and one part", accepted)
		}
		return accepted.ID
	}
	first := send("VL1:1", "+34612345678", "482913 es tu código de Acme")
	if again := send("VL1:1", "+34612345678", "482913 es tu código de Acme"); again != first {
		t.Errorf("the same message got two identifiers: %s and %s", first, again)
	}
	if other := send("VL2:1", "+34612000000", "771204 is your Acme code"); other == first {
		t.Errorf("two messages got one identifier: %s", first)
	}
	for _, want := range []string{"sms +34612345678 482913 es tu código de Acme", "sms +34612000000 771204 is your Acme code"} {
		if got := readLine(t, lines); got != want {
			t.Errorf("the gateway printed %q, want %q", got, want)
		}
	}

	stranger, err := httpapi.New(httpapi.Config{URL: url, Secret: "another secret altogether"}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.Send(t.Context(), provider.Message{Key: "VL3:1", Channel: "sms", To: "+34612345678", Text: "x"})
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Class != provider.BadRequest || e.Code != "signature" {
		t.Errorf("a stranger's message: got %v, want bad_request signature", err)
	}
	resp, err := http.Post(url+"/v1/send", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an unsigned message: got %s, want 401", resp.Status)
	}
}

func readLine(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil && err != io.EOF || line == "" {
		t.Fatal(fmt.Errorf("the gateway printed nothing more: %w", err))
	}
	return strings.TrimRight(line, "\r\n")
}
