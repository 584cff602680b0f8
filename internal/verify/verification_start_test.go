package verify_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestFiftySimultaneousStartsMakeOneVerification(t *testing.T) {
	ten := 10
	w := newWorld(t, verify.ServiceParams{MaxSends: &ten})
	var mu sync.Mutex
	sids := map[string]bool{}
	accepted, refused := 0, 0
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			v, err := w.start(ana, "sms")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused++
				return
			}
			sids[v.SID] = true
			accepted++
		})
	}
	all.Wait()
	if len(sids) != 1 || accepted != 10 || refused != 40 {
		t.Errorf("%d verifications, %d sends, %d refused; want 1, 10, 40", len(sids), accepted, refused)
	}
}

func TestPSD2BindsTheCodeToThePayment(t *testing.T) {
	on := true
	w := newWorld(t, verify.ServiceParams{PSD2Enabled: &on})
	begin := func(amount, payee, channel string) (*verify.Verification, error) {
		to := ana
		return w.StartVerification(t.Context(), w.account, w.service, verify.StartParams{To: &to, Channel: &channel, Amount: amount, Payee: payee})
	}
	_, err := begin("€39.99", "", "sms")
	wantCode(t, err, verify.CodePSD2Incomplete, "")
	_, err = begin("€39.99", "Acme", "call")
	wantCode(t, err, verify.CodePSD2Call, "")
	_, err = begin("€39.99", "Acme", "sna")
	wantCode(t, err, verify.CodePSD2SNA, "")

	v, err := begin("€39.99", "Acme", "sms")
	if err != nil {
		t.Fatal(err)
	}
	code := w.code(v)
	confirm := func(amount string) (verify.CheckOutcome, error) {
		to := ana
		_, outcome, err := w.CheckVerification(t.Context(), w.account, w.service, verify.CheckParams{To: &to, Code: &code, Amount: amount, Payee: "Acme"})
		return outcome, err
	}
	if outcome, err := confirm("€3999"); err != nil || outcome != verify.CodeWrong {
		t.Errorf("the right code for another amount: %d, %v, want CodeWrong", outcome, err)
	}
	_, err = confirm("")
	wantCode(t, err, verify.CodePSD2Incomplete, "")

	second, err := begin("€3999", "Acme", "sms")
	if err != nil || second.SID == v.SID {
		t.Fatalf("a start for another amount resends the first one's code: %v", err)
	}
	_, _, err = w.CheckVerification(t.Context(), w.account, w.service, verify.CheckParams{VerificationSID: &v.SID, Code: &code, Amount: "€39.99", Payee: "Acme"})
	wantCode(t, err, verify.CodeNotFound, verify.ReasonReplaced)
}

func TestCustomCodesNeedTheServicesLeave(t *testing.T) {
	to, channel := ana, "sms"
	p := verify.StartParams{To: &to, Channel: &channel, CustomCode: "A1b2C3"}
	w := newWorld(t, verify.ServiceParams{})
	_, err := w.StartVerification(t.Context(), w.account, w.service, p)
	wantCode(t, err, verify.CodeFeatureDisabled, "")
	on := true
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{CustomCodeEnabled: &on}); err != nil {
		t.Fatal(err)
	}
	v, err := w.StartVerification(t.Context(), w.account, w.service, p)
	if err != nil || w.code(v) != "A1b2C3" {
		t.Fatalf("custom code: %v", err)
	}
	p.CustomCode = "zzzzzz"
	if v, err = w.StartVerification(t.Context(), w.account, w.service, p); err != nil || w.code(v) != "A1b2C3" {
		t.Errorf("a resend with another custom code changes the code: %v", err)
	}
	if _, outcome, err := w.check(ana, "A1b2C3"); err != nil || outcome != verify.CodeRight {
		t.Errorf("check: %d, %v", outcome, err)
	}
}

func TestAServicesOwnLimitsAndLife(t *testing.T) {
	ttl, sends, checks, length := 120, 2, 1, 8
	w := newWorld(t, verify.ServiceParams{CodeTTL: &ttl, MaxSends: &sends, MaxChecks: &checks, CodeLength: &length})
	v := w.mustStart(ana, "sms")
	if v.ExpiresAt != start.Add(2*time.Minute) || v.MaxSends != 2 || v.MaxChecks != 1 || len(w.code(v)) != 8 {
		t.Errorf("started %+v", v)
	}
	for _, p := range []verify.ServiceParams{{CodeTTL: new(119)}, {CodeTTL: new(86401)}, {MaxSends: new(0)}, {MaxChecks: new(11)}, {CodeLength: new(3)}, {CodeLength: new(11)}} {
		_, err := w.UpdateService(t.Context(), w.account, w.service, p)
		wantCode(t, err, verify.CodeInvalidParameter, "")
	}
}

