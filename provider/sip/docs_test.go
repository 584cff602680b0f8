package sip

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestTheManualsConfigurationsWork(t *testing.T) {
	x := newExchange(t, "udp", func(c *farCall) {
		c.respond(180, "Ringing", nil)
		select {
		case <-c.cancelled: // the call ends with the provider
			c.respond(487, "Request Terminated", nil)
		case <-c.x.stopped:
		}
	})
	providertest.ReadManual(t, "sip").Try(providertest.Trial{
		Unmarshal: toml.Unmarshal, Pieces: 2, Build: provider.Build(New), Channel: "call",
		Adapt: func(m *provider.Message) { *m = spokenMessage("en", "Acme", m.Code) },
		Divert: func(table map[string]any) {
			table["server"], table["listen"] = x.address, "127.0.0.1:0"
			delete(table, "speech_command") // needs the program (espeak_test.go)
			delete(table, "speech_voices")
		},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "sip").NamesKeys(Config{}) }

// TestTheManualsClassesAreTrue reads the table "| answer | cause (Q.850) | class |".
func TestTheManualsClassesAreTrue(t *testing.T) {
	m, checked := providertest.ReadManual(t, "sip"), 0
	for _, cells := range m.Rows("| answer | cause (Q.850) | class |") {
		want := m.Class(cells[2])
		causes := []string{"0"}
		if c := cells[1]; c == "any other" {
			causes = []string{"0", "3", "16"}
		} else if c != "" {
			causes = strings.Fields(c)
		}
		for _, status := range regexp.MustCompile("[0-9]{3}").FindAllString(cells[0], -1) {
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
	m := providertest.ReadManual(t, "sip")
	for _, l := range languages {
		if !m.Says("`" + l.tag + "`") {
			t.Errorf("%s is recorded and not in the manual", l.tag)
		}
	}
}
