package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/jsonparam"
)

// File is a template as a person edits it: one JSON file with every language and channel
// (docs/templates.md).
type File struct {
	// Name is at most 32 characters long and names the template in its account.
	Name string
	// Default is the language for those who have none of the others. It has every channel.
	Default string
	// Variables are the template's own, by name, each with a word about what it stands for.
	Variables map[string]string
	// Translations are the texts by language tag.
	Translations map[string]Translation
}

// Translation is a template in one language. A text that is empty is not there.
type Translation struct {
	SMS string
	// Brandless is the text message for countries in which no brand may be named.
	Brandless string
	Voice     string // what a call says, twice
}

// maxTemplateName is in characters, as the field's description says.
const maxTemplateName = 32

// templateTag is a language of a template: "es", "pt-BR" (core reference 7.4).
var templateTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)

// TemplateLocale reports whether a template could have a translation under this tag.
func TemplateLocale(tag string) bool { return templateTag.MatchString(Canonical(tag)) }

// ReadFile reads and checks a template. Its error says where in the file the mistake is.
func ReadFile(data []byte) (*File, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("the file is no UTF-8")
	}
	top, err := jsonparam.Document(string(data))
	if err != nil {
		return nil, err
	}
	f := &File{Translations: map[string]Translation{}}
	r := reader{}
	r.keys(top, "", "name", "default", "variables", "translations")
	f.Name = r.text(top, "", "name")
	f.Default = Canonical(r.text(top, "", "default"))
	f.Variables = r.variables(r.object(top, "variables"))
	for tag, v := range sorted(r.object(top, "translations")) {
		r.translation(f, tag, v)
	}
	if r.err == nil {
		r.err = f.check()
	}
	return f, r.err
}

// reader takes a document apart and keeps the first mistake.
type reader struct{ err error }

func (r *reader) refuse(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// keys refuses names that mean nothing, so that a misspelt one is found.
func (r *reader) keys(object map[string]any, path string, known ...string) {
	for key := range sorted(object) {
		if !slices.Contains(known, key) {
			r.refuse("%s%s: unknown name; there are %s", path, key, strings.Join(known, ", "))
		}
	}
}

func (r *reader) text(object map[string]any, path, key string) string {
	v, given := object[key]
	text, ok := v.(string)
	if given && !ok {
		r.refuse("%s%s: want a text", path, key)
	}
	return text
}

func (r *reader) object(top map[string]any, key string) map[string]any {
	v, given := top[key]
	object, ok := v.(map[string]any)
	if given && !ok {
		r.refuse("%s: want an object", key)
	}
	return object
}

func (r *reader) variables(object map[string]any) map[string]string {
	var variables map[string]string
	for name := range sorted(object) {
		if !variable.MatchString(name) || fieldNamed(name) != literal {
			r.refuse("variables.%s: want a name of letters, digits and _ that is none of the message's own", name)
		}
		if variables == nil {
			variables = map[string]string{}
		}
		variables[name] = r.text(object, "variables.", name)
	}
	return variables
}

func (r *reader) translation(f *File, tag string, v any) {
	path := "translations." + tag
	object, ok := v.(map[string]any)
	if !ok {
		r.refuse("%s: want an object", path)
		return
	}
	locale := Canonical(tag)
	if !TemplateLocale(tag) {
		r.refuse("%s: want a language such as es or pt-BR", path)
		return
	}
	if _, twice := f.Translations[locale]; twice {
		r.refuse("%s: the language stands twice", path)
		return
	}
	path += "."
	r.keys(object, path, "language", "sms", "sms_brandless", "voice")
	r.text(object, path, "language") // for the reader alone, as in the catalogue
	f.Translations[locale] = Translation{
		SMS:       r.text(object, path, "sms"),
		Brandless: r.text(object, path, "sms_brandless"),
		Voice:     r.text(object, path, "voice"),
	}
}

// check holds the whole against the rules.
func (f *File) check() error {
	switch {
	case strings.TrimSpace(f.Name) == "" || clean(f.Name) != f.Name:
		return errors.New("name: is missing, or has characters that nobody sees")
	case utf8.RuneCountInString(f.Name) > maxTemplateName:
		return fmt.Errorf("name: is longer than %d characters", maxTemplateName)
	case len(f.Translations) == 0:
		return errors.New("translations: there is none")
	}
	standard, there := f.Translations[f.Default]
	if !there {
		return fmt.Errorf("default: %q is none of the translations", f.Default)
	}
	used := map[string]bool{}
	for tag, t := range sorted(f.Translations) {
		if err := t.check(tag, f.Variables, used); err != nil {
			return fmt.Errorf("translations.%s%w", tag, err)
		}
		if t.SMS != "" && standard.SMS == "" || t.Voice != "" && standard.Voice == "" {
			return fmt.Errorf("translations.%s: has a channel that the default language %s lacks", tag, f.Default)
		}
	}
	for name := range sorted(f.Variables) {
		if !used[name] {
			return fmt.Errorf("variables.%s: no text has {{%s}}", name, name)
		}
	}
	return nil
}

// check reports the first mistake in one language, beginning with ": " or with "." and the name of
// the text.
func (t Translation) check(tag string, variables map[string]string, used map[string]bool) error {
	if t.SMS == "" && t.Voice == "" {
		return errors.New(": has neither sms nor voice")
	}
	for _, text := range []struct{ key, channel, text string }{
		{"sms", "sms", t.SMS}, {"sms_brandless", "sms", t.Brandless}, {"voice", "call", t.Voice},
	} {
		if text.text == "" {
			continue
		}
		if err := CheckWords(text.channel, tag, text.text); err != nil {
			return fmt.Errorf(".%s: %w", text.key, err)
		}
		for _, name := range Variables(text.text) {
			if _, declared := variables[name]; !declared {
				return fmt.Errorf(".%s: {{%s}} is not among the variables of the file", text.key, name)
			}
			used[name] = true
		}
	}
	switch {
	case t.Brandless != "" && t.SMS == "":
		return errors.New(".sms_brandless: stands in for sms, and there is none")
	case Has(t.Brandless, "friendly_name"):
		return errors.New(".sms_brandless: must not have {{friendly_name}}")
	}
	return nil
}

// Format writes the file as ReadFile reads it.
func (f *File) Format() []byte {
	type translation struct {
		SMS       string `json:"sms,omitempty"`
		Brandless string `json:"sms_brandless,omitempty"`
		Voice     string `json:"voice,omitempty"`
	}
	out := struct {
		Name         string                 `json:"name"`
		Default      string                 `json:"default"`
		Variables    map[string]string      `json:"variables,omitempty"`
		Translations map[string]translation `json:"translations"`
	}{f.Name, f.Default, f.Variables, map[string]translation{}}
	for tag, t := range f.Translations {
		out.Translations[tag] = translation(t)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil { // texts always encode
		panic(fmt.Sprintf("template %s: %v", f.Name, err))
	}
	return b.Bytes()
}

// sorted goes over a map in the order of its keys, so that the same file has the same first mistake.
func sorted[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
