// Package openapi has the OpenAPI document judged by software that knows nothing of verifyd: Redocly's
// linter, with the rules that it recommends. Package api holds the document against what verifyd does.
//
// The test needs the build tag full and what `make tools` installs.
package openapi
