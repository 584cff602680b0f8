package verify_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/storetest"
	"github.com/verifyd/verifyd/internal/verify"
)

// world is an engine on a real store, with a clock of its own. Every Update runs twice.
type world struct {
	*verify.Engine
	t       *testing.T
	store   *sqlite.Store
	mu      sync.Mutex
	now     time.Time
	account string
	service string
	payment bool // every start and check is of the same one
}

func newWorld(t *testing.T, settings verify.ServiceParams) *world {
	t.Helper()
	w := &world{t: t, now: start}
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: w.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	w.store = store
	w.Engine = verify.NewEngine(storetest.Replay{Store: store}, keys, w.clock, rand.Reader, func(verify.Channel) bool { return true })
	a, _, err := w.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	name := "Acme"
	if settings.FriendlyName == nil {
		settings.FriendlyName = &name
	}
	s, err := w.CreateService(t.Context(), a.SID, settings)
	if err != nil {
		t.Fatal(err)
	}
	w.account, w.service = a.SID, s.SID
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

const ana = "+34612345678"

func (w *world) start(to, channel string) (*verify.Verification, error) {
	p := verify.StartParams{To: &to, Channel: &channel}
	if w.payment {
		p.Amount, p.Payee = "€ 39.99", "Acme"
	}
	return w.StartVerification(w.t.Context(), w.account, w.service, p)
}

func (w *world) mustStart(to, channel string) *verify.Verification {
	w.t.Helper()
	v, err := w.start(to, channel)
	if err != nil {
		w.t.Fatalf("start: %v", err)
	}
	return v
}

func (w *world) check(to, code string) (*verify.Verification, verify.CheckOutcome, error) {
	p := verify.CheckParams{To: &to, Code: &code}
	if w.payment {
		p.Amount, p.Payee = "€ 39.99", "Acme"
	}
	return w.CheckVerification(w.t.Context(), w.account, w.service, p)
}

// code reads the code of the latest send, as a worker would.
func (w *world) code(v *verify.Verification) string {
	w.t.Helper()
	d, ok, err := w.Delivery(w.t.Context(), v.Sends[len(v.Sends)-1].AttemptSID)
	if err != nil || !ok {
		w.t.Fatalf("delivery: %v, %v", ok, err)
	}
	return d.Code
}

// other is a code that is not the right one.
func other(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

// refusal is the refusal that an error is, nil if it is none.
func refusal(err error) *verify.Error {
	refused, _ := errors.AsType[*verify.Error](err)
	return refused
}

func wantCode(t *testing.T, err error, code verify.Code, reason verify.Reason) {
	t.Helper()
	refused, ok := errors.AsType[*verify.Error](err)
	if !ok || refused.Code != code || refused.Reason != reason {
		t.Fatalf("got %v, want code %d, reason %q", err, code, reason)
	}
}

func TestAPersonIsVerified(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	if v.Status != verify.Pending || len(v.Sends) != 1 || v.ExpiresAt != start.Add(10*time.Minute) || v.Country != "ES" {
		t.Fatalf("started %+v", v)
	}
	code := w.code(v)
	got, outcome, err := w.check(ana, other(code))
	if err != nil || outcome != verify.CodeWrong || got.Status != verify.Pending || got.Checks != 1 {
		t.Fatalf("wrong code: %+v, %d, %v", got, outcome, err)
	}
	got, outcome, err = w.check(ana, code)
	if err != nil || outcome != verify.CodeRight || got.Status != verify.Approved || got.SID != v.SID {
		t.Fatalf("right code: %+v, %d, %v", got, outcome, err)
	}
	_, _, err = w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonApproved)
	_, err = w.Verification(t.Context(), w.account, w.service, v.SID)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonApproved)
	if next := w.mustStart(ana, "sms"); next.SID == v.SID || next.Checks != 0 {
		t.Errorf("the next start gave the approved verification")
	}
}

