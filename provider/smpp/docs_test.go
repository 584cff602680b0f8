package smpp

import (
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestTheManualsConfigurationsWork(t *testing.T) {
	far := smsc.New(smsc.Config{Accounts: map[string]string{testSystemID: testPassword}, Fates: map[string]smsc.Fate{}})
	secured, file := certificate(t)
	port := listen(t, far, secured)
	providertest.ReadManual(t, "smpp").Try(providertest.Trial{
		Unmarshal: toml.Unmarshal, Pieces: 3, Build: provider.Build(New), Channel: "sms",
		Divert: func(table map[string]any) {
			maps.Copy(table, map[string]any{"host": "127.0.0.1", "port": port, "ca_file": file, "system_id": testSystemID, "password": testPassword})
			delete(table, "tls") // the carrier of this test has it
		},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "smpp").NamesKeys(Config{}) }

func TestTheManualsClassesAreTrue(t *testing.T) {
	s, err := Config{Host: "h", SystemID: "v"}.settings()
	if err != nil {
		t.Fatal(err)
	}
	m := providertest.ReadManual(t, "smpp")
	checked, left := 0, maps.Clone(statusClasses)
	for _, row := range m.Rows("| what happened | class |") {
		if !strings.HasPrefix(row[0], "`0x") {
			continue // has its story
		}
		class := m.Class(row[1])
		for _, text := range providertest.Quoted(row[0]) {
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
	m, checked := providertest.ReadManual(t, "smpp"), 0
	for _, row := range m.Rows("| stat | becomes |") {
		want, ok := states[row[1]]
		if !ok {
			t.Errorf("what is %q?", row[1])
		}
		for _, stat := range providertest.Quoted(row[0]) {
			got, news := read(stat, "000")
			if news != (want.State != 0) || got.State != want.State || got.Class != want.Class {
				t.Errorf("%s: got %+v, want %+v", stat, got, want)
			}
			checked++
		}
	}
	for _, row := range m.Rows("| err | class |") {
		class := m.Class(row[1])
		for _, err := range providertest.Quoted(row[0]) {
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
