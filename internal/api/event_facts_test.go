package api_test

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/verify"
)

func TestEveryEventHasFacts(t *testing.T) {
	want := append([]verify.EventType{
		verify.FactorCreated, verify.FactorVerified, verify.FactorDeleted, verify.ChallengeWasApproved, verify.ChallengeWasDenied,
	}, verify.CloudEvents()...)
	var got []verify.EventType
	for _, e := range api.Events() {
		got = append(got, e.Type)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What is said of a webhook's call is what it is sent.
func TestTheFactsOfACallHold(t *testing.T) {
	w := newWorld(t)
	w.play(`POST /v2/Services FriendlyName=ACME
POST /v2/Services/$VA1/Webhooks FriendlyName=all EventTypes=* WebhookUrl=https://app.example.test/
POST /v2/Services/$VA1/Entities/user-7f3a91c2/Factors FactorType=totp FriendlyName=Ann`)
	told, err := w.engine.EventDeliveries(t.Context(), verify.EventQuery{AccountSID: w.account}, verify.Page{Size: 10})
	if err != nil || len(told) != 1 {
		t.Fatal(told, err)
	}
	form, err := url.ParseQuery(told[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	var said, sent []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[api.WebhookCall]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "challenge_sid" { // of another event
			said = append(said, name)
		}
	}
	for name := range form {
		sent = append(sent, name)
	}
	slices.Sort(said)
	slices.Sort(sent)
	if diff := cmp.Diff(said, sent); diff != "" {
		t.Errorf("said and sent:\n%s", diff)
	}
}
