package factor_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
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

// The whole life of a factor: each move is told once, whatever else is tried.
func TestEveryMoveIsToldOnce(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000010)
	w.hook("*")
	f := w.app(ann)
	for _, code := range []string{"000000", "328952", "328952"} { // wrong, right, verified already
		if _, err := w.confirm(f, code); err != nil {
			t.Fatal(err)
		}
	}
	w.at(1764000040)
	c, err := w.ask(f, "000000")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one is refused
		_, _ = w.answer(c, "795194")
	}
	if err := w.DeleteFactor(t.Context(), w.account, w.service, ann, f.SID); err != nil {
		t.Fatal(err)
	}
	told := w.told()
	if diff := cmp.Diff([]string{"challenge.approved", "factor.created", "factor.deleted", "factor.verified"}, kindsOf(told)); diff != "" {
		t.Fatal(diff)
	}
	uuids := map[string]bool{}
	for _, d := range told {
		form, err := url.ParseQuery(d.Body)
		if err != nil {
			t.Fatal(err)
		}
		want := url.Values{
			"uuid": {d.UUID}, "type": {d.EventType}, "account_sid": {w.account}, "service_sid": {w.service},
			"entity_identity": {ann}, "factor_sid": {f.SID}, "factor_type": {"totp"},
		}
		if d.EventType == "challenge.approved" {
			want.Set("challenge_sid", c.SID)
		}
		if diff := cmp.Diff(want, form); diff != "" {
			t.Errorf("%s:\n%s", d.EventType, diff)
		}
		uuids[d.UUID] = true
	}
	if len(uuids) != len(told) {
		t.Errorf("%d UUIDs of %d events", len(uuids), len(told))
	}
}

// A passkey's moves are told as those of any factor, each once, whatever else is tried. Nobody can deny
// a challenge with a passkey, so that is never told.
func TestPasskeysAreToldOf(t *testing.T) {
	w := newWorld(t, passkeyService())
	w.hook("*")
	f := w.newPasskey(ann)
	a := passkeytest.New(passkeySite, passkeyOrigin)
	for range 2 { // the second one is refused
		_, _ = w.register(f, a)
	}
	c := w.challengePasskey(factor.PasskeyChallengeParams{})
	evil := *a
	evil.Origin = "https://evil.test"
	for _, a := range []*passkeytest.Authenticator{&evil, a, a} {
		_, _ = w.prove(c, a)
	}
	if err := w.DeleteFactor(t.Context(), w.account, w.service, ann, f.SID); err != nil {
		t.Fatal(err)
	}
	told := w.told()
	if diff := cmp.Diff([]string{"challenge.approved", "factor.created", "factor.deleted", "factor.verified"}, kindsOf(told)); diff != "" {
		t.Fatal(diff)
	}
	for _, d := range told {
		form, err := url.ParseQuery(d.Body)
		if err != nil {
			t.Fatal(err)
		}
		if form.Get("factor_sid") != f.SID || form.Get("factor_type") != "passkeys" || form.Get("entity_identity") != ann ||
			d.EventType == "challenge.approved" && form.Get("challenge_sid") != c.SID {
			t.Errorf("%s: %v", d.EventType, form)
		}
	}
}

// A challenge that is answered when it is made, and an entity that ends with two factors.
func TestWhatHappensOnTheWayIsToldToo(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000010)
	f := w.app(ann)
	if _, err := w.confirm(f, "328952"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.enrol(ann, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"); err != nil {
		t.Fatal(err)
	}
	w.hook("*")
	w.at(1764000040)
	if _, err := w.ask(f, "795194"); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteEntity(t.Context(), w.account, w.service, ann); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"challenge.approved", "factor.deleted", "factor.deleted"}, kindsOf(w.told())); diff != "" {
		t.Error(diff)
	}
}

func TestAWebhookIsToldWhatItAskedFor(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000010)
	old, off := w.hook("factor.created"), w.hook("*")
	w.hook("factor.verified", "factor.deleted")
	for sid, p := range map[string]verify.WebhookParams{old.SID: {Version: new("v1")}, off.SID: {Status: new("disabled")}} {
		if _, err := w.UpdateWebhook(t.Context(), w.account, w.service, sid, p); err != nil {
			t.Fatal(err)
		}
	}
	w.app(ann)
	told := w.told()
	if len(told) != 1 || told[0].WebhookSID != old.SID {
		t.Fatalf("told %+v, want %s alone", told, old.SID)
	}
	if strings.Contains(told[0].Body, "factor_type") {
		t.Errorf("version 1 is told the type of the factor: %s", told[0].Body)
	}
}

// A change that is refused tells nobody.
func TestARefusedChangeIsNotTold(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000010)
	w.hook("*")
	w.app(ann)
	_, err := w.enrol(ann, sample)
	wantCode(t, err, factor.CodeFactorExists, "")
	if told := w.told(); len(told) != 1 {
		t.Errorf("told %v, want the first factor alone", kindsOf(told))
	}
}

func TestAServiceWithoutWebhooksTellsNobody(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{VerifyEventSubscription: new(true)})
	w.app(ann)
	if told := w.told(); len(told) != 0 {
		t.Errorf("told %v", kindsOf(told))
	}
}

// Another account's deliveries are not there.
func TestADeliveryBelongsToItsAccount(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.hook("*")
	w.app(ann)
	d := w.told()[0]
	_, err := w.EventDelivery(t.Context(), "AC00000000000000000000000000000009", d.SID)
	wantCode(t, err, verify.CodeNotFound, "")
	_, err = w.ResendEvent(t.Context(), "AC00000000000000000000000000000009", d.SID)
	wantCode(t, err, verify.CodeNotFound, "")
	if _, err := w.ResendEvent(t.Context(), w.account, d.SID); err != nil { // though it still waits
		t.Error(err)
	}
}
