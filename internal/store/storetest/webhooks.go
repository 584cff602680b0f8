package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// webhookQuestions are those about webhooks and the deliveries of events.
var webhookQuestions = []question{
	{"webhooks come back as they went in, and change", webhooksComeBack},
	{"webhooks are listed newest first, page by page", webhooksAreListed},
	{"a deleted service takes its webhooks along", webhooksOfDeletedService},
	{"deliveries of events come back as they went in, and change", eventDeliveriesComeBack},
	{"deliveries of events are listed by webhook and state, newest first", eventDeliveriesAreListed},
	{"old deliveries of events are dropped with their jobs", oldEventDeliveriesAreDropped},
	{"nothing of a failed update about events is kept", eventDeliveriesRollBack},
}

func webhook(n int) *verify.Webhook {
	var w verify.Webhook
	fill(&w, n)
	w.SID, w.ServiceSID, w.AccountSID = numbered("YW", n), service1, accountSID
	w.EventTypes = []verify.EventType{verify.FactorDeleted, verify.ChallengeWasApproved}
	return &w
}

func eventDelivery(n int) *verify.EventDelivery {
	var d verify.EventDelivery
	fill(&d, n)
	d.SID, d.WebhookSID, d.ServiceSID, d.AccountSID = numbered("ED", n), numbered("YW", 1), service1, accountSID
	return &d
}

func readWebhook(webhookSID string) func(verify.Tx) (*verify.Webhook, error) {
	return func(tx verify.Tx) (*verify.Webhook, error) { return tx.Webhook(webhookSID) }
}

func readEventDelivery(deliverySID string) func(verify.Tx) (*verify.EventDelivery, error) {
	return func(tx verify.Tx) (*verify.EventDelivery, error) { return tx.EventDelivery(deliverySID) }
}

