package verify

import (
	"testing"

	"github.com/verifyd/verifyd/internal/sid"
)

// What is taken for a list of templates names one to ten of them.
func FuzzReadTemplateList(f *testing.F) {
	f.Add(`[{"sid":"HJ00000000000000000000000000000001","substitutions":{"store":"Sol","n":1}}]`)
	f.Add(`"[{\"sid\":\"HJ00000000000000000000000000000001\"}]"`)
	f.Add(`[{"sid":"HJ1","sid":"HJ2"},null,[]]`)
	f.Fuzz(func(t *testing.T, text string) {
		usual := map[string]string{"usual": "value"}
		list, ok := readTemplateList(text, usual)
		if !ok {
			return
		}
		if len(list) == 0 || len(list) > maxCandidates {
			t.Fatalf("%q: %d templates", text, len(list))
		}
		for _, c := range list {
			if !sid.Valid(sid.Template, c.sid) || c.values == nil {
				t.Fatalf("%q: %+v", text, c)
			}
		}
	})
}
