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
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestTheManualsConfigurationWorks(t *testing.T) {
	f := newFar(t, false)
	path := filepath.Join(t.TempDir(), "firebase.json")
	if err := os.WriteFile(path, []byte(f.config().Credentials), 0o600); err != nil {
		t.Fatal(err)
	}
	providertest.ReadManual(t, "fcm").Try(providertest.Trial{
		Unmarshal: toml.Unmarshal, Pieces: 1, Build: provider.Build(New), Channel: "push", Deps: provider.Deps{HTTP: f.stand.Client()},
		Divert: func(table map[string]any) {
			if table["credentials_file"] != "/etc/verifyd/firebase.json" {
				t.Errorf("the key is in %v", table["credentials_file"])
			}
			table["credentials_file"], table["base_url"] = path, f.stand.URL
		},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "fcm").NamesKeys(Config{}) }

func TestTheManualsMessageIsTheOneThatIsSent(t *testing.T) {
	var shown request
	body := providertest.ReadManual(t, "fcm").Blocks("json", 1)[0]
	d := json.NewDecoder(strings.NewReader(body))
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
	if err := json.Compact(&want, []byte(body)); err != nil {
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
	m, checked := providertest.ReadManual(t, "fcm"), 0
	for _, cells := range m.Rows("| Firebase answers | class |") {
		class := m.Class(cells[1])
		for _, code := range regexp.MustCompile("`([0-9]{3}) ?([A-Z_]*)`").FindAllStringSubmatch(cells[0], -1) {
			status, _ := strconv.Atoi(code[1])
			detail := ""
			switch {
			case own[code[2]] || strings.Contains(cells[0], "of type FcmError"):
				detail = fmt.Sprintf(`{"errorCode":%q}`, code[2])
			case strings.Contains(cells[0], "that names a field"):
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
