package verify_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
)

func mg(digit string) string { return "MG" + strings.Repeat(digit, 32) }

func TestTheMessagingServiceOfACountryCarries(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	gone, spain, all, rcsOnly := mg("0"), mg("1"), mg("2"), mg("3")
	known := map[string][]verify.Channel{spain: {verify.SMS}, all: {verify.SMS, verify.RCS}, rcsOnly: {verify.RCS}, gone: {verify.SMS}}
	w.Carries = func(sid string, c verify.Channel) bool {
		for _, carried := range known[sid] {
			if carried == c {
				return true
			}
		}
		return false
	}
	w.Routed = func(c verify.Channel) bool { return c == verify.Call }
	set := func(country, sid string) error {
		_, err := w.CreateMessagingConfiguration(t.Context(), w.account, w.service, &country, &sid)
		return err
	}
	for country, sid := range map[string]string{"es": spain, "FR": rcsOnly, "PT": gone, "ALL": all} {
		if err := set(country, sid); err != nil {
			t.Fatalf("%s: %v", country, err)
		}
	}
	delete(known, gone) // from the configuration of the server
	for _, c := range []struct{ to, channel, want string }{
		{"+34612345678", "sms", spain},
		{"+34612345678", "rcs", all}, // its own carries no rcs
		{"+33612345678", "sms", all},
		{"+33612345678", "rcs", rcsOnly},
		{"+351912345678", "sms", all},
		{"+491711234567", "sms", all},
		{"+34612345678", "call", ""},
	} {
		a, err := w.sent(verify.StartParams{To: &c.to, Channel: &c.channel})
		if err != nil || a.Options.MessagingServiceSID != c.want {
			t.Errorf("%s to %s: %+v, %v; want %q", c.channel, c.to, a, err, c.want)
		}
	}
	if err := w.DeleteMessagingConfiguration(t.Context(), w.account, w.service, "All"); err != nil {
		t.Fatal(err)
	}
	portugal := "+351912345678"
	_, err := w.sent(verify.StartParams{To: &portugal})
	wantCode(t, err, verify.CodeChannelDisabled, "")
	w.Routed = func(verify.Channel) bool { return true }
	if a, err := w.sent(verify.StartParams{To: &portugal}); err != nil || a.Options.MessagingServiceSID != "" {
		t.Errorf("a messaging service that the server has no more: %+v, %v; want the channel's routes", a, err)
	}
}

// The country is the key, however it is spelled, and one of many simultaneous creates wins.
func TestOneConfigurationACountry(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	var all sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		all.Go(func() {
			country, sid := []string{"ES", "es", "Es"}[i%3], mg("1")
			_, errs[i] = w.CreateMessagingConfiguration(t.Context(), w.account, w.service, &country, &sid)
		})
	}
	all.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		wantCode(t, err, verify.CodeMessagingExists, "")
	}
	if made != 1 {
		t.Errorf("%d creates succeeded, want 1", made)
	}
}

func TestAChannelThatIsSwitchedOffIsRefused(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	update := func(list string) error {
		_, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{DisabledChannels: &list})
		return err
	}
	if err := update(" call, email,call,"); err != nil {
		t.Fatal(err)
	}
	mail := "ana@example.com"
	for channel, to := range map[string]string{"call": ana, "email": mail} {
		_, err := w.start(to, channel)
		wantCode(t, err, verify.CodeChannelDisabled, "")
	}
	w.mustStart(ana, "sms")
	err := update("fax")
	wantCode(t, err, verify.CodeInvalidParameter, "")
	if s, err := w.Service(t.Context(), w.account, w.service); err != nil || len(s.DisabledChannels) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := update(""); err != nil {
		t.Fatal(err)
	}
	w.mustStart(ana, "call")
}

func TestAServicesSettingsOfWhatsAppAreActedUpon(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	known, unknown, from, none := mg("1"), mg("2"), "whatsapp:+34911234567", ""
	w.Carries = func(sid string, c verify.Channel) bool { return sid == known && c == verify.WhatsApp }
	for i, c := range []struct {
		name             string
		messaging, from  *string
		carrier, sender  string
		refused, another bool // no route for WhatsApp; another channel
	}{
		{name: "nothing is set"},
		{name: "a sender", from: &from, sender: "+34911234567"},
		{name: "a messaging service", messaging: &known, carrier: known},
		{name: "both, and no other route", messaging: &known, from: &from, carrier: known, sender: "+34911234567", refused: true},
		{name: "a messaging service without WhatsApp", messaging: &unknown},
		{name: "text messages have their own", messaging: &known, from: &from, another: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.Routed = func(verify.Channel) bool { return !c.refused }
			p := verify.ServiceParams{WhatsAppMessagingServiceSID: &none, WhatsAppFrom: &none}
			if c.messaging != nil {
				p.WhatsAppMessagingServiceSID = c.messaging
			}
			if c.from != nil {
				p.WhatsAppFrom = c.from
			}
			if _, err := w.UpdateService(t.Context(), w.account, w.service, p); err != nil {
				t.Fatal(err)
			}
			to, channel := fmt.Sprintf("+346123456%02d", i), "whatsapp"
			if c.another {
				channel = "sms"
			}
			a, err := w.sent(verify.StartParams{To: &to, Channel: &channel})
			if err != nil || a.Options.MessagingServiceSID != c.carrier || a.Options.From != c.sender {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}
