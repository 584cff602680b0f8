package rcs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestTheManualsConfigurationWorks(t *testing.T) {
	f := newFar(t)
	key, err := f.ServiceAccount(f.stand.URL)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rcs.json")
	if err := os.WriteFile(path, key, 0o600); err != nil {
		t.Fatal(err)
	}
	providertest.ReadManual(t, "rcs").Try(providertest.Trial{
		Unmarshal: toml.Unmarshal, Pieces: 1, Build: provider.Build(New), Channel: "rcs", Beside: "httpapi",
		Deps: provider.Deps{HTTP: f.stand.Client()},
		Divert: func(table map[string]any) {
			if table["credentials_file"] != "/etc/verifyd/rcs.json" {
				t.Errorf("the key is in %v", table["credentials_file"])
			}
			table["credentials_file"], table["base_url"] = path, f.stand.URL
		},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "rcs").NamesKeys(Config{}) }

func TestTheManualsClassesAreTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/rcs.md", 2, len(codes), func(number string) provider.Class {
		for code, class := range codes {
			if strings.HasPrefix(code, number+" ") {
				return class
			}
		}
		return 0
	})
}
