package operator

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

func TestATable(t *testing.T) {
	var out strings.Builder
	tab := table{
		columns: []column{{"SID", "sid"}, {"NAME", "name"}, {"STATUS", "data.message_status|data.call_status"}, {"LANGUAGES", "translations"}, {"CHANNELS", "channels"}},
		out:     Output{W: &out},
	}
	for _, page := range [][]json.RawMessage{
		{
			json.RawMessage(`{"sid":"A1","name":"Acme","data":{"message_status":"sent"},"channels":["sms","voice"]}`),
			json.RawMessage(`{"sid":"A2","name":"株式会社","data":{"call_status":"queued"},"channels":[]}`),
			json.RawMessage(`{"sid":"A3","name":null,"data":null,"translations":{"fr":{"status":"pending"},"es":{"status":"approved","is_default_translation":true},"de":{"status":"approved"}}}`),
		},
		{json.RawMessage(`{"sid":"A4","name":"a longer name\u001b[2J","n":12345678901234567890}`)},
	} {
		if err := tab.print(page); err != nil {
			t.Fatal(err)
		}
	}
	const want = `SID  NAME      STATUS  LANGUAGES             CHANNELS
A1   Acme      sent    -                     sms, voice
A2   株式会社  queued  -                     -
A3   -         -       es, de, fr (pending)  -
A4   a longer name\x1b[2J  -       -                     -
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
	if err := tab.print([]json.RawMessage{json.RawMessage(`[]`)}); err == nil {
		t.Error("a record that is none was printed")
	}
}

func TestLinesAreCutToTheTerminal(t *testing.T) {
	for _, c := range []struct {
		line    string
		columns int
		want    string
	}{
		{"VA1  Acme", 0, "VA1  Acme"},
		{"VA1  Acme", 9, "VA1  Acme"},
		{"VA1  Acme", 8, "VA1  Ac…"},
		{"株式会社", 8, "株式会社"},
		{"株式会社", 7, "株式会…"},
		{"株式会社", 6, "株式…"},
		{"株式会社", 1, "…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
	} {
		got := cut(c.line, c.columns)
		if got != c.want || c.columns > 0 && columnsOf(got) > c.columns {
			t.Errorf("%q in %d columns is %q, want %q", c.line, c.columns, got, c.want)
		}
	}
}

func TestARecord(t *testing.T) {
	const body = `{"sid":"VA1","name":"Acme","none":null,"empty":"","origins":["a","b"],"nothing":[],"push":{"include_date":false,"sid":null},` +
		`"sends":[{"at":"now","channel":"sms"},{"at":"then"}],"max":12345678901234567890,"links":{"x":"http://x"},"url":"http://x"}`
	var out strings.Builder
	call := &Call{command: Commands()[1]}
	header := http.Header{"Verifyd-Max-Sends": {"5"}, "Verifyd-Code-Ttl": {"600"}, "Content-Type": {"application/json"}}
	if err := call.printRecord(Output{W: &out, Width: 10}, &reply{header, []byte(body)}); err != nil {
		t.Fatal(err)
	}
	const want = `sid                VA1
name               Acme
origins            a, b
push.include_date  false
sends.0.at         now
sends.0.channel    sms
sends.1.at         then
max                12345678901234567890
Verifyd-Code-Ttl   600
Verifyd-Max-Sends  5
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
	for flag, want := range map[*bool]string{&call.json: body + "\n", &call.quiet: "VA1\n"} {
		call.json, call.quiet = false, false
		*flag = true
		out.Reset()
		if err := call.printRecord(Output{W: &out}, &reply{header, []byte(body)}); err != nil || out.String() != want {
			t.Errorf("%v: %q, want %q", err, out.String(), want)
		}
	}
}

// FuzzFlatten checks that no record makes it panic or steers a terminal.
func FuzzFlatten(f *testing.F) {
	f.Add(`{"a":{"b":[1,"x",null]},"c":[{"d":true}],"\u001b":"\n"}`)
	f.Add(`[[[]]]`)
	f.Add(`{"a":`)
	f.Fuzz(func(t *testing.T, body string) {
		lines, err := flatten([]byte(body))
		if err != nil {
			return
		}
		for _, l := range lines {
			for _, r := range l[0] + l[1] {
				if !unicode.IsPrint(r) {
					t.Errorf("a line has %q: %q", r, l)
				}
			}
		}
	})
}
