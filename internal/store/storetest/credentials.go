package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

func credentialIsUnique(t *testing.T, s Store) {
	first, elsewhere := factorOf(1, entity(1)), factorOf(2, entity(2))
	elsewhere.ServiceSID, elsewhere.Credential = numbered("VA", 2), first.Credential
	update(t, s, func(tx factor.Tx) {
		tx.AddFactor(first)
		tx.AddFactor(elsewhere)
	})
	of := func(serviceSID, credential string) (*factor.Factor, error) {
		return view(t, s, func(tx factor.Tx) (*factor.Factor, error) { return tx.FactorByCredential(serviceSID, credential) })
	}
	for _, want := range []*factor.Factor{first, elsewhere} {
		got, err := of(want.ServiceSID, want.Credential)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("factor by credential:\n%s", diff)
		}
	}
	later := factorOf(3, entity(1))
	later.Credential = ""
	update(t, s, func(tx factor.Tx) { tx.AddFactor(later) })
	later.Credential = first.Credential
	for what, write := range map[string]func(factor.Tx){
		"put": func(tx factor.Tx) { tx.PutFactor(later) },
		"added": func(tx factor.Tx) {
			f := factorOf(4, entity(1))
			f.Credential = first.Credential
			tx.AddFactor(f)
		},
	} {
		if err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
			write(tx)
			return nil
		})); !errors.Is(err, verify.ErrExists) {
			t.Errorf("a second factor of one credential, %s: %v, want ErrExists", what, err)
		}
	}
	for _, wrong := range [][2]string{{serviceSID, "another"}, {serviceSID, ""}, {numbered("VA", 3), first.Credential}} {
		if _, err := of(wrong[0], wrong[1]); !errors.Is(err, verify.ErrNotFound) {
			t.Errorf("credential %v: %v, want ErrNotFound", wrong, err)
		}
	}
	update(t, s, func(tx factor.Tx) { tx.DeleteFactor(first) })
	update(t, s, func(tx factor.Tx) { tx.PutFactor(later) })
	if got, err := of(serviceSID, later.Credential); err != nil || got.SID != later.SID {
		t.Errorf("the credential of a deleted factor is not free: %v, %v", got, err)
	}
}

// Fifty factors want one credential, as the engine gives it: those that come late see that it is taken.
func registrationsOnNodes(t *testing.T, nodes []Store) {
	update(t, nodes[0], func(tx factor.Tx) {
		for i := range simultaneous {
			f := factorOf(i+1, entity(1))
			f.Status, f.Credential = factor.Unverified, ""
			tx.AddFactor(f)
		}
	})
	var verified, refused atomic.Int64
	onNodes(nodes, func(i int, s Store) {
		err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
			f, err := tx.Factor(numberedTyped("YF", i+1))
			if err != nil {
				return err
			}
			if _, err := tx.FactorByCredential(serviceSID, "key"); !errors.Is(err, verify.ErrNotFound) {
				return errors.Join(errRefused, err)
			}
			f.Status, f.Credential = factor.Verified, "key"
			tx.PutFactor(f)
			return nil
		}))
		switch {
		case err == nil:
			verified.Add(1)
		case errors.Is(err, errRefused):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if verified.Load() != 1 || refused.Load() != simultaneous-1 {
		t.Errorf("%d factors have the credential, %d were refused", verified.Load(), refused.Load())
	}
}

// OlderRelease asks whether factors are read that the release before passkeys writes, which may run still
// on a database that this one has migrated. exec runs a statement.
func OlderRelease(t *testing.T, s Store, exec func(statement string) error) {
	for n := range 2 { // that they have no credential is nothing that only one may be
		factorSID := numberedTyped("YF", n+1)
		if err := exec(fmt.Sprintf(`INSERT INTO factor (id, sid, entity_sid, identity, service_sid, account_sid, type, friendly_name,
				status, secret_sealed, config, metadata, wrong_answers, spent_until, created_at, updated_at)
			VALUES (%d, '%s', '%s', 'Ann', '%s', '%s', 'totp', 'her phone', 'verified', NULL, '{}', '', 0, 0, 0, 0)`,
			sid.Key(factorSID), factorSID, numbered("YE", 1), serviceSID, accountSID)); err != nil {
			t.Fatal(err)
		}
		got, err := view(t, s, func(tx factor.Tx) (*factor.Factor, error) { return tx.Factor(factorSID) })
		if err != nil || got.FriendlyName != "her phone" || got.Credential != "" {
			t.Errorf("%+v, %v", got, err)
		}
	}
}
