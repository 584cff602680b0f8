package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

func geoRules(t *testing.T, s Store) {
	putAccount(t, s)
	other := account()
	other.SID = "AC00000000000000000000000000000002"
	own := verify.GeoRule{AccountSID: accountSID}
	spain := verify.GeoRule{AccountSID: accountSID, ServiceSID: serviceSID, Channel: verify.SMS, Country: "ES", Allowed: true}
	version := s.ConfigVersion()
	update(t, s, func(tx verify.Tx) {
		tx.PutAccount(other)
		tx.PutService(service(1))
		tx.PutGeoRule(own)
		tx.PutGeoRule(spain)
		tx.PutGeoRule(verify.GeoRule{AccountSID: other.SID})
	})
	if s.ConfigVersion() <= version {
		t.Error("a rule does not raise the version of the configuration")
	}
	read := func(tx verify.Tx) ([]verify.GeoRule, error) { return tx.GeoRules(accountSID) }
	if diff := cmp.Diff([]verify.GeoRule{own, spain}, mustView(t, s, read)); diff != "" {
		t.Errorf("rules:\n%s", diff)
	}
	own.Allowed = true
	update(t, s, func(tx verify.Tx) { tx.PutGeoRule(own) })
	update(t, s, func(tx verify.Tx) { tx.DeleteService(serviceSID) })
	if diff := cmp.Diff([]verify.GeoRule{own}, mustView(t, s, read)); diff != "" {
		t.Errorf("rules after a change, and without the service:\n%s", diff)
	}
	update(t, s, func(tx verify.Tx) { tx.DeleteGeoRule(own) })
	if list := mustView(t, s, read); len(list) != 0 {
		t.Errorf("after removing the last: %+v", list)
	}
}
