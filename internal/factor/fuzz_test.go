package factor

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"123456", "123 456", "12", "123456789", "３２８９５２", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := parseCode(s)
		if ok && (len(code) < 3 || len(code) > 8 || strings.Contains(code, " ")) {
			t.Errorf("%q is read as %q", s, code)
		}
		if again, still := parseCode(code); still != ok || again != code {
			t.Errorf("%q is read as %q, and that as %q", s, code, again)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-11-24T12:00:00Z", "2026-11-24T13:00:00.5+01:00", "2026-11-24T13:00:00 01:00", "2026-11-24T13:00:00+0100", "2026-11-24T12:00Z", "2026-11-24T12:00:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := parseDate(s)
		if !ok {
			return
		}
		again, ok := parseDate(at.Format(time.RFC3339))
		if !ok || !again.Equal(at) || at.Nanosecond() != 0 || at.Location() != time.UTC {
			t.Errorf("%q is %s, and back %s", s, at, again)
		}
	})
}

func TestParseDate(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2026-11-24T12:00:00Z":          noon,
		"2026-11-24T13:00:00.999+01:00": noon,
		"2026-11-24T13:00:00 01:00":     noon, // a plus sign that was not encoded
		"2026-11-24T07:00:00-0500":      noon,
		"2026-11-24T12:00Z":             noon,
		"2026-11-24T12:00:00":           noon,
		"2026-11-24":                    {},
		"1764000000":                    {},
		"0001-01-01T00:00:00Z":          {},
		"9999-12-31T23:59:59-12:00":     {},
		"":                              {},
	} {
		if at, ok := parseDate(s); ok == want.IsZero() || ok && !at.Equal(want) {
			t.Errorf("parseDate(%q) = %s, %v, want %s", s, at, ok, want)
		}
	}
}

func FuzzParseTexts(f *testing.F) {
	for _, s := range []string{`{"os":"x"}`, `"{\"os\":\"x\"}"`, `{"a":1}`, `{"a":{}}`, `[]`, `{}`, `{"a":"b","a":"c"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		texts, ok := parseTexts(s)
		if ok && (texts == nil || utf8.RuneCountInString(s) > maxJSONParam) {
			t.Errorf("%q gives %v", s, texts)
		}
	})
}

func TestParseTexts(t *testing.T) {
	for s, want := range map[string]int{
		`{"os":"x","v":""}`: 2,
		`{}`:                0,
		`"{\"os\":\"x\"}"`:  1, // twilio-go encodes a text once more
		`{"a":1}`:           -1,
		`{"a":null}`:        -1,
		`{"a":{"b":"c"}}`:   -1,
		`["a"]`:             -1,
		`{"a":"b","a":"c"}`: -1,
		``:                  -1,
		`{"a":"` + strings.Repeat("ü", 1024-8) + `"}`: 1,
		`{"a":"` + strings.Repeat("ü", 1024-7) + `"}`: -1,
	} {
		texts, ok := parseTexts(s)
		if ok != (want >= 0) || ok && len(texts) != want {
			t.Errorf("parseTexts(%q) = %v, %v, want %d", s, texts, ok, want)
		}
	}
}

func FuzzParseFields(f *testing.F) {
	f.Add(`{"label":"IP","value":"203.0.113.9"}`, `{"label":"a","value":"b"}`)
	f.Add(`[{"label":"IP","value":"x"},{"value":"b","label":"a"}]`, "")
	f.Add(`"{\"label\":\"IP\",\"value\":\"x\"}"`, "{}")
	f.Fuzz(func(t *testing.T, first, second string) {
		for _, values := range [][]string{{first}, {first, second}} {
			fields, ok := parseFields(values)
			if !ok {
				continue
			}
			if fields == nil || len(fields) > maxDetailsFields {
				t.Fatalf("%q gives %d fields", values, len(fields))
			}
			for _, field := range fields {
				if utf8.RuneCountInString(field.Label) > maxDetailsLabel || utf8.RuneCountInString(field.Value) > maxDetailsValue {
					t.Errorf("%q gives %+v", values, field)
				}
			}
		}
	})
}

func TestParseFields(t *testing.T) {
	one := func(label, value string) string { return `{"label":"` + label + `","value":"` + value + `"}` }
	many := func(n int) (values []string) {
		for range n {
			values = append(values, one("l", "v"))
		}
		return values
	}
	for _, c := range []struct {
		values []string
		want   int
	}{
		{nil, 0},
		{[]string{""}, 0},
		{[]string{one("a", "b"), one("c", "d")}, 2},
		{[]string{"[" + one("a", "b") + "," + one("c", "d") + "]"}, 2},
		{[]string{`"{\"label\":\"a\",\"value\":\"b\"}"`}, 1},
		{many(20), 20},
		{many(21), -1},
		{[]string{"[" + one("a", "b") + "]", one("c", "d")}, -1},
		{[]string{one(strings.Repeat("ü", 36), strings.Repeat("ü", 128))}, 1},
		{[]string{one(strings.Repeat("ü", 37), "b")}, -1},
		{[]string{one("a", strings.Repeat("ü", 129))}, -1},
		{[]string{`{"label":"a"}`}, -1},
		{[]string{`{"label":"a","value":1}`}, -1},
		{[]string{`{"label":"a","value":"b","more":"c"}`}, -1},
		{[]string{`[1]`}, -1},
		{[]string{`text`}, -1},
	} {
		fields, ok := parseFields(c.values)
		if ok != (c.want >= 0) || ok && len(fields) != c.want {
			t.Errorf("parseFields(%q) = %v, %v, want %d", c.values, fields, ok, c.want)
		}
	}
}
