//go:build full

package carrier

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```")

func readPage(t *testing.T) (text string, blocks map[string][]string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/fakecarrier.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks = map[string][]string{}
	for _, b := range block.FindAllStringSubmatch(string(page), -1) {
		blocks[b[1]] = append(blocks[b[1]], b[2])
	}
	return string(page), blocks
}

// TestThePageWorks starts what the page starts, at addresses that are free, and pastes its commands.
func TestThePageWorks(t *testing.T) {
	_, page := readPage(t)
	home := t.TempDir()
	knobs := filepath.Join(home, "endings.json")
	if err := os.WriteFile(knobs, []byte(page["json"][1]), 0o600); err != nil {
		t.Fatal(err)
	}
	smpp, web, server := free(t), free(t), free(t)
	carrier := begin(t, carrierReady, "fakecarrier", "--api", "127.0.0.1:0", "--http", web, "--smpp", smpp, "--sip", "", "--smtp", "", "--knobs", knobs)
	_, port, _ := strings.Cut(smpp, ":")
	here := strings.NewReplacer("http://127.0.0.1:8700", carrier, "127.0.0.1:8701", web, "2775", port, "127.0.0.1:8642", server,
		"sqlite:", "sqlite:"+home+"/")
	config := filepath.Join(home, "verifyd.toml")
	if err := os.WriteFile(config, []byte(here.Replace(page["toml"][0])), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, carrier: carrier}
	made := credentials.FindAllStringSubmatch(w.verifyd("account", "create", "--config", config, "--countries", "ES"), -1)
	if len(made) != 2 {
		t.Fatal("no account was made")
	}
	w.account, w.token = made[0][1], made[1][1]
	w.base = begin(t, serveReady, "verifyd", "serve", "--config", config)
	w.verifyd("service", "create", "Acme")

	shell := exec.CommandContext(t.Context(), "sh", "-e")
	shell.Dir = home
	shell.Env = append(os.Environ(), "HOME="+home, "PATH="+bin+":"+os.Getenv("PATH"),
		"VERIFYD_URL="+w.base, "TWILIO_ACCOUNT_SID="+w.account, "TWILIO_AUTH_TOKEN="+w.token)
	shell.Stdin = strings.NewReader(here.Replace(strings.Join(page["sh"], "")))
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"[providers.smpp]", `"provider":"smpp","to":"+34612345678"`, `"knobs":[]`, `{"knobs":[{"provider":"smpp","answer":"closed"}]}`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing said %s:\n%s", want, out)
		}
	}
	// What the page shows of an answer is what is answered.
	steady := regexp.MustCompile(`("id":"|"at":"|es: )[^"]+`)
	shown := strings.TrimSpace(page["json"][0])
	if !strings.Contains(steady.ReplaceAllString(string(out), "$1…"), steady.ReplaceAllString(shown, "$1…")) {
		t.Errorf("the page shows\n%s\nand the commands say\n%s", shown, out)
	}
}

// TestThePageNamesEveryKnob compares its tables with the code.
func TestThePageNamesEveryKnob(t *testing.T) {
	text, blocks := readPage(t)
	rows := func(head string) (names []string) {
		_, table, found := strings.Cut(text, head+"\n|---|---|\n")
		if !found {
			t.Fatalf("there is no table %q", head)
		}
		table, _, _ = strings.Cut(table, "\n\n")
		for line := range strings.Lines(table) {
			names = append(names, strings.Trim(strings.Split(line, "|")[1], " `"))
		}
		return names
	}
	var keys []string
	knob := reflect.TypeFor[desk.Knob]()
	for i := range knob.NumField() {
		name, _, _ := strings.Cut(knob.Field(i).Tag.Get("json"), ",")
		keys = append(keys, name)
	}
	named := rows("| key | |")
	slices.Sort(keys)
	slices.Sort(named)
	if !slices.Equal(keys, named) {
		t.Errorf("the page names %v, there are %v", named, keys)
	}
	for _, answer := range rows("| answer | over SMPP, HTTP, SMTP, SIP |") {
		if _, err := desk.Parse(fmt.Appendf(nil, `{"knobs":[{"answer":%q}]}`, answer), nil); err != nil {
			t.Errorf("%s: %v", answer, err)
		}
	}
	if _, err := desk.Parse([]byte(blocks["json"][1]), nil); err != nil {
		t.Error(err)
	}
	if !json.Valid([]byte(blocks["json"][0])) {
		t.Error("the answer that is shown is no JSON")
	}
	for _, command := range blocks["shell"] {
		if program, _, _ := strings.Cut(strings.TrimSpace(command), " "); program != "fakecarrier" && command != "verifyd dev --carrier\n" &&
			!strings.HasPrefix(command, "curl -s -X PUT http://127.0.0.1:8700/webhooks ") {
			t.Errorf("who runs %q?", command) // these three run in the stories
		}
	}
}
