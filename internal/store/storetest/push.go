package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// pushQuestions are those about what push factors need besides.
var pushQuestions = []question{
	{"a factor is found by the name under which its device signs", factorsByCredential},
	{"access tokens come back as they went in", accessTokensComeBack},
	{"notifications come back as they went in, and change", notificationsComeBack},
	{"old notifications and access tokens are dropped", oldNotificationsAreDropped},
	{"nothing of a failed update about notifications is kept", notificationsRollBack},
}

func notification(n int) *factor.Notification {
	var v factor.Notification
	fill(&v, n)
	v.SID, v.ServiceSID, v.AccountSID = numbered("NT", n), service1, accountSID
	v.ChallengeSID, v.FactorSID = numberedTyped("YC", n), numberedTyped("YF", n)
	return &v
}

func accessToken(n int) *factor.AccessToken {
	var v factor.AccessToken
	fill(&v, n)
	v.SID, v.ServiceSID, v.AccountSID = numbered("YK", n), service1, accountSID
	return &v
}

func readNotification(notificationSID string) func(factor.Tx) (*factor.Notification, error) {
	return func(tx factor.Tx) (*factor.Notification, error) { return tx.Notification(notificationSID) }
}

func readAccessToken(tokenSID string) func(factor.Tx) (*factor.AccessToken, error) {
	return func(tx factor.Tx) (*factor.AccessToken, error) { return tx.AccessToken(tokenSID) }
}

func readCredential(credentialSID string) func(factor.Tx) (*factor.Factor, error) {
	return func(tx factor.Tx) (*factor.Factor, error) { return tx.FactorOfDevice(credentialSID) }
}

func factorsByCredential(t *testing.T, s Store) {
	owner := entity(1)
	first, second, without := factorOf(1, owner), factorOf(2, owner), factorOf(3, owner)
	without.CredentialSID = ""
	update(t, s, func(tx factor.Tx) {
		for _, f := range []*factor.Factor{first, second, without} {
			tx.AddFactor(f)
		}
	})
	for _, want := range []*factor.Factor{first, second} {
		if diff := cmp.Diff(want, mustView(t, s, readCredential(want.CredentialSID))); diff != "" {
			t.Errorf("factor by %s:\n%s", want.CredentialSID, diff)
		}
	}
	update(t, s, func(tx factor.Tx) { tx.DeleteFactor(first) })
	for _, none := range []string{"", first.CredentialSID, numbered("CR", 9), first.SID} {
		if _, err := view(t, s, readCredential(none)); !errors.Is(err, verify.ErrNotFound) {
			t.Errorf("factor by %q: %v, want ErrNotFound", none, err)
		}
	}
	twin := factorOf(4, owner)
	twin.CredentialSID = second.CredentialSID
	if err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
		tx.AddFactor(twin)
		return nil
	})); !errors.Is(err, verify.ErrExists) {
		t.Errorf("a second factor of one name: %v, want ErrExists", err)
	}
}

func accessTokensComeBack(t *testing.T, s Store) {
	want := accessToken(1)
	update(t, s, func(tx factor.Tx) { tx.AddAccessToken(want) })
	if diff := cmp.Diff(want, mustView(t, s, readAccessToken(want.SID))); diff != "" {
		t.Errorf("access token:\n%s", diff)
	}
	if _, err := view(t, s, readAccessToken(numbered("YK", 2))); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("another access token: %v, want ErrNotFound", err)
	}
}

func notificationsComeBack(t *testing.T, s Store) {
	want := notification(1)
	update(t, s, func(tx factor.Tx) { tx.AddNotification(want) })
	if diff := cmp.Diff(want, mustView(t, s, readNotification(want.SID))); diff != "" {
		t.Errorf("notification:\n%s", diff)
	}
	want.State, want.Provider, want.ProviderID = factor.NotificationFailed, "fcm", "projects/x/messages/1"
	want.ErrorCode, want.ErrorClass, want.HandOvers, want.UpdatedAt = "UNREGISTERED", "bad_recipient", 7, noon.Add(time.Hour)
	update(t, s, func(tx factor.Tx) { tx.PutNotification(want) })
	if diff := cmp.Diff(want, mustView(t, s, readNotification(want.SID))); diff != "" {
		t.Errorf("notification after a change:\n%s", diff)
	}
	if _, err := view(t, s, readNotification(numbered("NT", 2))); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("another notification: %v, want ErrNotFound", err)
	}
}

func oldNotificationsAreDropped(t *testing.T, s Store) {
	old, young, token := notification(1), notification(2), accessToken(1)
	old.SID, young.SID = minted(t, sid.Notification, noon), minted(t, sid.Notification, noon.Add(2*day))
	token.SID = minted(t, sid.AccessToken, noon)
	update(t, s, func(tx factor.Tx) {
		tx.AddNotification(old)
		tx.AddNotification(young)
		tx.AddAccessToken(token)
	})
	drop(t, s, noon.Add(31*day))
	if _, err := view(t, s, readNotification(old.SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the old notification: %v, want ErrNotFound", err)
	}
	if _, err := view(t, s, readAccessToken(token.SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the old access token: %v, want ErrNotFound", err)
	}
	mustView(t, s, readNotification(young.SID))
	update(t, s, func(tx factor.Tx) { tx.PutNotification(old) }) // harms nobody, and brings nothing back
	if _, err := view(t, s, readNotification(old.SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the old notification is back: %v", err)
	}
}

func notificationsRollBack(t *testing.T, s Store) {
	n, token := notification(1), accessToken(1)
	if err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
		tx.AddNotification(n)
		tx.AddAccessToken(token)
		return errRefused
	})); !errors.Is(err, errRefused) {
		t.Errorf("Update returned %v", err)
	}
	if _, err := view(t, s, readNotification(n.SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the notification is there: %v", err)
	}
	if _, err := view(t, s, readAccessToken(token.SID)); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the access token is there: %v", err)
	}
}
