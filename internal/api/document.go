package api

import (
	_ "embed"
	"net/http"
	"strings"
	"time"
)

// document is the OpenAPI document, written by go generate. It is served as it is, so it costs
// nothing until somebody asks.
//
//go:embed openapi.json
var document string

// ServeDocument serves the OpenAPI document of the API. It takes no credentials, as it says nothing
// about this server but what every verifyd does, and lets pages of any origin read it.
func ServeDocument(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header()["Content-Type"] = jsonContent
	w.Header()["Access-Control-Allow-Origin"] = anyOrigin
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(document))
}
