package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

func (w *world) hook(kinds ...string) *verify.Webhook {
	w.t.Helper()
	h, err := w.CreateWebhook(w.t.Context(), w.account, w.service, verify.WebhookParams{
		FriendlyName: new("audit"), EventTypes: kinds, WebhookURL: new("https://app.example.com/hook"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// told are the deliveries that are committed.
func (w *world) told() []verify.EventDelivery {
	w.t.Helper()
	list, err := w.EventDeliveries(w.t.Context(), verify.EventQuery{AccountSID: w.account}, verify.Page{Size: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// kindsOf are the types of events by name: what the clock of the test has at one time has no order.
func kindsOf(list []verify.EventDelivery) []string {
	kinds := make([]string, 0, len(list))
	for _, d := range list {
		kinds = append(kinds, d.EventType)
	}
	slices.Sort(kinds)
	return kinds
}

func TestWebhooksAreRefused(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	good := verify.WebhookParams{FriendlyName: new("a"), EventTypes: []string{"*"}, WebhookURL: new("https://example.com/")}
	for _, c := range []struct {
		name   string
		change func(*verify.WebhookParams)
		code   verify.Code
		param  string
	}{
		{"no name", func(p *verify.WebhookParams) { p.FriendlyName = nil }, verify.CodeMissingParameter, "FriendlyName"},
		{"no types", func(p *verify.WebhookParams) { p.EventTypes = nil }, verify.CodeMissingParameter, "EventTypes"},
		{"no URL", func(p *verify.WebhookParams) { p.WebhookURL = nil }, verify.CodeMissingParameter, "WebhookUrl"},
		{"long name", func(p *verify.WebhookParams) { p.FriendlyName = new(strings.Repeat("é", 256)) }, verify.CodeInvalidRequest, "FriendlyName"},
		{"unknown type", func(p *verify.WebhookParams) { p.EventTypes = []string{"*", "factor.expired"} }, verify.CodeInvalidRequest, "EventTypes"},
		{"empty type", func(p *verify.WebhookParams) { p.EventTypes = []string{""} }, verify.CodeInvalidRequest, "EventTypes"},
		{"empty list", func(p *verify.WebhookParams) { p.EventTypes = []string{"[]"} }, verify.CodeInvalidRequest, "EventTypes"},
		{"list of numbers", func(p *verify.WebhookParams) { p.EventTypes = []string{"[1]"} }, verify.CodeInvalidRequest, "EventTypes"},
		{"relative URL", func(p *verify.WebhookParams) { p.WebhookURL = new("/hook") }, verify.CodeInvalidRequest, "WebhookUrl"},
		{"other scheme", func(p *verify.WebhookParams) { p.WebhookURL = new("file:///etc/passwd") }, verify.CodeInvalidRequest, "WebhookUrl"},
		{"password", func(p *verify.WebhookParams) { p.WebhookURL = new("https://a:b@example.com/") }, verify.CodeInvalidRequest, "WebhookUrl"},
		{"fragment", func(p *verify.WebhookParams) { p.WebhookURL = new("https://example.com/#x") }, verify.CodeInvalidRequest, "WebhookUrl"},
		{"long URL", func(p *verify.WebhookParams) { p.WebhookURL = new("https://example.com/" + strings.Repeat("x", 2048)) }, verify.CodeInvalidRequest, "WebhookUrl"},
		{"status", func(p *verify.WebhookParams) { p.Status = new("on") }, verify.CodeInvalidRequest, "Status"},
		{"version", func(p *verify.WebhookParams) { p.Version = new("v3") }, verify.CodeInvalidRequest, "Version"},
	} {
		p := good
		c.change(&p)
		t.Run(c.name, func(t *testing.T) {
			_, err := w.CreateWebhook(t.Context(), w.account, w.service, p)
			wantCode(t, err, c.code, "")
			if refused, ok := errors.AsType[*verify.Error](err); ok && refused.Param != c.param {
				t.Errorf("refused for %s, want %s", refused.Param, c.param)
			}
		})
	}
	for range 20 {
		w.hook("*")
	}
	_, err := w.CreateWebhook(t.Context(), w.account, w.service, good)
	wantCode(t, err, verify.CodeInvalidRequest, "")
}

func TestEventTypesMayBeOneList(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	h := w.hook(`["factor.deleted", "Factor.Created", "factor.deleted"]`)
	if diff := cmp.Diff([]verify.EventType{"factor.deleted", "factor.created"}, h.EventTypes); diff != "" {
		t.Error(diff)
	}
}

func TestVerificationsAreAnnouncedToSubscribers(t *testing.T) {
	for _, subscribed := range []bool{true, false} {
		w := newWorld(t, verify.ServiceParams{VerifyEventSubscription: &subscribed})
		w.announces("verification.*")
		to, channel := "+34612345678", "sms"
		for _, end := range []string{"approved", "canceled"} {
			v, err := w.StartVerification(t.Context(), w.account, w.service, verify.StartParams{To: &to, Channel: &channel})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.UpdateVerification(t.Context(), w.account, w.service, v.SID, &end); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{}
		if subscribed {
			want = []string{"verification.approved", "verification.canceled", "verification.pending", "verification.pending"}
		}
		if diff := cmp.Diff(want, kindsOf(w.told())); diff != "" {
			t.Errorf("subscribed %v:\n%s", subscribed, diff)
		}
	}
}

// The words that an application gave with a send come back in every event after it, under the send
// that they were given with.
func TestAnEventHasTheTagsOfEverySend(t *testing.T) {
	yes := true
	w := newWorld(t, verify.ServiceParams{VerifyEventSubscription: &yes})
	w.announces("verification.*")
	to, sms, call, name, approved := "+34612345678", "sms", "call", "Acme Shop", "approved"
	var v *verify.Verification
	for _, p := range []verify.StartParams{
		{To: &to, Channel: &sms, Tags: `{"order":"17","aisle":"<b>"}`},
		{To: &to, Channel: &call, Locale: "fr", CustomFriendlyName: name},
	} {
		var err error
		if v, err = w.StartVerification(t.Context(), w.account, w.service, p); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.UpdateVerification(t.Context(), w.account, w.service, v.SID, &approved); err != nil {
		t.Fatal(err)
	}
	type send struct {
		Locale string
		Tags   map[string]string
	}
	type event struct {
		Data struct {
			Name  string                    `json:"custom_friendly_name"`
			Sends struct{ Attempts []send } `json:"send_code_attempts"`
		}
	}
	first, second := send{"es", map[string]string{"order": "17", "aisle": "<b>"}}, send{"fr", map[string]string{}}
	want := map[string]int{} // two events of these are the same but for their time
	for _, sends := range [][]send{{first}, {first, second}, {first, second}} {
		want[fmt.Sprint(sends)]++
	}
	got := map[string]int{}
	for _, d := range w.told() {
		var events []event
		if err := json.Unmarshal([]byte(d.Body), &events); err != nil || len(events) != 1 {
			t.Fatalf("%v in %s", err, d.Body)
		}
		got[fmt.Sprint(events[0].Data.Sends.Attempts)]++
		if last := len(events[0].Data.Sends.Attempts) == 2; last != (events[0].Data.Name == name) {
			t.Errorf("custom name %q in %s", events[0].Data.Name, d.Body)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
