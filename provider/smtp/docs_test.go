package smtp

import (
	"errors"
	"io"
	"maps"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestTheManualsConfigurationsWork(t *testing.T) {
	a := newAuthority(t)
	r := newRelay(t, relayOptions{certificate: a.issue(time.Now().Add(time.Hour), "127.0.0.1")})
	providertest.ReadManual(t, "smtp").Try(providertest.Trial{
		Unmarshal: toml.Unmarshal, Pieces: 3, Build: provider.Build(New), Channel: "email",
		Divert: func(table map[string]any) {
			maps.Copy(table, map[string]any{"host": r.host, "port": r.port, "ca_file": a.file, "username": testUser, "password": testPassword})
			delete(table, "tls") // the relay of this test has it
			if table["bounce_listen"] != nil {
				table["bounce_listen"] = "127.0.0.1:0"
			}
		},
	})
}

// TestTheManualsClassesAreTrue reads the table "| where | reply | class |", and has the first row
// that fits decide, as the manual says.
func TestTheManualsClassesAreTrue(t *testing.T) {
	stages := map[string][]stage{
		"anywhere": {connecting, greeting, securing, authenticating, sender, recipient, data, dot},
		"connect":  {connecting}, "EHLO": {greeting}, "STARTTLS": {securing}, "AUTH": {authenticating},
		"MAIL": {sender}, "RCPT": {recipient}, "DATA": {data}, "the dot": {dot},
	}
	m, checked := providertest.ReadManual(t, "smtp"), 0
	for _, cells := range m.Rows("| where | reply | class |") {
		class := m.Class(cells[2])
		var failures []error
		for _, reply := range regexp.MustCompile("`([0-9]{3})([^`]*)`").FindAllStringSubmatch(cells[1], -1) {
			code, _ := strconv.Atoi(reply[1])
			failures = append(failures, &textproto.Error{Code: code, Msg: strings.TrimSpace(reply[2])})
		}
		if strings.HasSuffix(cells[1], "none") {
			failures = append(failures, io.EOF)
		}
		if strings.Contains(cells[1], "not offered") {
			failures = append(failures, errUnmet)
		}
		for where := range strings.SplitSeq(cells[0], ", ") {
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

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "smtp").NamesKeys(Config{}) }
