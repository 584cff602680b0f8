package message

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/verifyd/verifyd/internal/gsm7"
)

var update = flag.Bool("update", false, "write testdata/catalog.golden anew")

const goldenHead = `# Every text of the catalogue as it is sent, for review by people who read the language.
# Written by "go test ./internal/message -update"; do not edit. Columns: encoding, units, segments,
# kind, text. Name 30 and code 10 are the longest that a service may have.
`

// The golden is the catalogue as a reviewer wants it: not the templates, but what arrives, and what
// it costs.
func TestCatalogueReadsAsReviewed(t *testing.T) {
	const file = "testdata/catalog.golden"
	var b bytes.Buffer
	b.WriteString(goldenHead)
	for _, tag := range slices.Sorted(maps.Keys(catalog())) {
		fmt.Fprintf(&b, "\n## %s: %s\n", tag, sentences(t, tag)["language"])
		if Supported("sms", tag) {
			for _, s := range samples {
				s.otp.Locale = tag
				text := SMS(s.otp)
				size := gsm7.Measure(text.Text)
				fmt.Fprintf(&b, "%-4s %3d %d  %-22s %s\n", text.Encoding, size.Units, text.Segments, s.kind, text.Text)
			}
			fmt.Fprintf(&b, "%12s%-22s %s\n", "", "whatsapp", WhatsApp(OTP{Code: "123456", Locale: tag}).Text)
		}
		if Supported("call", tag) {
			speech := Call(OTP{Brand: "Acme", Code: "123456", Locale: tag})
			fmt.Fprintf(&b, "%12s%-22s %s\n", "", "call, press a key", speech.PressKeyPrompt)
			fmt.Fprintf(&b, "%12s%-22s %s\n", "", "call", speech.Text)
		}
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, was := bytes.Split(b.Bytes(), []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(got), len(was)) {
		if i >= len(got) || i >= len(was) || !bytes.Equal(got[i], was[i]) {
			t.Fatalf("%s, line %d differs; run with -update and read the diff\ngot  %s\nwant %s",
				file, i+1, at(got, i), at(was, i))
		}
	}
}

func at(lines [][]byte, i int) []byte {
	if i < len(lines) {
		return lines[i]
	}
	return []byte("(the end)")
}

var samples = []struct {
	kind string
	otp  OTP
}{
	{"sms", OTP{Brand: "Acme", Code: "123456"}},
	{"sms, name 30, code 10", OTP{Brand: "Acme International Holdings SA", Code: "1234567890"}},
	{"do not share", OTP{Brand: "Acme", Code: "123456", DoNotShare: true}},
	{"  name 30, code 10", OTP{Brand: "Acme International Holdings SA", Code: "1234567890", DoNotShare: true}},
	{"payment", OTP{Brand: "Acme", Code: "123456", Amount: "39.99 EUR", Payee: "Corner Shop"}},
	{"  do not share", OTP{Brand: "Acme", Code: "123456", Amount: "39.99 EUR", Payee: "Corner Shop", DoNotShare: true}},
	{"app hash", OTP{Brand: "Acme", Code: "123456", AppHash: "He42w354ol9"}},
	{"  name 30, code 10", OTP{Brand: "Acme International Holdings SA", Code: "1234567890", AppHash: "He42w354ol9", DoNotShare: true}},
}
