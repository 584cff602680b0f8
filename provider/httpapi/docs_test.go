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
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestTheManualsConfigurationWorks(t *testing.T) {
	g := newGateway(t, false, nil)
	providertest.ReadManual(t, "httpapi").Try(providertest.Trial{
		Unmarshal: toml.Unmarshal, Pieces: 1, Build: provider.Build(New), Channel: "sms",
		Divert: func(table map[string]any) {
			table["url"], table["secret"], table["headers"] = g.URL, testSecret, map[string]string{"Authorization": testToken}
		},
	})
}

// TestTheManualsStatusesAreTrue reads the table "| status | class |".
func TestTheManualsStatusesAreTrue(t *testing.T) {
	m, checked := providertest.ReadManual(t, "httpapi"), 0
	for _, cells := range m.Rows("| status | class |") {
		class, ok := provider.ParseClass(strings.Trim(cells[1], "`"))
		if !ok {
			continue // accepted
		}
		for _, number := range regexp.MustCompile(`\b[0-9]{3}\b`).FindAllString(cells[0], -1) {
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
	found := providertest.ReadManual(t, "httpapi").Blocks("json", 3)
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
	found := providertest.ReadManual(t, "httpapi").Blocks("go", 1)
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

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "httpapi").NamesKeys(Config{})
}
