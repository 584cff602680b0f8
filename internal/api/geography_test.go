package api_test

import (
	"strings"
	"testing"
)

func TestAKeyMayReadWhereMessagesGoAndNotChangeIt(t *testing.T) {
	w := newWorld(t)
	k, secret, err := w.engine.CreateKey(t.Context(), w.account, "backend")
	if err != nil {
		t.Fatal(err)
	}
	const path = "/v2/Verifyd/Geography"
	if rec := w.as(k.SID, secret, "GET", path, ""); rec.Code != 200 {
		t.Errorf("GET: %d %s", rec.Code, rec.Body)
	}
	if rec := w.as(k.SID, secret, "POST", path, "Country=CD&Permission=allow"); rec.Code != 403 || !strings.Contains(rec.Body.String(), `"code":20006`) {
		t.Errorf("POST: %d %s, want 403, 20006", rec.Code, rec.Body)
	}
	if rec := w.do("GET", path, ""); !strings.Contains(rec.Body.String(), `"rules":[]`) {
		t.Errorf("the refused change was made: %s", rec.Body)
	}
}