func TestTwoSpellingsOfAnAddressAreOneRecipient(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	first := w.mustStart("Jane@Example.com", "email")
	second := w.mustStart("jane@example.com", "email")
	if second.SID != first.SID || second.To != "Jane@example.com" {
		t.Errorf("the second start gave %s to %s, want a resend to the address that was given first", second.SID, second.To)
	}
	if _, err := w.start("\u212Aane@example.com", "email"); err == nil {
		t.Error("a look-alike address was accepted")
	}
}

// A refused start leaves no trace, in the order of the core reference, section 15.
func TestARefusedStartLeavesNoTrace(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	sms, call, whatsapp := "sms", "call", "whatsapp"
	to, bad := ana, "+123"
	hj := "HJ" + strings.Repeat("0", 32)
	for _, c := range []struct {
		p     verify.StartParams
		code  verify.Code
		param string
	}{
		{verify.StartParams{}, verify.CodeMissingParameter, "To"},
		{verify.StartParams{To: &bad}, verify.CodeMissingParameter, "Channel"},
		{verify.StartParams{To: &bad, Channel: &bad}, verify.CodeInvalidParameter, "Channel"},
		{verify.StartParams{To: &bad, Channel: &sms, Locale: "xx"}, verify.CodeInvalidParameter, "To"},
		{verify.StartParams{To: &to, Channel: &sms, Locale: "qq"}, verify.CodeInvalidParameter, "Locale"},
		{verify.StartParams{To: &to, Channel: &call, Locale: "ar"}, verify.CodeNoSpeechLocale, ""},
		{verify.StartParams{To: &to, Channel: &whatsapp, Locale: "en-GB", CustomFriendlyName: "12345"}, verify.CodeInvalidParameter, "CustomFriendlyName"},
		{verify.StartParams{To: &to, Channel: &sms, CustomCode: "123"}, verify.CodeInvalidParameter, "CustomCode"},
		{verify.StartParams{To: &to, Channel: &sms, CustomCode: "123456"}, verify.CodeFeatureDisabled, ""},
		{verify.StartParams{To: &to, Channel: &sms, DeviceIP: "1.2.3"}, verify.CodeInvalidParameter, "DeviceIp"},
		{verify.StartParams{To: &to, Channel: &sms, RiskCheck: "maybe"}, verify.CodeInvalidParameter, "RiskCheck"},
		{verify.StartParams{To: &to, Channel: &call, SendDigits: "1x"}, verify.CodeInvalidParameter, "SendDigits"},
		{verify.StartParams{To: &to, Channel: &sms, RateLimits: "{"}, verify.CodeInvalidParameter, "RateLimits"},
		{verify.StartParams{To: &to, Channel: &sms, Tags: `{"a":["b"]}`}, verify.CodeInvalidParameter, "Tags"},
		{verify.StartParams{To: &to, Channel: &sms, Substitutions: `[]`}, verify.CodeInvalidParameter, "TemplateCustomSubstitutions"},
		{verify.StartParams{To: &to, Channel: &sms, ChannelConfiguration: `x`}, verify.CodeInvalidParameter, "ChannelConfiguration"},
		{verify.StartParams{To: &to, Channel: &call, AppHash: "He42w354ol9"}, verify.CodeAppHashChannel, ""},
		{verify.StartParams{To: &to, Channel: &sms, TemplateSID: "HJ1"}, verify.CodeInvalidParameter, "TemplateSid"},
		{verify.StartParams{To: &to, Channel: &sms, TemplateSID: hj}, verify.CodeTemplateNotFound, ""},
		{verify.StartParams{To: &to, Channel: &whatsapp, TemplateSID: hj}, verify.CodeTemplateChannel, ""},
		{verify.StartParams{To: &to, Channel: &sms, Templates: `[]`}, verify.CodeInvalidTemplates, ""},
		{verify.StartParams{To: &to, Channel: &sms, Templates: fmt.Sprintf(`[{"sid":%q}]`, hj)}, verify.CodeTemplatesInvalid, ""},
	} {
		_, err := w.StartVerification(t.Context(), w.account, w.service, c.p)
		refused, ok := errors.AsType[*verify.Error](err)
		if !ok || refused.Code != c.code || refused.Param != c.param {
			t.Errorf("%+v: got %v, want %d %s", c.p, err, c.code, c.param)
		}
	}
	_, err := w.Verification(t.Context(), w.account, w.service, ana)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonNeverExisted)
	if jobs, err := w.store.Claim(t.Context(), "sms", start.Add(time.Hour), start.Add(2*time.Hour), 10); err != nil || len(jobs) != 0 {
		t.Errorf("refused starts left %d jobs, %v", len(jobs), err)
	}
}
