package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// elsewhere are the codes that no conversation can have, and what tries them.
var elsewhere = map[verify.Code]string{
	verify.CodeAccessDenied: "they are those of the account: geography_test.go",
	verify.CodeCarrierError: "it stands in a field of an answer: line_test.go of package verify",
}

// Every row of the table of errors is seen by a conversation as a client sees it.
func TestEveryCodeIsSpoken(t *testing.T) {
	files, err := filepath.Glob("testdata/conversations/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	spoken := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range spokenCode.FindAllStringSubmatch(string(text), -1) {
			spoken[m[1]] = true
		}
	}
	for _, code := range slices.Concat(verify.Codes(), factor.Codes()) {
		if spoken[strconv.Itoa(int(code))] == (elsewhere[code] != "") {
			t.Errorf("%d is in a conversation: %t, and tried elsewhere: %q", code, spoken[strconv.Itoa(int(code))], elsewhere[code])
		}
	}
}

var spokenCode = regexp.MustCompile(`(?m)^    "code": (\d{5}),$`)
