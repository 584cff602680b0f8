//go:build full

package sip

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

var update = flag.Bool("update", false, "write the recordings anew")

// espeak is the engine of the manual: slower than the program's own pace, as one speaks to somebody
// who writes along.
func espeak() *engine {
	return newEngine([]string{"espeak-ng", "--stdin", "--stdout", "-s", "140", "-v", "{voice}"}, nil)
}

// TestRecordingsAreMadeOfTheirWords has espeak-ng say every recording again. Another version of it may
// say a word differently, so what is compared is the length, generously: a recording of other words
// is found, and so is silence.
func TestRecordingsAreMadeOfTheirWords(t *testing.T) {
	e := espeak()
	for _, l := range languages {
		for name, words := range l.all() {
			want, err := e.say(t.Context(), phrase{language: l.voice, text: words})
			if err != nil {
				t.Fatalf("%s/%s: %v", l.tag, name, err)
			}
			file := filepath.Join("recordings", l.tag, name+".ulaw")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, want, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(want); len(got) < n/2 || len(got) > 2*n {
				t.Errorf("%s is %d ms long, its words take %d ms: make it anew with -update", file, len(got)/8, n/8)
			}
		}
	}
}

// all are the recordings of a language: the name of the file, and the words in it.
func (l *spoken) all() map[string]string {
	words := map[string]string{}
	for digit := range 10 {
		words[strconv.Itoa(digit)] = strconv.Itoa(digit)
		if l.digits != nil {
			words[strconv.Itoa(digit)] = l.digits[digit]
		}
	}
	for _, s := range l.sentences {
		words[s.name] = s.heard
	}
	return words
}
