// Package wildcard says which destinations a pattern is about: "+346000000*", "*@bounce.example". A star
// stands for any part, an empty one too; every other character stands for itself. The rules of a
// `verifyd dev` and the knobs of the fake carrier are written in it.
package wildcard

import "strings"

// Match reports whether pattern fits the whole of text.
func Match(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	rest := text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return true
}
