// Package tomlfile reads TOML that a person wrote: the configuration, the world of a verifyd dev. A key that
// means nothing is an error, so that a misspelt one is found, and every error is one line that says where.
package tomlfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Decode reads a text into a struct.
func Decode(text []byte, into any) error {
	return readable(toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into))
}

// readable makes one line of an error of the TOML library, with line and key.
func readable(err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
		e := strict.Errors[0]
		line, _ := e.Position()
		return fmt.Errorf("line %d: unknown key %s", line, strings.Join(e.Key(), "."))
	}
	if broken, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := broken.Position()
		return fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	return err
}
