// Package jsonparam reads the JSON that travels inside a form parameter (RateLimits, Tags,
// ChannelConfiguration, …).
//
// encoding/json alone would be too lenient for text from outside: it takes the last of two equal
// names, matches names in any case, and reads numbers as floats. Here equal names are refused,
// names are exact, and numbers keep their digits.
package jsonparam

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds of a parameter.
const (
	MaxBytes = 4096
	MaxDepth = 4
)

// MaxDocument bounds a document, in bytes.
const MaxDocument = 1 << 20

// ErrMalformed says that a parameter is not JSON of the wanted shape and size.
var ErrMalformed = errors.New("malformed JSON parameter")

// Object reads a JSON object. Values are string, bool, json.Number, nil, []any or map[string]any.
// A JSON string that holds an object is read too, because twilio-go encodes a second time what its
// caller passes as a string.
func Object(s string) (map[string]any, error) {
	v, err := read(s, 1)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: want an object", ErrMalformed)
	}
	return object, nil
}

// Array reads a JSON array in the same way.
func Array(s string) ([]any, error) {
	v, err := read(s, 1)
	if err != nil {
		return nil, err
	}
	array, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: want an array", ErrMalformed)
	}
	return array, nil
}

// Document reads a file that holds one JSON object, under the same rules but those about size and
// strings. An error names the line.
func Document(text string) (map[string]any, error) {
	if len(text) > MaxDocument {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrMalformed, MaxDocument)
	}
	v, at, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", 1+strings.Count(text[:at], "\n"), err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: want an object", ErrMalformed)
	}
	return object, nil
}

// Text is a scalar value as text: a string as it is, a number by its digits.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	default:
		return "", false
	}
}

// read parses s, and once more if the result is a string and unwrap allows it.
func read(s string, unwrap int) (any, error) {
	if len(s) > MaxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrMalformed, MaxBytes)
	}
	v, _, err := parse(s)
	if err != nil {
		return nil, err
	}
	if inner, isText := v.(string); isText && unwrap > 0 {
		return read(inner, unwrap-1)
	}
	return v, nil
}

// parse reads the one value of s; at is how far it came.
func parse(s string) (v any, at int64, err error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	v, err = value(d, 0)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = fmt.Errorf("%w: text after the end", ErrMalformed)
		}
	}
	return v, d.InputOffset(), err
}

func value(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	open, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth == MaxDepth {
		return nil, fmt.Errorf("%w: nested more than %d deep", ErrMalformed, MaxDepth)
	}
	if open == '[' {
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, wrap(err)
	}
	object := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, wrap(err)
		}
		key, ok := name.(string)
		if _, twice := object[key]; !ok || twice {
			return nil, fmt.Errorf("%w: a name stands twice", ErrMalformed)
		}
		if object[key], err = value(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return object, wrap(err)
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}
