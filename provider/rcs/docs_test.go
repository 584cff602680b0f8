package rcs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const manual = "../../docs/providers/rcs.md"

func readManual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheManualsConfigurationWorks(t *testing.T) {
	key, err := newFar(t).ServiceAccount("https://oauth2.googleapis.com")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rcs.json")
	if err := os.WriteFile(path, key, 0o600); err != nil {
		t.Fatal(err)
	}
	var file struct{ Providers map[string]map[string]any }
	if err := toml.Unmarshal([]byte(regexp.MustCompile("(?ms)^```toml\n(.*?)^```$").FindStringSubmatch(readManual(t))[1]), &file); err != nil {
		t.Fatal(err)
	}
	table := file.Providers["rcs"]
	if table["type"] != "rcs" || table["credentials_file"] != "/etc/verifyd/rcs.json" {
		t.Fatalf("the manual shows %v", table)
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
	_, table, _ := strings.Cut(readManual(t), "| key | |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for key := range keys {
		if !strings.Contains(table, "`"+key+"`") {
			t.Errorf("the manual does not name %s", key)
		}
	}
}

func TestTheManualsClassesAreTrue(t *testing.T) {
	httpfar.CheckManual(t, manual, 2, len(codes), func(number string) provider.Class {
		for code, class := range codes {
			if strings.HasPrefix(code, number+" ") {
				return class
			}
		}
		return 0
	})
}
