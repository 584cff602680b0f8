// Package providers has the vendors' own libraries judge what verifyd's providers send and believe:
// they check the signatures of reports, and send a message whose request must be ours. Neither end
// of a test is then of the same hand, and no vendor is called.
//
// The tests need the build tag full and what `make tools` installs.
package providers
