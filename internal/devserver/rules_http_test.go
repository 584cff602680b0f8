package devserver

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/rules"
)

func TestRulesOverHTTP(t *testing.T) {
	var book rules.Book
	h := serveRules(&book)
	for _, step := range []struct{ method, body, want string }{
		{"GET", "", `200 {"rules":[]}`},
		{"PUT", `{"rules":[{"to":"*","carrier":"late"}]}`, `200 {"rules":[{"to":"*","carrier":"late"}]}`},
		{"PUT", `{"rules":[{"to":"*","carrier":"x"}]}`, `400 {"code":60200,"message":"rule 1: carrier \"x\" is none`},
		{"PUT", strings.Repeat(" ", maxRules+1), `400 `},
		{"GET", "", `200 {"rules":[{"to":"*","carrier":"late"}]}`},
		{"DELETE", "", `200 {"rules":[]}`},
		{"POST", "", `405 `},
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(step.method, "/dev/rules", strings.NewReader(step.body)))
		if got := fmt.Sprint(rec.Code, " ", rec.Body); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s %.50s: %s, want %s", step.method, step.body, got, step.want)
		}
	}
}
