package sip

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// The recordings were made with espeak-ng by the test that checks them:
//
//go:generate go test -tags full -run TestRecordingsAreMadeOfTheirWords -update .
//go:embed recordings
var embedded embed.FS

// phrase is one thing to be said: a sentence, or one character of a code.
type phrase struct {
	language string // BCP 47
	voice    string // as the service names it, empty for the default
	text     string
}

// voice says phrases. What it returns is µ-law and belongs to it.
type voice interface {
	say(ctx context.Context, p phrase) ([]byte, error)
}

// errNoWords is a phrase that a voice cannot say, now or later.
var errNoWords = errors.New("nothing was recorded for this")

// recordings is a voice that was recorded beforehand: for each language the ten digits and the
// sentences of words.go, in files that hold nothing but µ-law.
type recordings struct {
	folder fs.FS // the embedded ones
	own    fs.FS // an operator's, which come first; nil for none
}

func newRecordings(own fs.FS) recordings {
	folder, err := fs.Sub(embedded, "recordings")
	if err != nil {
		panic(err) // the name is a constant
	}
	return recordings{folder: folder, own: own}
}

func (r recordings) say(_ context.Context, p phrase) ([]byte, error) {
	l, ok := recorded(p.language)
	if !ok {
		return nil, fmt.Errorf("%w: the language %q", errNoWords, p.language)
	}
	name, ok := l.find(p.text)
	if !ok {
		return nil, fmt.Errorf("%w: a sentence in %q", errNoWords, l.tag)
	}
	name = l.tag + "/" + name + ".ulaw"
	if r.own != nil {
		sound, err := fs.ReadFile(r.own, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return sound, err
		}
	}
	return fs.ReadFile(r.folder, name)
}

// recorded is the language itself, or the one that it is a variety of: zh-CN is zh.
func recorded(tag string) (*spoken, bool) {
	for tag != "" {
		for i := range languages {
			if strings.EqualFold(languages[i].tag, tag) {
				return &languages[i], true
			}
		}
		tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	}
	return nil, false
}

// find is the file that has the text.
func (l *spoken) find(text string) (name string, ok bool) {
	if len(text) == 1 && '0' <= text[0] && text[0] <= '9' {
		return text, true
	}
	for _, s := range l.sentences {
		before, after, named := strings.Cut(s.message, "{}")
		if !named && text == before {
			return s.name, true
		}
		if named && len(text) >= len(before)+len(after) && strings.HasPrefix(text, before) && strings.HasSuffix(text, after) {
			return s.name, true
		}
	}
	return "", false
}
