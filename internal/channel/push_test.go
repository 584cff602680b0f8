package channel

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/provider"
)

// The names of Data are those that the libraries for Android and iOS look for; what is hidden and the
// fields stay here.
func TestANotificationIsAHint(t *testing.T) {
	got := ComposePush(factor.PushDelivery{
		Notification: &factor.Notification{SID: "NT00000000000000000000000000000001"},
		Challenge: &factor.Challenge{
			SID: "YC03000000000000000000000000000002", FactorSID: "YF03000000000000000000000000000003",
			Details:       &factor.ChallengeDetails{Message: "Log in to ACME?", Fields: []factor.DetailField{{Label: "IP", Value: "203.0.113.9"}}},
			HiddenDetails: map[string]string{"tx": "4711"},
		},
		Platform: factor.APN, AppID: "com.acme.app", Token: "token", Brand: "Acme", Deadline: deadline,
	})
	want := provider.Message{
		Attempt: "NT00000000000000000000000000000001", Channel: "push", To: "token", Brand: "Acme", Text: "Log in to ACME?", Deadline: deadline,
		Push: &provider.Push{
			Platform: "apn", App: "com.acme.app", Title: "Acme", Body: "Log in to ACME?",
			Data: map[string]string{
				"type": "verify_push_challenge", "challenge_sid": "YC03000000000000000000000000000002",
				"factor_sid": "YF03000000000000000000000000000003", "message": "Log in to ACME?",
			},
			Collapse: "YC03000000000000000000000000000002",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