func webhooksComeBack(t *testing.T, s Store) {
	want := webhook(1)
	before := s.ConfigVersion()
	update(t, s, func(tx verify.Tx) { tx.PutWebhook(want) })
	if diff := cmp.Diff(want, mustView(t, s, readWebhook(want.SID))); diff != "" {
		t.Errorf("webhook:\n%s", diff)
	}
	if s.ConfigVersion() == before {
		t.Error("a new webhook does not show in the version of the configuration")
	}
	want.FriendlyName, want.URL, want.Status, want.Version = "other", "https://example.com/x?a=b", verify.WebhookDisabled, verify.WebhookV1
	want.EventTypes, want.UpdatedAt = []verify.EventType{verify.EveryEvent}, noon.Add(time.Hour)
	update(t, s, func(tx verify.Tx) { tx.PutWebhook(want) })
	if diff := cmp.Diff(want, mustView(t, s, readWebhook(want.SID))); diff != "" {
		t.Errorf("webhook after a change:\n%s", diff)
	}
	before = s.ConfigVersion()
	update(t, s, func(tx verify.Tx) { tx.DeleteWebhook(want.SID) })
	if _, err := view(t, s, readWebhook(want.SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("a deleted webhook: %v, want ErrNotFound", err)
	}
	if s.ConfigVersion() == before {
		t.Error("a deleted webhook does not show in the version of the configuration")
	}
}

func webhooksAreListed(t *testing.T, s Store) {
	update(t, s, func(tx verify.Tx) {
		for n := 1; n <= 5; n++ {
			tx.PutWebhook(webhook(n))
		}
		foreign := webhook(6)
		foreign.ServiceSID = numbered("VA", 2)
		tx.PutWebhook(foreign)
	})
	for _, c := range []struct {
		page verify.Page
		want []int
	}{
		{verify.Page{Size: 10}, []int{5, 4, 3, 2, 1}},
		{verify.Page{Size: 2, After: numbered("YW", 4)}, []int{3, 2}},
		{verify.Page{Size: 2, Skip: 4}, []int{1}},
	} {
		list := mustView(t, s, func(tx verify.Tx) ([]verify.Webhook, error) { return tx.Webhooks(service1, c.page) })
		if diff := cmp.Diff(allNumbered("YW", c.want), each(list, func(w verify.Webhook) string { return w.SID })); diff != "" {
			t.Errorf("page %+v:\n%s", c.page, diff)
		}
	}
}

func webhooksOfDeletedService(t *testing.T, s Store) {
	putService(t, s)
	other := webhook(2)
	other.ServiceSID = numbered("VA", 2)
	update(t, s, func(tx verify.Tx) {
		tx.PutWebhook(webhook(1))
		tx.PutWebhook(other)
	})
	update(t, s, func(tx verify.Tx) { tx.DeleteService(service1) })
	if _, err := view(t, s, readWebhook(webhook(1).SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("a webhook of the deleted service: %v, want ErrNotFound", err)
	}
	mustView(t, s, readWebhook(other.SID))
}

func eventDeliveriesComeBack(t *testing.T, s Store) {
	want := eventDelivery(1)
	update(t, s, func(tx verify.Tx) { tx.AddEventDelivery(want) })
	if diff := cmp.Diff(want, mustView(t, s, readEventDelivery(want.SID))); diff != "" {
		t.Errorf("delivery:\n%s", diff)
	}
	want.State, want.Failures, want.UpdatedAt, want.GiveUpAt = verify.EventFailed, 9, noon.Add(time.Hour), noon.Add(2*time.Hour)
	want.Tries = []verify.EventTry{{At: noon.UTC(), Milli: 12, Code: 503, Error: "answered 503"}}
	update(t, s, func(tx verify.Tx) { tx.PutEventDelivery(want) })
	if diff := cmp.Diff(want, mustView(t, s, readEventDelivery(want.SID))); diff != "" {
		t.Errorf("delivery after a try:\n%s", diff)
	}
	fresh := eventDelivery(2)
	fresh.Tries = nil
	update(t, s, func(tx verify.Tx) { tx.AddEventDelivery(fresh) })
	if diff := cmp.Diff(fresh, mustView(t, s, readEventDelivery(fresh.SID))); diff != "" {
		t.Errorf("delivery that was never tried:\n%s", diff)
	}
	twin := want.SID[:len(want.SID)-1] + "f"
	for _, wrong := range []string{twin, numbered("ED", 3), "no SID"} {
		if _, err := view(t, s, readEventDelivery(wrong)); !errors.Is(err, verify.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", wrong, err)
		}
	}
}

func eventDeliveriesAreListed(t *testing.T, s Store) {
	update(t, s, func(tx verify.Tx) {
		for n := 1; n <= 6; n++ {
			d := eventDelivery(n)
			d.State, d.WebhookSID = verify.EventDelivered, numbered("YW", 1+n%2)
			if n <= 2 {
				d.State = verify.EventFailed
			}
			tx.AddEventDelivery(d)
		}
		foreign := eventDelivery(7)
		foreign.AccountSID = numbered("AC", 2)
		tx.AddEventDelivery(foreign)
	})
	for _, c := range []struct {
		q    verify.EventQuery
		page verify.Page
		want []int
	}{
		{verify.EventQuery{}, verify.Page{Size: 10}, []int{6, 5, 4, 3, 2, 1}},
		{verify.EventQuery{}, verify.Page{Size: 2, After: numbered("ED", 4)}, []int{3, 2}},
		{verify.EventQuery{}, verify.Page{Size: 2, Skip: 4}, []int{2, 1}},
		{verify.EventQuery{WebhookSID: numbered("YW", 2)}, verify.Page{Size: 10}, []int{5, 3, 1}},
		{verify.EventQuery{State: verify.EventFailed}, verify.Page{Size: 10}, []int{2, 1}},
		{verify.EventQuery{WebhookSID: numbered("YW", 2), State: verify.EventFailed}, verify.Page{Size: 10}, []int{1}},
		{verify.EventQuery{WebhookSID: "nothing"}, verify.Page{Size: 10}, nil},
	} {
		c.q.AccountSID = accountSID
		list := mustView(t, s, func(tx verify.Tx) ([]verify.EventDelivery, error) { return tx.EventDeliveries(c.q, c.page) })
		if diff := cmp.Diff(allNumbered("ED", c.want), each(list, func(d verify.EventDelivery) string { return d.SID })); diff != "" {
			t.Errorf("%+v, page %+v:\n%s", c.q, c.page, diff)
		}
	}
}

// mintedDelivery is a delivery with a SID that was minted at a time, and its job.
func mintedDelivery(t *testing.T, at time.Time) (*verify.EventDelivery, verify.Job) {
	t.Helper()
	d := eventDelivery(1)
	d.SID = start(t, at).attempt.SID
	return d, verify.Job{ID: sid.Key(d.SID), Kind: verify.ToWebhook, Ref: d.SID, Due: at}
}

func oldEventDeliveriesAreDropped(t *testing.T, s Store) {
	old, oldJob := mintedDelivery(t, noon)
	young, youngJob := mintedDelivery(t, noon.Add(10*day))
	update(t, s, func(tx verify.Tx) {
		tx.PutWebhook(webhook(1))
		tx.AddEventDelivery(old)
		tx.AddEventDelivery(young)
		tx.Enqueue(oldJob)
		tx.Enqueue(youngJob)
	})
	drop(t, s, noon.Add(32*day))
	if _, err := view(t, s, readEventDelivery(old.SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("an old delivery: %v, want ErrNotFound", err)
	}
	mustView(t, s, readEventDelivery(young.SID))
	mustView(t, s, readWebhook(webhook(1).SID))
	if jobs := claim(t, s, verify.ToWebhook, noon.Add(32*day), 10); len(jobs) != 1 || jobs[0].Ref != young.SID {
		t.Errorf("jobs %+v are left, want that of %s", jobs, young.SID)
	}
}

func eventDeliveriesRollBack(t *testing.T, s Store) {
	failure := errors.New("no")
	if err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.PutWebhook(webhook(1))
		tx.AddEventDelivery(eventDelivery(1))
		return failure
	}); !errors.Is(err, failure) {
		t.Fatalf("got %v, want the function's own error", err)
	}
	if _, err := view(t, s, readWebhook(webhook(1).SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the webhook: %v, want ErrNotFound", err)
	}
	if _, err := view(t, s, readEventDelivery(eventDelivery(1).SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the delivery: %v, want ErrNotFound", err)
	}
}
