package sip

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/provider"
)

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/providers/sip.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheManualsConfigurationsWork(t *testing.T) {
	found := regexp.MustCompile("(?ms)^```toml\n(.*?)^```$").FindAllStringSubmatch(manual(t), -1)
	if len(found) != 2 {
		t.Fatalf("the manual shows %d pieces of TOML, want 2", len(found))
	}
	for _, block := range found {
		var file struct {
			Providers map[string]map[string]any
			Routes    map[string][]string
		}
		if err := toml.Unmarshal([]byte(block[1]), &file); err != nil {
			t.Fatalf("%v\n%s", err, block[1])
		}
		for name, table := range file.Providers {
			if table["type"] != "sip" || len(file.Routes["call"]) != 1 || file.Routes["call"][0] != name {
				t.Errorf("[providers.%s] is of type %v, the route is %v", name, table["type"], file.Routes)
			}
			delete(table, "type")
			config, err := json.Marshal(table)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.Build(New)(config, provider.Deps{}); err != nil {
				t.Errorf("[providers.%s]: %v", name, err)
			}
		}
	}
}

// TestTheManualsClassesAreTrue reads the table "| answer | cause (Q.850) | class |".
func TestTheManualsClassesAreTrue(t *testing.T) {
	_, table, _ := strings.Cut(manual(t), "| answer | cause (Q.850) | class |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	checked := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		want, ok := provider.ParseClass(strings.Trim(cells[3], " `"))
		if !ok {
			t.Errorf("no class in %q", line)
			continue
		}
		causes := []string{"0"}
		if c := strings.TrimSpace(cells[2]); c == "any other" {
			causes = []string{"0", "3", "16"}
		} else if c != "" {
			causes = strings.Fields(c)
		}
		for _, status := range regexp.MustCompile("[0-9]{3}").FindAllString(cells[1], -1) {
			for _, cause := range causes {
				var f final
				f.status, _ = strconv.Atoi(status)
				f.cause, _ = strconv.Atoi(cause)
				checked++
				if got := f.class(); got != want {
					t.Errorf("%s is %v, the manual says %v", f.code(), got, want)
				}
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d rows were found", checked)
	}
	if got := (final{status: 503, retryAfter: 1}).class(); got != provider.Throttled {
		t.Errorf("503 with Retry-After is %v", got)
	}
}

func TestTheManualNamesEveryLanguage(t *testing.T) {
	for _, l := range languages {
		if !strings.Contains(manual(t), "`"+l.tag+"`") {
			t.Errorf("%s is recorded and not in the manual", l.tag)
		}
	}
}
