package apns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/providers/apns.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is the only fenced piece of the manual in one language, "" for that without any.
func block(t *testing.T, language string) string {
	t.Helper()
	found := regexp.MustCompile("(?ms)^```"+language+"\n([^`]*?)^```$").FindAllStringSubmatch(manual(t), -1)
	if len(found) == 0 {
		t.Fatalf("the manual shows no piece of %q", language)
	}
	return found[len(found)-1][1]
}

func TestTheManualsConfigurationWorks(t *testing.T) {
	var file struct {
		Providers map[string]map[string]any
		Routes    map[string][]string
	}
	if err := toml.Unmarshal([]byte(block(t, "toml")), &file); err != nil {
		t.Fatal(err)
	}
	table := file.Providers[strings.Join(file.Routes["apn"], "")]
	if table["type"] != "apns" {
		t.Fatalf("the route leads to %v", table)
	}
	name, ok := table["key_file"].(string)
	if !ok {
		t.Fatalf("there is no key_file in %v", table)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, []byte(keyText(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	delete(table, "type")
	table["key_file"] = path
	config, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Build(New)(config, provider.Deps{}); err != nil {
		t.Error(err)
	}
}

func TestTheManualsKeysAreThoseOfTheConfiguration(t *testing.T) {
	text, err := json.Marshal(Config{})
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(manual(t), "| key | |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for key := range keys {
		if !strings.Contains(table, "`"+key+"`") {
			t.Errorf("the manual does not name %s", key)
		}
	}
}

func TestTheManualsNotificationIsTheOneThatIsSent(t *testing.T) {
	p := mustNew(t, Config{Key: keyText(t), KeyID: testKeyID, TeamID: testTeam}, provider.Deps{})
	n, err := p.compose(provider.Message{
		Key: "VL00000000000000000000000000000001:1", Channel: "push", Deadline: time.Unix(1925089445, 0),
		To: "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0",
		Push: &provider.Push{
			Platform: "apn", App: "com.example.app", Title: "Acme", Body: "Log in to Acme?",
			Collapse: "YC0123456789abcdef0123456789abcdef",
			Data: map[string]string{
				"type": "verify_push_challenge", "message": "Log in to Acme?",
				"challenge_sid": "YC0123456789abcdef0123456789abcdef", "factor_sid": "YF0123456789abcdef0123456789abcdef",
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(block(t, "json"))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(n.payload, want.Bytes()) {
		t.Errorf("the manual shows %s\nand sent is %s", &want, n.payload)
	}
	shown := 0
	for line := range strings.Lines(block(t, "")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || name == "authorization" {
			continue
		}
		shown++
		if got := n.header.Get(name); got != value {
			t.Errorf("the manual shows %s: %s, sent is %q", name, value, got)
		}
	}
	if want := len(n.header) - 1; shown != want { // but for the type of the content
		t.Errorf("the manual shows %d headers, %d are sent", shown, want)
	}
}

// TestTheManualsClassesAreTrue reads the table "| Apple answers | class |".
func TestTheManualsClassesAreTrue(t *testing.T) {
	_, table, _ := strings.Cut(manual(t), "| Apple answers | class |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	checked := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		class, ok := provider.ParseClass(strings.Trim(cells[2], " `"))
		if !ok {
			t.Errorf("no class in %q", line)
			continue
		}
		for _, code := range regexp.MustCompile("`([0-9]{3}) ?([A-Za-z]*)`").FindAllStringSubmatch(cells[1], -1) {
			status, _ := strconv.Atoi(code[1])
			checked++
			e := readRefusal(httpsend.Answer{Status: status, Body: fmt.Appendf(nil, `{"reason":%q}`, code[2])},
				&provider.Error{Class: httpsend.Class(status)})
			if e.Class != class {
				t.Errorf("the manual says %s is %v, the code says %v", code[0], class, e.Class)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d answers were found in the manual", checked)
	}
}
