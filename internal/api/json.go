package api

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/internal/verify"
)

// badJSON is the error of a body that cannot be read as a JSON object.
var badJSON = &verify.Error{Code: verify.CodeInvalidRequest, Param: "(null)"}

// readJSON reads the body of a POST that is JSON. No body at all is an empty object.
func readJSON(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		media, _, err := mime.ParseMediaType(kind)
		if err != nil || media != "application/json" {
			return nil, badJSON
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, badJSON
	}
	if len(body) == 0 {
		return []byte("{}"), nil
	}
	if !validTexts(body) {
		return nil, badJSON
	}
	return body, nil
}

// validTexts reports whether a body is a JSON object without what one database stores and another
// does not: NUL in a text. What is not UTF-8 is replaced where it is decoded.
func validTexts(body []byte) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil {
		return false
	}
	return !strings.Contains(string(body), `\u0000`)
}
