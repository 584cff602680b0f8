// Package clients walks through the API with the client libraries that applications use, against
// the binary that is released, on SQLite and on PostgreSQL: Go, Node and Python, each as its
// documentation shows it. The golden files in internal/api say what is on the wire; these walks say
// that the libraries read it, follow its pages and raise its codes.
//
// The tests need the build tag full and what `make tools` installs.
package clients
