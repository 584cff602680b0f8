package smtp

import (
	"encoding/json"
	"errors"
	"io"
	"net/textproto"
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
	text, err := os.ReadFile("../../docs/providers/smtp.md")
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
			if table["type"] != "smtp" || len(file.Routes["email"]) != 1 || file.Routes["email"][0] != name {
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

// TestTheManualsClassesAreTrue reads the table "| where | reply | class |", and has the first row
// that fits decide, as the manual says.
func TestTheManualsClassesAreTrue(t *testing.T) {
	stages := map[string][]stage{
		"anywhere": {connecting, greeting, securing, authenticating, sender, recipient, data, dot},
		"connect":  {connecting}, "EHLO": {greeting}, "STARTTLS": {securing}, "AUTH": {authenticating},
		"MAIL": {sender}, "RCPT": {recipient}, "DATA": {data}, "the dot": {dot},
	}
	_, table, _ := strings.Cut(manual(t), "| where | reply | class |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	checked := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		class, ok := provider.ParseClass(strings.Trim(cells[3], " `"))
		if !ok {
			t.Errorf("no class in %q", line)
			continue
		}
		var failures []error
		for _, reply := range regexp.MustCompile("`([0-9]{3})([^`]*)`").FindAllStringSubmatch(cells[2], -1) {
			code, _ := strconv.Atoi(reply[1])
			failures = append(failures, &textproto.Error{Code: code, Msg: strings.TrimSpace(reply[2])})
		}
		if strings.HasSuffix(strings.TrimSpace(cells[2]), "none") {
			failures = append(failures, io.EOF)
		}
		if strings.Contains(cells[2], "not offered") {
			failures = append(failures, errUnmet)
		}
		for where := range strings.SplitSeq(cells[1], ", ") {
			at, ok := stages[strings.TrimSpace(where)]
			if !ok {
				t.Errorf("where is %q?", where)
			}
			for _, at := range at {
				for _, err := range failures {
					checked++
					if got := classify(at, err); got != class {
						t.Errorf("the manual says %v at %v is %v, the code says %v", err, at, class, got)
					}
				}
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d replies were found in the manual", checked)
	}
}

func FuzzReadReply(f *testing.F) {
	for _, s := range []string{"5.1.1 no such user", "5.1.1", "[5.1.1.9] blocked", "4.7.28\nmore", "", "too many", "5.1.1.1"} {
		f.Add(550, s)
	}
	f.Fuzz(func(t *testing.T, code int, msg string) {
		r, ok := readReply(errors.Join(&textproto.Error{Code: code, Msg: msg}))
		if !ok || r.code != code || !strings.HasPrefix(msg, r.enhanced) || !strings.HasSuffix(msg, r.text) {
			t.Errorf("readReply(%d %q) is %+v, %v", code, msg, r, ok)
		}
		for at := connecting; at <= dot; at++ {
			class := classify(at, &textproto.Error{Code: code, Msg: msg})
			if _, ok := provider.ParseClass(class.String()); !ok {
				t.Errorf("%d %q at %v is of class %v", code, msg, at, class)
			}
			if class == provider.BadRecipient && at < recipient {
				t.Errorf("%d %q at %v is held against a recipient who was not named yet", code, msg, at)
			}
			if code/100 == 5 && (class == provider.Unknown || class == provider.Throttled) {
				t.Errorf("%d %q at %v is of class %v, though it is a refusal", code, msg, at, class)
			}
		}
	})
}
