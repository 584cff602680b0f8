// Package run has programs that know nothing of verifyd run by `verifyd run`, each with the library that
// its language uses, unmodified: Node's twilio in two major versions, Go, Python, curl. They sign somebody
// in, follow the pages of a list, and call a region's name; where the code lies they are told by
// VERIFYD_URL, as a test would be.
//
// The tests need the build tag full and what `make tools` installs.
package run
