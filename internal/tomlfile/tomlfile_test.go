package tomlfile

import (
	"strings"
	"testing"
)

func TestErrorsAreALineThatSaysWhere(t *testing.T) {
	type file struct {
		Name string `toml:"name"`
		Deep struct {
			Number int `toml:"number"`
		} `toml:"deep"`
	}
	for text, want := range map[string]string{
		"name = \"a\"\n[deep]\nnumber = 3\n":   "",
		"name = \"a\"\n[deep]\nnumbr = 3\n":    "line 3: unknown key deep.numbr",
		"name = \"a\"\n[deep]\nnumber = \"3\"": "line 3, column 10: ",
		"name = \n":                            "line 1, column ",
	} {
		var f file
		err := Decode([]byte(text), &f)
		if want == "" {
			if err != nil || f.Name != "a" || f.Deep.Number != 3 {
				t.Errorf("%q: %v, %v", text, f, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("a = 1\n[b]\nc = [2]\n")
	f.Fuzz(func(t *testing.T, text string) {
		var into struct{ A int }
		if err := Decode([]byte(text), &into); err != nil && err.Error() == "" {
			t.Error("an error without a word")
		}
	})
}
