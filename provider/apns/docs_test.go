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
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestTheManualsConfigurationWorks(t *testing.T) {
	f := newFar(t)
	path := filepath.Join(t.TempDir(), "AuthKey.p8")
	if err := os.WriteFile(path, []byte(keyText(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	providertest.ReadManual(t, "apns").Try(providertest.Trial{
		Unmarshal: toml.Unmarshal, Pieces: 1, Build: provider.Build(New), Channel: "push", Deps: provider.Deps{HTTP: f.stand.Client()},
		Divert: func(table map[string]any) {
			if name, _ := table["key_file"].(string); filepath.Base(name) != fmt.Sprintf("AuthKey_%s.p8", table["key_id"]) {
				t.Errorf("the key %v is in %v", table["key_id"], table["key_file"])
			}
			table["key_file"], table["key_id"], table["team_id"], table["base_url"] = path, testKeyID, testTeam, f.stand.URL
		},
		Adapt: adapt,
	})
}

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "apns").NamesKeys(Config{}) }

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
	m := providertest.ReadManual(t, "apns")
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(m.Blocks("json", 1)[0])); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(n.payload, want.Bytes()) {
		t.Errorf("the manual shows %s\nand sent is %s", &want, n.payload)
	}
	shown := 0
	for line := range strings.Lines(m.Blocks("", 1)[0]) {
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
	m, checked := providertest.ReadManual(t, "apns"), 0
	for _, cells := range m.Rows("| Apple answers | class |") {
		class := m.Class(cells[1])
		for _, code := range regexp.MustCompile("`([0-9]{3}) ?([A-Za-z]*)`").FindAllStringSubmatch(cells[0], -1) {
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
