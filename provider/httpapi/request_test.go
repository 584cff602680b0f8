package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// A notification has its own field, and no other message has one.
func TestANotificationIsOnTheWire(t *testing.T) {
	m := provider.Message{
		Attempt: "NT00000000000000000000000000000001", Key: "NT00000000000000000000000000000001:1", Channel: "push", To: "token",
		Deadline: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC),
		Push: &provider.Push{
			Platform: "fcm", App: "com.acme.app", Title: "Acme", Body: "Log in?", Data: map[string]string{"type": "verify_push_challenge"}, Collapse: "YC1",
		},
	}
	body, err := encode(m, "")
	want := `"push":{"platform":"fcm","app":"com.acme.app","title":"Acme","body":"Log in?","data":{"type":"verify_push_challenge"},"collapse":"YC1"}`
	if err != nil || !strings.Contains(string(body), want) {
		t.Errorf("%s, %v", body, err)
	}
	m.Push = nil
	if body, err := encode(m, ""); err != nil || strings.Contains(string(body), `"push":`) {
		t.Errorf("without one: %s, %v", body, err)
	}
}
