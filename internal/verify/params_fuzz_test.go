package verify

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// refused reports whether err is a refusal, and complains of an error that is none: it would be answered
// with 500.
func refused(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Code == 0 {
		t.Errorf("%v is no refusal", err)
	}
	return true
}

// FuzzStartParams reads the parameters of a start, all of which come from whoever calls.
func FuzzStartParams(f *testing.F) {
	f.Add("sms", "+34612345678", "es", "", `{"ip":"192.0.2.1","n":7}`, `{"order":"4711"}`, "", "Acme", "", false)
	f.Add("sms", " 34612345678 ", "", "", "{}", "", "", "", "12.34 EUR", true)
	f.Add("email", "Pat@Example.com", "pt-BR", "", "", "", `{"from":"auth@acme.example","from_name":"Acme"}`, "", "", false)
	f.Add("email", "pat@bücher.example", "", "", "", "", `{"from":7}`, "", "", false)
	f.Add("call", "+442071838750", "en-GB", "wW1#*", "", "", "", "Bücher 24", "", false)
	f.Add("whatsapp", "+5511912345678", "zz", "", `{"a":{"b":1}}`, `"{\"a\":\"b\"}"`, "", "", "", false)
	f.Add("sna", "+34612345678", "", "", "", "", "", "", "", true)
	f.Add("rcs", "+34", "es", "9999999999", "[]", "null", "", "12345", "", false)
	f.Fuzz(func(t *testing.T, channel, to, locale, digits, limits, tags, configuration, name, amount string, psd2 bool) {
		p := StartParams{
			To: &to, Channel: &channel, Locale: locale, SendDigits: digits, RateLimits: limits, Tags: tags,
			ChannelConfiguration: configuration, CustomFriendlyName: name, Amount: amount, Payee: amount,
		}
		s := &Service{}
		s.FriendlyName, s.PSD2Enabled = "Acme", psd2
		w, err := p.read(s)
		if refused(t, err) {
			return
		}
		again, recipient, country, ok := readDestination(w.channel == Email, w.to)
		if !ok || again != w.to || recipient != w.recipient || country != w.country {
			t.Errorf("%q is read as %q of %q in %q, and that as %q of %q in %q", to, w.to, w.recipient, w.country, again, recipient, country)
		}
		if (w.channel == Email) != strings.Contains(w.to, "@") {
			t.Errorf("%s goes to %q", w.channel, w.to)
		}
		if w.locale == "" || w.brand == "" {
			t.Errorf("%+v has no language or no brand", p)
		}
		if psd2 != (w.amount != "") {
			t.Errorf("the amount %q is kept as %q", amount, w.amount)
		}
		if kept := w.options.Tags; kept != "" {
			var read map[string]string
			if err := json.Unmarshal([]byte(kept), &read); err != nil || len(read) == 0 || len(read) > maxTags {
				t.Errorf("%q is kept as %q: %v", tags, kept, err)
			}
		}
	})
}

// FuzzServiceParams applies parameters of a service: all of them, or none.
func FuzzServiceParams(f *testing.F) {
	f.Add("Acme", 6, "alice", "MG00000000000000000000000000000001", "whatsapp:+34612345678", "acme.example", "https://acme.example,http://localhost:80", "any", "required", "sms,call", "email", 60, 600)
	f.Add("12345", 3, "\x00", "x", "+34612345678", "-acme", "http://acme.example", "none", "", "fax", " , sms ,sms", 0, 1<<30)
	f.Add("Bücher_-9", 10, "", "", "", "", "", "", "", "", "", 10, 86400)
	f.Fuzz(func(t *testing.T, name string, length int, voice, messaging, from, party, origins, attachment, preference, disabled, fallback string, after, ttl int) {
		p := ServiceParams{
			FriendlyName: &name, CodeLength: &length, TTSName: &voice, WhatsAppMessagingServiceSID: &messaging, WhatsAppFrom: &from,
			PasskeysRelyingPartyID: &party, PasskeysOrigins: &origins, PasskeysAuthenticatorAttachment: &attachment,
			PasskeysUserVerification: &preference, DisabledChannels: &disabled, Fallback: &fallback, FallbackAfter: &after, CodeTTL: &ttl,
		}
		var s Service
		if refused(t, s.apply(p)) {
			if !reflect.DeepEqual(s, Service{}) {
				t.Errorf("what was refused has changed it: %+v", s)
			}
			return
		}
		again := s
		if err := again.apply(p); err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("applied twice: %v\n%+v\n%+v", err, s, again)
		}
		if !validName(s.FriendlyName) || !CodeLengths.Holds(s.CodeLength) || len(s.Passkeys.Origins) > MaxOrigins {
			t.Errorf("%+v was taken", s)
		}
		for _, c := range append(s.DisabledChannels, s.Fallback...) {
			if _, known := channelRules[c]; !known {
				t.Errorf("the channel %q was taken", c)
			}
		}
	})
}

// FuzzReadCountries: "" is all countries, which nobody may get without having said so.
func FuzzReadCountries(f *testing.F) {
	f.Add("ES", "fr")
	f.Add("all", "")
	f.Add("ALL", "ES")
	f.Add(" es ", "XX")
	f.Fuzz(func(t *testing.T, first, second string) {
		codes := []string{first}
		if second != "" {
			codes = append(codes, second)
		}
		countries, err := ReadCountries(codes)
		if refused(t, err) {
			return
		}
		for _, country := range countries {
			if country == "" && !strings.EqualFold(first, "all") || country != "" && !validCountry(country) {
				t.Errorf("%q are read as %q", codes, countries)
			}
		}
	})
}
