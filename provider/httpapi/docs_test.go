package httpapi

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/providers/httpapi.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks are the fenced pieces of the manual in one language.
func blocks(text, language string) []string {
	var all []string
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		all = append(all, found[1])
	}
	return all
}

func TestTheManualsConfigurationWorks(t *testing.T) {
	found := blocks(manual(t), "toml")
	if len(found) == 0 {
		t.Fatal("the manual shows no TOML")
	}
	for _, block := range found {
		var file struct {
			Providers map[string]map[string]any
			Routes    map[string][]string
		}
		if err := toml.Unmarshal([]byte(block), &file); err != nil {
			t.Fatalf("%v\n%s", err, block)
		}
		for name, table := range file.Providers {
			if table["type"] != "httpapi" {
				t.Errorf("[providers.%s] is of type %v", name, table["type"])
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

// TestTheManualsStatusesAreTrue reads the table "| status | class |".
func TestTheManualsStatusesAreTrue(t *testing.T) {
	_, table, _ := strings.Cut(manual(t), "| status | class |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	checked := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			continue
		}
		class, ok := provider.ParseClass(strings.Trim(cells[2], " `"))
		if !ok {
			continue
		}
		for _, number := range regexp.MustCompile(`\b[0-9]{3}\b`).FindAllString(cells[1], -1) {
			status, _ := strconv.Atoi(number)
			checked++
			if got := httpsend.Class(status); got != class {
				t.Errorf("the manual says %d is %v, the code says %v", status, class, got)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d statuses were found in the manual", checked)
	}
}

func TestTheManualsBodiesAreTrue(t *testing.T) {
	found := blocks(manual(t), "json")
	if len(found) != 3 {
		t.Fatalf("the manual shows %d JSON bodies, want 3", len(found))
	}
	d := json.NewDecoder(strings.NewReader(found[0]))
	d.DisallowUnknownFields()
	var r Request
	if err := d.Decode(&r); err != nil {
		t.Errorf("the request: %v", err)
	}
	again, _ := json.Marshal(r)
	var shown, sent map[string]any
	json.Unmarshal([]byte(found[0]), &shown)
	json.Unmarshal(again, &sent)
	for key := range sent {
		if _, ok := shown[key]; !ok {
			t.Errorf("the manual does not show the field %q", key)
		}
	}
	want := provider.Accepted{ID: "abc", Parts: 1, Price: provider.Price{Amount: "0.04", Currency: "EUR"}}
	if got, e := read(202, nil, found[1]); e != nil || got != want {
		t.Errorf("the acceptance is read as %+v, %v", got, e)
	}
	if _, e := read(400, nil, found[2]); e == nil || e.Class != provider.Throttled || e.Code != "58" {
		t.Errorf("the error is read as %v", e)
	}
}

// TestTheManualsGoIsTheExamples: each line of it stands in ExampleSecret_Verify, but for the names
// that a stranger needs.
func TestTheManualsGoIsTheExamples(t *testing.T) {
	found := blocks(manual(t), "go")
	if len(found) != 1 {
		t.Fatalf("the manual shows %d pieces of Go, want 1", len(found))
	}
	source, err := os.ReadFile("httpapi_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{
		"ParseSecret(", "body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))", "secret.Verify(r.Header, body, time.Now())",
	} {
		if !strings.Contains(found[0], piece) || !strings.Contains(string(source), piece) {
			t.Errorf("%q is not in both the manual and the example", piece)
		}
	}
}
