package verify_test

import (
	"errors"
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestAccountsCannotSeeOneAnother(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	code := w.code(v)
	stranger, _, err := w.CreateAccount(t.Context(), "stranger", "", "")
	if err != nil {
		t.Fatal(err)
	}
	name := "Evil"
	theirs, err := w.CreateService(t.Context(), stranger.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	approved := "approved"
	for what, call := range map[string]func() error{
		"service": func() error { _, err := w.Service(t.Context(), stranger.SID, w.service); return err },
		"update": func() error {
			_, err := w.UpdateService(t.Context(), stranger.SID, w.service, verify.ServiceParams{})
			return err
		},
		"delete":       func() error { return w.DeleteService(t.Context(), stranger.SID, w.service) },
		"fetch":        func() error { _, err := w.Verification(t.Context(), stranger.SID, w.service, v.SID); return err },
		"fetch in own": func() error { _, err := w.Verification(t.Context(), stranger.SID, theirs.SID, v.SID); return err },
		"approve in own": func() error {
			_, err := w.UpdateVerification(t.Context(), stranger.SID, theirs.SID, v.SID, &approved)
			return err
		},
		"check by SID in own": func() error {
			_, _, err := w.CheckVerification(t.Context(), stranger.SID, theirs.SID, verify.CheckParams{VerificationSID: &v.SID, Code: &code})
			return err
		},
	} {
		refused, ok := errors.AsType[*verify.Error](call())
		if !ok || refused.Code != verify.CodeNotFound || refused.Reason == verify.ReasonOtherService {
			t.Errorf("%s: got %v, want 404 without a hint", what, refused)
		}
	}
	if list, err := w.Services(t.Context(), stranger.SID, verify.Page{Size: 10}); err != nil || len(list) != 1 {
		t.Errorf("the stranger lists %d services, %v", len(list), err)
	}
}

func TestAnotherServiceOfTheSameAccountIsNamedAsTheReason(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	name := "Other"
	s, err := w.CreateService(t.Context(), w.account, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Verification(t.Context(), w.account, s.SID, v.SID)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonOtherService)
}

func TestADeletedServiceSendsNothingMore(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	if err := w.DeleteService(t.Context(), w.account, w.service); err != nil {
		t.Fatal(err)
	}
	_, err := w.start(ana, "sms")
	wantCode(t, err, verify.CodeNotFound, "")
	if _, ok, err := w.Delivery(t.Context(), v.Sends[0].AttemptSID); ok || err != nil {
		t.Errorf("the code would still be sent: %v, %v", ok, err)
	}
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	a, token, err := w.CreateAccount(t.Context(), "a", "AC0123456789abcdef0123456789ABCDEF", "")
	if err != nil || verify.CheckToken(token) != nil {
		t.Fatalf("token %q, %v", token, err)
	}
	k, secret, err := w.CreateKey(t.Context(), a.SID, "ci")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		user, password, account string
	}{
		{a.SID, token, a.SID}, {k.SID, secret, a.SID},
		{a.SID, secret, ""}, {k.SID, token, ""}, {a.SID, "", ""}, {"", "", ""}, {"AC1", "x", ""}, {"SK", token, ""},
	} {
		got, err := w.Authenticate(t.Context(), c.user, c.password)
		if got != c.account || (err == nil) != (c.account != "") {
			t.Errorf("Authenticate(%s) = %q, %v, want %q", c.user, got, err, c.account)
		}
	}
	const next = "0123456789abcdef0123456789abcdef"
	if err := w.ReplaceToken(t.Context(), a.SID, next); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), a.SID, token); err == nil {
		t.Error("the replaced token still opens")
	}
	if _, err := w.Authenticate(t.Context(), a.SID, next); err != nil {
		t.Errorf("the new token is refused: %v", err)
	}
}

// An application moves with the SID that it knows its service by, and nobody takes it from somebody.
func TestAServiceIsImportedUnderItsSID(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	const known = "VA0123456789abcdef0123456789abcdef"
	params := verify.ServiceParams{FriendlyName: new("Moved")}
	s, err := w.ImportService(t.Context(), w.account, known, params)
	if err != nil || s.SID != known {
		t.Fatalf("got %v, %v", s, err)
	}
	if got, err := w.Service(t.Context(), w.account, known); err != nil || got.FriendlyName != "Moved" {
		t.Errorf("read back: %v, %v", got, err)
	}
	stranger, _, err := w.CreateAccount(t.Context(), "stranger", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ImportService(t.Context(), stranger.SID, known, params); !errors.Is(err, verify.ErrExists) {
		t.Errorf("by another account: %v, want ErrExists", err)
	}
	if _, err := w.ImportService(t.Context(), w.account, "VA1", params); err == nil {
		t.Error("something that is no SID was taken")
	}
}
