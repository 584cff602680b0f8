package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/rcs"
)

// An installation by the configuration of docs/providers/rcs.md: what becomes of codes for telephones that
// are switched off, that have no RCS, and whose messages Google keeps; and the story that the page tells.
func TestACodeGoesOnFromRCSToSMS(t *testing.T) {
	page, err := os.ReadFile("../../docs/providers/rcs.md")
	if err != nil {
		t.Fatal(err)
	}
	var late atomic.Int64 // by how much Google's clock is ahead
	google, err := rcs.New(rcs.Options{Now: func() time.Time { return time.Now().Add(time.Duration(late.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	far := httptest.NewServer(google)
	t.Cleanup(far.Close)
	var mu sync.Mutex
	texts := map[string]int{} // by SMS, guarded by mu
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct{ To string }
		if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&m) == nil {
			mu.Lock()
			defer mu.Unlock()
			texts[m.To]++
			w.WriteHeader(http.StatusAccepted)
			w.Write([]byte(`{"id":"7"}`))
		}
	}))
	t.Cleanup(gateway.Close)
	textsTo := func(to string) int {
		mu.Lock()
		defer mu.Unlock()
		return texts[to]
	}

	home := t.TempDir()
	key, err := google.ServiceAccount(far.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "rcs.json"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	config := "listen = \"127.0.0.1:0\"\nstore = \"sqlite:" + home + "/verifyd.db\"\n" + strings.NewReplacer(
		"/etc/verifyd/rcs.json", home+"/rcs.json",
		`region           = "europe"`, `base_url = "`+far.URL+`"`,
		"https://gateway.example.com", gateway.URL,
	).Replace(tomlBlock.FindStringSubmatch(string(page))[1])
	in := filepath.Join(home, "verifyd.toml")
	if err := os.WriteFile(in, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"RCS_CLIENT_TOKEN=SJENCPGJESMGUFPY", "GATEWAY_SECRET=another secret of the tests"}
	stdout, stderr, code := onceWith(t, env, "account", "create", "--config", in, "--countries", "ES")
	credentials := regexp.MustCompile(`(?m)^(?:account SID|auth token) +(\S+)$`).FindAllStringSubmatch(stdout, -1)
	if code != 0 || len(credentials) != 2 {
		t.Fatal(stdout, stderr)
	}
	doctor, _, _ := onceWith(t, env, "doctor", "--config", in, "--report-urls")
	hook := regexp.MustCompile(`reports of rcs .*PUBLIC_URL(\S+)`).FindStringSubmatch(doctor)
	if hook == nil || !regexp.MustCompile(`provider rcs +ok`).MatchString(doctor) {
		t.Fatalf("the doctor says\n%s", doctor)
	}
	p := begin(t, serveReady, env, "serve", "--config", in)
	client := []string{"HOME=" + home, "VERIFYD_URL=" + p.base, "TWILIO_ACCOUNT_SID=" + credentials[0][1], "TWILIO_AUTH_TOKEN=" + credentials[1][1]}
	do := func(line string) string {
		t.Helper()
		stdout, stderr, code := onceWith(t, client, strings.Fields(line)...)
		if code != 0 {
			t.Fatal(line, stderr)
		}
		return stdout
	}
	if err := google.SetUp(t.Context(), far.Client(), p.base+hook[1]); err != nil {
		t.Fatal(err)
	}
	do("service create Acme")
	do("service update Acme --fallback rcs,sms --fallback-after 1")
	storyOf := func(to string) string {
		t.Helper()
		return do("attempt " + strings.TrimSpace(do("attempt list --channel rbm --to "+to+" --quiet")))
	}

	const off, without, kept, patient, there = "+34612345671", "+34612345672", "+34612345673", "+34612345674", "+34612345675"
	google.Set(off, rcs.Handset{Off: true})
	google.Set(without, rcs.Handset{NotRCS: true})
	google.Set(kept, rcs.Handset{Off: true, Keeps: true})
	google.Set(patient, rcs.Handset{Off: true})
	for _, to := range []string{off, without, kept, there} {
		do("verification start " + to + " --channel rcs")
	}
	do("service update Acme --fallback-after 600")
	do("verification start " + patient + " --channel rcs")

	waitFor(t, "the code for a telephone without RCS to go on", func() bool { return textsTo(without) == 1 })
	waitFor(t, "the code for a telephone that is off to go on", func() bool { return textsTo(off) == 1 })
	_, want, _ := strings.Cut(string(page), "```text\n")
	want, _, _ = strings.Cut(want, "```")
	_, got, _ := strings.Cut(storyOf(off), "\n\n")
	if got, want := columnsOf(got), columnsOf(want); got != want {
		t.Errorf("the story is\n%s\nthe page has\n%s", got, want)
	}
	waitFor(t, "Google to keep a message", func() bool { return strings.Contains(storyOf(kept), "it has arrived, or may: no other channel") })

	// Messages that arrive, and one whose time is over.
	waitFor(t, "the message for the patient one", func() bool {
		for _, m := range google.Messages() {
			if m.To == patient {
				return true
			}
		}
		return false
	})
	late.Store(int64(11 * time.Minute))
	google.Lapse()
	if err := google.Deliver(t.Context(), far.Client(), p.base+hook[1]); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the code to go on that Google took back by itself", func() bool { return textsTo(patient) == 1 })
	for to, part := range map[string]string{
		without: "bad_recipient", there: "delivered", kept: "not_revoked", patient: "TTL_EXPIRATION_REVOKED",
	} {
		waitFor(t, "the story of "+to, func() bool { return strings.Contains(storyOf(to), part) })
	}
	for to, want := range map[string]int{off: 1, without: 1, kept: 0, patient: 1, there: 0} {
		if got := textsTo(to); got != want {
			t.Errorf("%s had %d SMS, want %d", to, got, want)
		}
	}
	for _, m := range google.Messages() {
		if state := map[string]rcs.State{off: rcs.Revoked, kept: rcs.Waiting, patient: rcs.Revoked, there: rcs.Delivered}[m.To]; m.State != state {
			t.Errorf("the message for %s is %s, want %s", m.To, m.State, state)
		}
	}
}

// columnsOf is a table without what differs from run to run, and without the widths of its columns.
func columnsOf(s string) string {
	s = regexp.MustCompile(` +`).ReplaceAllString(steady(s), " ")
	s = regexp.MustCompile(`((?:hand_over|revoke) \w+) \d+`).ReplaceAllString(s, "$1 MS")
	return strings.TrimSpace(s)
}
