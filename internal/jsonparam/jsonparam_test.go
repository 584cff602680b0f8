package jsonparam_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/jsonparam"
)

func TestObject(t *testing.T) {
	for in, want := range map[string]map[string]any{
		`{}`:                          {},
		` {"a":"b","n":12345678901} `: {"a": "b", "n": json.Number("12345678901")},
		`{"a":{"b":[1,true,null]}}`:   {"a": map[string]any{"b": []any{json.Number("1"), true, nil}}},
		`"{\"a\":\"b\"}"`:             {"a": "b"}, // encoded twice, as twilio-go does with a string
		`{"a":1,"A":2}`:               {"a": json.Number("1"), "A": json.Number("2")},
	} {
		got, err := jsonparam.Object(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Object(%s): %v\n%s", in, err, diff)
		}
	}
}

func TestObjectRefuses(t *testing.T) {
	for _, in := range []string{
		``, ` `, `null`, `1`, `"a"`, `[]`, `{`, `{"a"}`, `{"a":}`, `{"a":1}{}`, `{"a":1} x`,
		`{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`,
		`{"a":{"b":{"c":{"d":{}}}}}`,
		`"\"{}\""`, // encoded three times
		`{"a":"` + strings.Repeat("x", jsonparam.MaxBytes) + `"}`,
	} {
		if got, err := jsonparam.Object(in); !errors.Is(err, jsonparam.ErrMalformed) {
			t.Errorf("Object(%.40s) = %v, %v, want ErrMalformed", in, got, err)
		}
	}
}

func TestArray(t *testing.T) {
	if got, err := jsonparam.Array(`[{"sid":"HJ1"},2]`); err != nil || len(got) != 2 {
		t.Errorf("Array = %v, %v", got, err)
	}
	if got, err := jsonparam.Array(`{}`); !errors.Is(err, jsonparam.ErrMalformed) {
		t.Errorf("Array({}) = %v, %v, want ErrMalformed", got, err)
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
		ok   bool
	}{
		{"x", "x", true},
		{json.Number("1.50"), "1.50", true},
		{true, "true", true},
		{nil, "", false},
		{[]any{}, "", false},
	} {
		if got, ok := jsonparam.Text(c.in); got != c.want || ok != c.ok {
			t.Errorf("Text(%v) = %q, %v, want %q, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

// Whatever Object accepts, encoding/json reads in the same way: the checks only refuse.
func FuzzObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":{"b":[1,true,null]}}`, `"{}"`, `{"a":1,"a":2}`, `{"a":1e999}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := jsonparam.Object(s)
		if err != nil {
			return
		}
		var inner string
		if json.Unmarshal([]byte(s), &inner) == nil {
			s = inner
		}
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		var want map[string]any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", s, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func ExampleObject() {
	limits, err := jsonparam.Object(`{"end_user_ip":"192.0.2.7"}`)
	fmt.Println(limits["end_user_ip"], err)
	// Output: 192.0.2.7 <nil>
}

func TestDocument(t *testing.T) {
	got, err := jsonparam.Document("{\n\"a\": {\"b\": \"c\"}\n}\n")
	if err != nil || got["a"].(map[string]any)["b"] != "c" {
		t.Errorf("got %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"{\n\"a\": 1,\n\"a\": 2}": "line 3: ",
		"{\n\"a\": 1\n\"b\": 2}":  "line 3: ",
		"{}\n{}":                  "line 2: ",
		"[]":                      "want an object",
		`"{}"`:                    "want an object", // what travels in a form may be encoded twice, a file is not
		"":                        "line 1: ",
		strings.Repeat(" ", jsonparam.MaxDocument+1): "more than",
	} {
		if _, err := jsonparam.Document(text); !errors.Is(err, jsonparam.ErrMalformed) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want ErrMalformed with %q", text, err, want)
		}
	}
}
