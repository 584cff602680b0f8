package fcm

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
	text, err := os.ReadFile("../../docs/providers/fcm.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is the only fenced piece of the manual in one language.
func block(t *testing.T, language string) string {
	t.Helper()
	found := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(manual(t), -1)
	if len(found) != 1 {
		t.Fatalf("the manual shows %d pieces of %s, want 1", len(found), language)
	}
	return found[0][1]
}

func TestTheManualsConfigurationWorks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "firebase.json")
	if err := os.WriteFile(path, []byte(keyFileOf(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	var file struct {
		Providers map[string]map[string]any
		Routes    map[string][]string
	}
	if err := toml.Unmarshal([]byte(block(t, "toml")), &file); err != nil {
		t.Fatal(err)
	}
	table := file.Providers[strings.Join(file.Routes["fcm"], "")]
	if table["type"] != "fcm" || table["credentials_file"] != "/etc/verifyd/firebase.json" {
		t.Fatalf("the route leads to %v", table)
	}
	delete(table, "type")
	table["credentials_file"] = path
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

func TestTheManualsMessageIsTheOneThatIsSent(t *testing.T) {
	var shown request
	d := json.NewDecoder(strings.NewReader(block(t, "json")))
	d.DisallowUnknownFields()
	if err := d.Decode(&shown); err != nil {
		t.Fatal(err)
	}
	sent, err := encode(provider.Message{
		Channel: "push", To: shown.Message.Token, Deadline: epoch.Add(5 * time.Minute),
		Push: &provider.Push{Platform: "fcm", Data: shown.Message.Data, Collapse: shown.Message.Data["challenge_sid"]},
	}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(block(t, "json"))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sent, want.Bytes()) {
		t.Errorf("the manual shows %s\nand sent is %s", &want, sent)
	}
}

// TestTheManualsClassesAreTrue reads the table "| Firebase answers | class |".
func TestTheManualsClassesAreTrue(t *testing.T) {
	own := map[string]bool{}
	for _, code := range []string{"UNREGISTERED", "SENDER_ID_MISMATCH", "QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL", thirdParty} {
		own[code] = true
	}
	_, table, _ := strings.Cut(manual(t), "| Firebase answers | class |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	checked := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		class, ok := provider.ParseClass(strings.Trim(cells[2], " `"))
		if !ok {
			t.Errorf("no class in %q", line)
			continue
		}
		for _, code := range regexp.MustCompile("`([0-9]{3}) ?([A-Z_]*)`").FindAllStringSubmatch(cells[1], -1) {
			status, _ := strconv.Atoi(code[1])
			detail := ""
			switch {
			case own[code[2]] || strings.Contains(cells[1], "of type FcmError"):
				detail = fmt.Sprintf(`{"errorCode":%q}`, code[2])
			case strings.Contains(cells[1], "that names a field"):
				detail = `{"fieldViolations":[{"field":"message.android.ttl"}]}`
			}
			body := fmt.Sprintf(`{"error":{"status":%q,"details":[%s]}}`, code[2], detail)
			checked++
			if got := readRefusal(httpsend.Answer{Status: status, Body: []byte(body)}).class(); got != class {
				t.Errorf("the manual says %s is %v, the code says %v", code[0], class, got)
			}
		}
	}
	if checked < 14 {
		t.Errorf("only %d answers were found in the manual", checked)
	}
}
