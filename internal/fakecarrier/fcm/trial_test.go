package fcm

import "testing"

// https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send, validateOnly.
func TestATrialIsJudgedAndNotTaken(t *testing.T) {
	g := start(t)
	access := g.access()
	for body, want := range map[string]int{
		`{"validate_only":true,"message":{"topic":"verifyd-check"}}`:     200,
		`{"validate_only":true,"message":{"topic":"no topic at all"}}`:   400,
		`{"validate_only":true,"message":{}}`:                            400,
		`{"message":{"topic":"verifyd-check"}}`:                          400, // topics are not for real here
		`{"validate_only":true,"message":{"token":"not a token of an"}}`: 400,
	} {
		status, said := g.post("/v1/projects/acme-verify/messages:send", "application/json", access, body)
		if status != want || status == 200 && said["name"] != "projects/acme-verify/messages/fake_message_id" {
			t.Errorf("%s: answered %d %v, want %d", body, status, said, want)
		}
	}
	if n := len(g.Inbox()); n != 0 {
		t.Errorf("%d trials were taken for messages", n)
	}
}
