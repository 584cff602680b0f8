package verify_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

// lines answers lookups.
type lines map[string]verify.Line

func (l lines) Line(_ context.Context, number string) (verify.Line, error) {
	line, known := l[number]
	if !known {
		return line, errors.New("the service is down")
	}
	return line, nil
}

func TestLookup(t *testing.T) {
	const (
		madrid = "+34912345678"
		sevill = "+34954123456"
		us     = "+12125551234"
	)
	on, off := true, false
	outside := lines{ana: {Type: verify.VoIP, Carrier: "Acme", MCC: "214", MNC: "07"}, madrid: {Type: verify.Mobile}, us: {Carrier: "Bell"}}
	for _, c := range []struct {
		name         string
		lookup, skip *bool
		lines        verify.Lines
		to, channel  string
		want         *verify.Line // nil for none
		code         verify.Code
	}{
		{"lookup off", &off, &on, outside, madrid, "sms", nil, 0},
		{"a mobile by its plan", &on, &on, nil, ana, "sms", &verify.Line{Type: verify.Mobile}, 0},
		{"a landline by its plan", &on, &on, nil, madrid, "sms", nil, verify.CodeLandline},
		{"a call to a landline", &on, &on, nil, madrid, "call", &verify.Line{Type: verify.Landline}, 0},
		{"landlines are not skipped", &on, &off, nil, madrid, "sms", &verify.Line{Type: verify.Landline}, 0},
		{"a plan that does not say", &on, &on, nil, us, "sms", &verify.Line{}, 0},
		{"somebody outside knows", &on, &on, outside, ana, "sms", &verify.Line{Type: verify.VoIP, Carrier: "Acme", MCC: "214", MNC: "07"}, 0},
		{"a ported number", &on, &on, outside, madrid, "sms", &verify.Line{Type: verify.Mobile}, 0},
		{"outside knows a part", &on, &on, outside, us, "sms", &verify.Line{Carrier: "Bell"}, 0},
		{"outside fails", &on, &off, outside, sevill, "sms", &verify.Line{Type: verify.Landline, ErrorCode: verify.CodeCarrierError}, 0},
		{"outside fails, and the plan is sure", &on, &on, outside, sevill, "sms", nil, verify.CodeLandline},
		{"e-mail", &on, &on, outside, "ana@example.com", "email", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, verify.ServiceParams{LookupEnabled: c.lookup, SkipSMSToLandlines: c.skip})
			w.Lines = c.lines
			v, err := w.start(c.to, c.channel)
			if c.code != 0 {
				wantCode(t, err, c.code, "")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Verification(t.Context(), w.account, w.service, v.SID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Line); diff != "" {
				t.Errorf("line:\n%s", diff)
			}
			a, err := w.Attempt(t.Context(), w.account, v.Sends[0].AttemptSID)
			if err != nil {
				t.Fatal(err)
			}
			if c.want != nil && (a.Carrier != c.want.Carrier || a.MCC != c.want.MCC || a.MNC != c.want.MNC) {
				t.Errorf("the attempt has %q %q %q", a.Carrier, a.MCC, a.MNC)
			}
		})
	}
}
