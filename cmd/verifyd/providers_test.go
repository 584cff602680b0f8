package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/config"
	"github.com/verifyd/verifyd/provider"
)

// tomlBlock is a configuration in a manual.
var tomlBlock = regexp.MustCompile("(?ms)^```toml\n(.*?)^```$")

var fromFile = regexp.MustCompile(`"file:[^"]*"`)

// anyVariable has every variable that a page asks for. A public key has a form of its own.
func anyVariable(name string) (string, bool) {
	switch {
	case strings.HasPrefix(name, "VERIFYD_"):
		return "", false
	case strings.HasSuffix(name, "PUBLIC_KEY"):
		return "1spSdNZ0w3mSIOxBPfKN0vSrrhXgYxJBiBKrQ4K0fHY=", true
	}
	return "0123456789abcdef0123456789abcdef", true
}

// TestTheManualOfEveryProviderWorks reads each configuration of docs/providers/*.md as `verifyd
// serve` does, and builds its providers.
func TestTheManualOfEveryProviderWorks(t *testing.T) {
	pages, err := filepath.Glob("../../docs/providers/*.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range tomlBlock.FindAllStringSubmatch(string(text), -1) {
			c, err := config.Parse(fromFile.ReplaceAll([]byte(block[1]), []byte(`"from-a-file-0123456789"`)), anyVariable)
			if err != nil {
				t.Errorf("%s: %v\n%s", page, err, block[1])
				continue
			}
			for name := range c.Providers {
				kind, settings, err := c.Provider(name)
				if err != nil {
					t.Errorf("%s: %v", page, err)
					continue
				}
				if providers[kind] == nil {
					t.Errorf("%s: there is no provider of type %q", page, kind)
					continue
				}
				// A provider with a key in a file is built by the test of its own page.
				if _, err := providers[kind](settings, provider.Deps{}); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: [providers.%s]: %v\n%s", page, name, err, block[1])
				}
				if filepath.Base(page) == kind+".md" {
					shown[kind] = true
				}
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(providers)) {
		if !shown[kind] {
			t.Errorf("docs/providers/%s.md does not show a configuration of type %q", kind, kind)
		}
	}
}

// A vendor whose answer does not end must not fill the memory, by its header either.
func TestTheHeaderOfAVendorsAnswerIsBounded(t *testing.T) {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Padding", strings.Repeat("x", 2*maxAnswerHeader))
	}))
	defer vendor.Close()
	answer, err := providerClient().Get(vendor.URL)
	if err == nil {
		answer.Body.Close()
		t.Errorf("an answer with a header of %d bytes was taken: %s", 2*maxAnswerHeader, answer.Status)
	}
}

// secretKey is how settings are called that nobody but the vendor may read.
var secretKey = regexp.MustCompile(`(?i)password|secret|token|(^|_)(api|auth|private)_?key$`)

// FuzzProviderSettings builds providers of any settings, beginning with those of the manuals: a mistake is
// an error, which goes into the log and repeats no secret.
func FuzzProviderSettings(f *testing.F) {
	pages, err := filepath.Glob("../../docs/providers/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range tomlBlock.FindAllStringSubmatch(string(text), -1) {
			c, err := config.Parse(fromFile.ReplaceAll([]byte(block[1]), []byte(`"from-a-file-0123456789"`)), anyVariable)
			if err != nil {
				f.Fatal(err)
			}
			for name := range c.Providers {
				kind, settings, err := c.Provider(name)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(kind, []byte(settings))
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind string, settings []byte) {
		build, known := providers[kind]
		if !known || bytes.Contains(settings, []byte("file")) { // any file would be read
			return
		}
		p, err := build(settings, provider.Deps{})
		if err == nil {
			if c, ok := p.(io.Closer); ok {
				c.Close()
			}
			return
		}
		var given map[string]any
		if json.Unmarshal(settings, &given) != nil {
			return
		}
		for key, value := range given {
			secret, _ := value.(string)
			if len(secret) >= 8 && secretKey.MatchString(key) && strings.Contains(err.Error(), secret) {
				t.Errorf("%s is in the error: %v", key, err)
			}
		}
	})
}