func TestAResendKeepsSIDCodeAndEnd(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	first := w.mustStart(ana, "sms")
	code := w.code(first)
	for i, channel := range []string{"call", "whatsapp", "rcs", "sms"} {
		w.advance(time.Minute)
		v := w.mustStart(ana, channel)
		if v.SID != first.SID || len(v.Sends) != i+2 || v.Channel != verify.Channel(channel) || v.ExpiresAt != first.ExpiresAt {
			t.Fatalf("resend by %s gave %+v", channel, v)
		}
		if got := w.code(v); got != code {
			t.Fatalf("resend by %s has code %s, want %s", channel, got, code)
		}
	}
	_, err := w.start(ana, "sms")
	wantCode(t, err, verify.CodeMaxSends, "")
	if refused, _ := errors.AsType[*verify.Error](err); refused.RetryAfter != 6*time.Minute {
		t.Errorf("told to try again in %s, want the six minutes that are left", refused.RetryAfter)
	}
	if v, err := w.Verification(t.Context(), w.account, w.service, ana); err != nil || len(v.Sends) != 5 {
		t.Errorf("the refused send counts: %+v, %v", v, err)
	}
}

func TestSixthCheckIsRefusedEvenWithTheRightCode(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	code := w.code(v)
	for i := range 5 {
		if _, outcome, err := w.check(ana, other(code)); err != nil || outcome != verify.CodeWrong {
			t.Fatalf("check %d: %d, %v", i+1, outcome, err)
		}
	}
	_, _, err := w.check(ana, code)
	wantCode(t, err, verify.CodeMaxChecks, "")
	_, err = w.start(ana, "sms")
	wantCode(t, err, verify.CodeMaxChecks, "")
	if got, err := w.Verification(t.Context(), w.account, w.service, v.SID); err != nil || got.Status != verify.MaxAttemptsReached {
		t.Fatalf("fetch: %+v, %v", got, err)
	}
	w.advance(10 * time.Minute)
	_, _, err = w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonMaxAttempts)
	w.mustStart(ana, "sms")
}

func TestAnExpiredCodeIsRefusedBeforeAndAfterTheSweep(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	code := w.code(v)
	w.advance(10 * time.Minute)
	_, _, err := w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonExpired)
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonExpired)
	if _, ok, err := w.Delivery(t.Context(), v.Sends[0].AttemptSID); ok || err != nil {
		t.Errorf("an expired code would still be sent: %v, %v", ok, err)
	}
	w.advance(2 * time.Hour)
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.check(ana, code)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonNeverExisted)
	_, err = w.Verification(t.Context(), w.account, w.service, v.SID)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonExpired)
}

func TestCancelFreesTheNumber(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	canceled := "canceled"
	got, err := w.UpdateVerification(t.Context(), w.account, w.service, ana, &canceled)
	if err != nil || got.Status != verify.Canceled {
		t.Fatalf("cancel by number: %+v, %v", got, err)
	}
	if _, ok, err := w.Delivery(t.Context(), v.Sends[0].AttemptSID); ok || err != nil {
		t.Errorf("a canceled code would still be sent: %v, %v", ok, err)
	}
	_, err = w.UpdateVerification(t.Context(), w.account, w.service, v.SID, &canceled)
	wantCode(t, err, verify.CodeNotFound, verify.ReasonCanceled)
	if got, err := w.Verification(t.Context(), w.account, w.service, v.SID); err != nil || got.Status != verify.Canceled {
		t.Errorf("fetch: %+v, %v", got, err)
	}
	if next := w.mustStart(ana, "sms"); next.SID == v.SID {
		t.Error("the next start gave the canceled verification")
	}
}

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

// Half of the callers hang up, which must not make a guess free.
func TestFiftySimultaneousChecksCompareFiveTimes(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	code := other(w.code(w.mustStart(ana, "sms")))
	var wrong, spent atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 0 {
				go cancel()
			}
			to := ana
			_, outcome, err := w.CheckVerification(ctx, w.account, w.service, verify.CheckParams{To: &to, Code: &code})
			refused, isRefusal := errors.AsType[*verify.Error](err)
			switch {
			case err == nil && outcome == verify.CodeWrong:
				wrong.Add(1)
			case isRefusal && refused.Code == verify.CodeMaxChecks:
				spent.Add(1)
			case !errors.Is(err, context.Canceled):
				t.Errorf("check %d: %d, %v", i, outcome, err)
			}
		})
	}
	all.Wait()
	v, err := w.Verification(t.Context(), w.account, w.service, ana)
	if err != nil || v.Checks != 5 || v.Status != verify.MaxAttemptsReached || wrong.Load() > 5 {
		t.Errorf("%d compared, %d answered wrong, status %s, %v; want exactly 5 compared", v.Checks, wrong.Load(), v.Status, err)
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
