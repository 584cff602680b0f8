package smpp

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/providers/smpp.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheManualsConfigurationsWork(t *testing.T) {
	found := regexp.MustCompile("(?ms)^```toml\n(.*?)^```$").FindAllStringSubmatch(manual(t), -1)
	if len(found) != 3 {
		t.Fatalf("the manual shows %d pieces of TOML, want 3", len(found))
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
			if table["type"] != "smpp" || len(file.Routes["sms"]) != 1 || file.Routes["sms"][0] != name {
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

func TestTheManualNamesEveryKey(t *testing.T) {
	table := rows(t, "| key | |\n|---|---|\n")
	named := map[string]bool{}
	for _, row := range table {
		for _, key := range quoted(row[0]) {
			named[key] = true
		}
	}
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		key := config.Field(i).Tag.Get("json")
		if !named[key] {
			t.Errorf("the manual does not name %s", key)
		}
		delete(named, key)
	}
	for key := range named {
		t.Errorf("the manual names %s, and there is no such key", key)
	}
}

func TestTheManualsClassesAreTrue(t *testing.T) {
	s, err := Config{Host: "h", SystemID: "v"}.settings()
	if err != nil {
		t.Fatal(err)
	}
	checked, left := 0, maps.Clone(statusClasses)
	for _, row := range rows(t, "| what happened | class |\n|---|---|\n") {
		if !strings.HasPrefix(row[0], "`0x") {
			continue // has its story
		}
		class, _ := provider.ParseClass(strings.Trim(row[1], "`"))
		for _, text := range quoted(row[0]) {
			status, err := strconv.ParseUint(text, 0, 32)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.classOf(smpp.Status(status)); got != class {
				t.Errorf("the manual says that %s is %v, the code says %v", text, class, got)
			}
			delete(left, smpp.Status(status))
			checked++
		}
	}
	if checked < 40 {
		t.Errorf("only %d statuses were found in the manual", checked)
	}
	for status := range left {
		t.Errorf("the manual lacks %v", status)
	}
}

func TestTheManualsReceiptsAreTrue(t *testing.T) {
	s, err := Config{Host: "h", SystemID: "v"}.settings()
	if err != nil {
		t.Fatal(err)
	}
	read := func(stat, err string) (provider.Report, bool) {
		return s.readReceipt(incoming{esmClass: 4, text: []byte("id:1 stat:" + stat + " err:" + err)}).report()
	}
	states := map[string]provider.Report{
		"delivered":             {State: provider.Delivered},
		"failed, `temporary`":   {State: provider.Failed, Class: provider.Temporary},
		"failed, `bad_request`": {State: provider.Failed, Class: provider.BadRequest},
		"no change":             {},
	}
	checked := 0
	for _, row := range rows(t, "| stat | becomes |\n|---|---|\n") {
		want, ok := states[row[1]]
		if !ok {
			t.Errorf("what is %q?", row[1])
		}
		for _, stat := range quoted(row[0]) {
			got, news := read(stat, "000")
			if news != (want.State != 0) || got.State != want.State || got.Class != want.Class {
				t.Errorf("%s: got %+v, want %+v", stat, got, want)
			}
			checked++
		}
	}
	for _, row := range rows(t, "| err | class |\n|---|---|\n") {
		class, _ := provider.ParseClass(strings.Trim(row[1], "`"))
		for _, err := range quoted(row[0]) {
			if got, _ := read("REJECTD", err); got.Class != class {
				t.Errorf("err %s is %v, the manual says %v", err, got.Class, class)
			}
			checked++
		}
	}
	if checked < 30 {
		t.Errorf("only %d cells were found in the manual", checked)
	}
}

// rows are those of the table with that head.
func rows(t *testing.T, head string) [][]string {
	t.Helper()
	_, table, found := strings.Cut(manual(t), head)
	if !found {
		t.Fatalf("the manual has no table %q", head)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var all [][]string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	return all
}

// quoted are the words in back quotes.
func quoted(cell string) []string {
	var all []string
	for _, found := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
		all = append(all, found[1])
	}
	return all
}
