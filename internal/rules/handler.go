package rules

import (
	"encoding/json"
	"io"
	"net/http"
)

// maxText bounds what is read of a request.
const maxText = 1 << 20

// ServeHTTP serves /dev/rules. GET answers the rules, PUT puts others in their place, DELETE removes them.
func (b *Book) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A page from elsewhere must not change them through the developer's browser.
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		refuse(w, 20403, http.StatusForbidden, "Cross-origin requests are refused")
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPut:
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxText))
		if err != nil {
			refuse(w, 60200, http.StatusBadRequest, "The rules could not be read")
			return
		}
		rules, err := Parse(text)
		if err != nil {
			refuse(w, 60200, http.StatusBadRequest, err.Error())
			return
		}
		b.Set(rules)
	case http.MethodDelete:
		b.Set(nil)
	default:
		w.Header().Set("Allow", "DELETE, GET, HEAD, PUT")
		refuse(w, 20004, http.StatusMethodNotAllowed, "Method not allowed")
		return
	}
	rules := b.Rules()
	if rules == nil {
		rules = []Rule{}
	}
	write(w, http.StatusOK, map[string][]Rule{"rules": rules})
}

func refuse(w http.ResponseWriter, code, status int, message string) {
	write(w, status, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  int    `json:"status"`
	}{code, message, status})
}

func write(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
