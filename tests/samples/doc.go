// Package samples runs the programs of examples with their tests, as the workflow beside them says, and the
// tests of the npm package that they use: with a verifyd that was built here, and in as much of a workflow's
// world as there is.
//
// The tests need the build tag full and what `make tools` installs.
package samples
