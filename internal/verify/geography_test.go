package verify_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestTheNarrowestGeoRuleDecides(t *testing.T) {
	const service = "VA00000000000000000000000000000001"
	rule := func(service string, c verify.Channel, country string, allowed bool) verify.GeoRule {
		return verify.GeoRule{ServiceSID: service, Channel: c, Country: country, Allowed: allowed}
	}
	for _, c := range []struct {
		name    string
		rules   verify.Geography
		found   bool
		allowed bool
	}{
		{"no rule", nil, false, false},
		{"a rule about all", verify.Geography{rule("", "", "", false)}, true, false},
		{"a country before all", verify.Geography{rule("", "", "ES", true), rule("", "", "", false)}, true, true},
		{"a channel before all", verify.Geography{rule("", "", "", false), rule("", verify.SMS, "", true)}, true, true},
		{"a country before a channel", verify.Geography{rule("", verify.SMS, "", true), rule("", "", "ES", false)}, true, false},
		{"both before one", verify.Geography{rule("", "", "ES", false), rule("", verify.SMS, "ES", true)}, true, true},
		{"a service before the account", verify.Geography{rule("", verify.SMS, "ES", true), rule(service, "", "", false)}, true, false},
		{"another service", verify.Geography{rule("VA00000000000000000000000000000002", "", "", true), rule("", "", "", false)}, true, false},
		{"another country", verify.Geography{rule("", "", "FR", true)}, false, false},
		{"another channel", verify.Geography{rule("", verify.Call, "ES", true)}, false, false},
	} {
		got, found := c.rules.Find(service, verify.SMS, "ES")
		if found != c.found || got.Allowed != c.allowed {
			t.Errorf("%s: found %v, allowed %v, want %v, %v", c.name, found, got.Allowed, c.found, c.allowed)
		}
	}
}

func TestGeoRulesChange(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	change := func(permission string, channels []string, countries ...string) verify.Geography {
		t.Helper()
		g, err := w.ChangeGeography(t.Context(), w.account, verify.GeoChange{Channels: channels, Countries: countries, Permission: permission})
		if err != nil {
			t.Fatal(err)
		}
		read, err := w.Geography(t.Context(), w.account)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(g, read); diff != "" {
			t.Errorf("what was answered differs from what is there:\n%s", diff)
		}
		return g
	}
	change(verify.Deny, nil, "all")
	change(verify.Allow, []string{"sms", "call"}, "fr", "ES")
	g := change(verify.Deny, []string{"call"}, "FR")
	want := verify.Geography{
		{AccountSID: w.account},
		{AccountSID: w.account, Channel: "call", Country: "ES", Allowed: true},
		{AccountSID: w.account, Channel: "sms", Country: "ES", Allowed: true},
		{AccountSID: w.account, Channel: "call", Country: "FR"},
		{AccountSID: w.account, Channel: "sms", Country: "FR", Allowed: true},
	}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Error(diff)
	}
	if g := change(verify.Inherit, []string{"sms", "call"}, "fr", "ES", "DE"); len(g) != 1 {
		t.Errorf("after removing all but one: %+v", g)
	}
}

// Whoever makes an account for two countries must not have one for all of them, even for a moment.
func TestAnAccountIsMadeWithItsCountries(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	a, _, err := w.CreateAccount(t.Context(), "two", "", "", "es", "FR")
	if err != nil {
		t.Fatal(err)
	}
	g, err := w.Geography(t.Context(), a.SID)
	if err != nil {
		t.Fatal(err)
	}
	for country, allowed := range map[string]bool{"ES": true, "FR": true, "DE": false, "": false} {
		if rule, found := g.Find(w.service, verify.SMS, country); !found || rule.Allowed != allowed {
			t.Errorf("%q: found %v, allowed %v, want %v", country, found, rule.Allowed, allowed)
		}
	}
	if _, _, err := w.CreateAccount(t.Context(), "none", "", "", "Spain"); err == nil {
		t.Error("an account was made for a country that does not exist")
	}
}

func TestTheSafeListIsForTextMessages(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	number := ana
	if _, err := w.ChangeGeography(t.Context(), w.account, verify.GeoChange{Countries: []string{"all"}, Permission: verify.Deny}); err != nil {
		t.Fatal(err)
	}
	_, err := w.start(ana, "sms")
	wantCode(t, err, verify.CodeGeoBlocked, "")
	if _, err := w.AddSafeNumber(t.Context(), w.account, &number); err != nil {
		t.Fatal(err)
	}
	w.mustStart(ana, "sms")
	_, err = w.start(ana, "call")
	wantCode(t, err, verify.CodeGeoBlocked, "")
	if err := w.RemoveSafeNumber(t.Context(), w.account, ana); err != nil {
		t.Fatal(err)
	}
	_, err = w.start(ana, "sms")
	wantCode(t, err, verify.CodeGeoBlocked, "")
	_, err = w.AddSafeNumber(t.Context(), w.account, nil)
	wantCode(t, err, verify.CodeMissingParameter, "")
}
