package devserver

import (
	"io"
	"net/http"

	"github.com/verifyd/verifyd/internal/rules"
)

// maxRules bounds what is read of a request.
const maxRules = 1 << 20

// serveRules serves /dev/rules. GET answers the rules, PUT puts others in their place, DELETE removes them.
func serveRules(book *rules.Book) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
		case http.MethodPut:
			text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRules))
			if err != nil {
				refuse(w, 60200, http.StatusBadRequest, "The rules could not be read")
				return
			}
			wanted, err := rules.Parse(text)
			if err != nil {
				refuse(w, 60200, http.StatusBadRequest, err.Error())
				return
			}
			book.Set(wanted)
		case http.MethodDelete:
			book.Set(nil)
		default:
			w.Header().Set("Allow", "DELETE, GET, HEAD, PUT")
			refuse(w, 20004, http.StatusMethodNotAllowed, "Method not allowed")
			return
		}
		held := book.Rules()
		if held == nil {
			held = []rules.Rule{}
		}
		write(w, http.StatusOK, map[string][]rules.Rule{"rules": held})
	}
}
