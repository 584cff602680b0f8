package providertest

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

// Manual is a provider's page of documentation, whose snippets and tables its tests hold to the truth.
type Manual struct {
	testing.TB
	kind, text string
}

// ReadManual reads docs/providers/KIND.md, as seen from the provider's folder.
func ReadManual(t testing.TB, kind string) Manual {
	t.Helper()
	text, err := os.ReadFile("../../docs/providers/" + kind + ".md")
	if err != nil {
		t.Fatal(err)
	}
	return Manual{t, kind, string(text)}
}

// Says reports whether the page has these words.
func (m Manual) Says(words string) bool { return strings.Contains(m.text, words) }

var fenced = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// Blocks are the fenced pieces in one language, "" for those that name none. There must be so many.
func (m Manual) Blocks(language string, want int) []string {
	m.Helper()
	var all []string
	for _, found := range fenced.FindAllStringSubmatch(m.text, -1) {
		if found[1] == language {
			all = append(all, found[2])
		}
	}
	if len(all) != want {
		m.Fatalf("the manual shows %d pieces of %q, want %d", len(all), language, want)
	}
	return all
}

// Rows are those of the table with that first line, cell by cell.
func (m Manual) Rows(head string) [][]string {
	m.Helper()
	_, table, found := strings.Cut(m.text, head+"\n")
	if !found {
		m.Fatalf("the manual has no table %q", head)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var all [][]string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if !strings.HasPrefix(cells[0], "---") {
			all = append(all, cells)
		}
	}
	return all
}

// Class is the class that a cell names.
func (m Manual) Class(cell string) provider.Class {
	m.Helper()
	class, ok := provider.ParseClass(strings.Trim(cell, "`"))
	if !ok {
		m.Errorf("%q is no class", cell)
	}
	return class
}

var inQuotes = regexp.MustCompile("`([^`]+)`")

// Quoted are the words of a cell in back quotes.
func Quoted(cell string) []string {
	var all []string
	for _, found := range inQuotes.FindAllStringSubmatch(cell, -1) {
		all = append(all, found[1])
	}
	return all
}

// NamesKeys compares the table "| key | |" with the JSON keys of a Config: each must name what the other
// has.
func (m Manual) NamesKeys(config any) {
	m.Helper()
	named := map[string]bool{}
	for _, row := range m.Rows("| key | |") {
		for _, key := range Quoted(row[0]) {
			named[key] = true
		}
	}
	for i, fields := 0, reflect.TypeOf(config); i < fields.NumField(); i++ {
		key := fields.Field(i).Tag.Get("json")
		if !named[key] {
			m.Errorf("the manual does not name %s", key)
		}
		delete(named, key)
	}
	for _, key := range slices.Sorted(maps.Keys(named)) {
		m.Errorf("the manual names %s, and there is no such key", key)
	}
}

// Trial is how the TOML of a page is tried.
type Trial struct {
	// Unmarshal is that of a TOML package.
	Unmarshal func([]byte, any) error
	// Pieces is how many the page shows.
	Pieces int
	Build  provider.Builder
	Deps   provider.Deps
	// Beside is a type of other providers that the page shows beside its own, if it does.
	Beside string
	// Divert has a table lead to the test's far end instead of the carrier that the page names.
	Divert func(table map[string]any)
	// Channel is that of the message, which Adapt may change.
	Channel string
	Adapt   func(*provider.Message)
}

// Try builds each provider that the page shows, and has it send a message, which must be accepted.
func (m Manual) Try(trial Trial) {
	m.Helper()
	for i, block := range m.Blocks("toml", trial.Pieces) {
		var file struct {
			Providers map[string]map[string]any
			Routes    map[string][]string
		}
		if err := trial.Unmarshal([]byte(block), &file); err != nil {
			m.Fatalf("%v\n%s", err, block)
		}
		own := 0
		for name, table := range file.Providers {
			if trial.Beside != "" && table["type"] == trial.Beside {
				continue
			}
			own++
			led := slices.ContainsFunc(slices.Collect(maps.Values(file.Routes)), func(to []string) bool { return slices.Contains(to, name) })
			if table["type"] != m.kind || !led {
				m.Errorf("[providers.%s] is of type %v, the routes are %v", name, table["type"], file.Routes)
			}
			delete(table, "type")
			trial.Divert(table)
			config, err := json.Marshal(table)
			if err != nil {
				m.Fatal(err)
			}
			p, err := trial.Build(config, trial.Deps)
			if err != nil {
				m.Errorf("[providers.%s]: %v\n%s", name, err, block)
				continue
			}
			message := Message(trial.Channel, i)
			if trial.Adapt != nil {
				trial.Adapt(&message)
			}
			if err := sendOnce(m.Context(), p, message); err != nil {
				m.Errorf("[providers.%s] does not send: %v\n%s", name, err, block)
			}
		}
		if own == 0 {
			m.Errorf("no provider of type %s is in\n%s", m.kind, block)
		}
	}
}

// sendOnce runs a provider for one message.
func sendOnce(ctx context.Context, p provider.Provider, m provider.Message) error {
	if r, ok := p.(provider.Runner); ok {
		ctx, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.Run(ctx) // what it cannot do is seen by Send
		}()
		defer func() {
			stop()
			<-ended
		}()
	}
	_, err := p.Send(ctx, m)
	if c, ok := p.(io.Closer); ok {
		c.Close()
	}
	return err
}
