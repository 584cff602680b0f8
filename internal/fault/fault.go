// Package fault makes of a panic an error that may be logged and stored. What a program panics with may repeat
// what it worked on, a code or a number, and nobody but the person it was sent to shall read that.
package fault

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
)

// long is a run of digits that could be a code (which has four characters at least) or a part of a number.
var long = regexp.MustCompile(`[0-9]{4,}`)

// Panicked is the error of a panic: the type of its value, and the stack, whose lines say what was done with what
// text. It is to be called by the deferred function that has recovered value.
//
// The value's own words are kept only of errors of Go's runtime, which speak of types and indices alone, and of
// those without the long numbers. Of others nothing can be kept: a code of an application may be any word.
func Panicked(value any) error {
	words := ""
	if e, ok := value.(runtime.Error); ok {
		words = ": " + long.ReplaceAllLiteralString(e.Error(), "…")
	}
	return fmt.Errorf("panic with a %T%s\n%s", value, words, debug.Stack())
}
