package world_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/devserver"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/internal/world"
)

const (
	first  = "VA5c1d0e8f7a6b49325c1d0e8f7a6b4932"
	second = "VA6c1d0e8f7a6b49325c1d0e8f7a6b4932"
	ann    = "user-7f3a91c2"
)

// account is an engine of its own, with an account.
type account struct {
	*verify.Engine
	factors *factor.Engine
	t       testing.TB
	sid     string
}

func newAccount(t testing.TB) account {
	t.Helper()
	store, e, err := devserver.OpenMemory(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	e.Now = func() time.Time { return time.Date(2026, 11, 28, 12, 0, 5, 0, time.UTC) }
	a, _, err := e.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	return account{e, factor.NewEngine(e), t, a.SID}
}

// apply applies the whole world, with changes to its text.
func (a account) apply(changes ...string) error {
	a.t.Helper()
	text, err := os.ReadFile("testdata/verifyd.world.toml")
	if err != nil {
		a.t.Fatal(err)
	}
	dir := a.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		a.t.Fatal(err)
	}
	path := filepath.Join(dir, "world.toml")
	changed := strings.NewReplacer(changes...).Replace(string(text))
	if len(changes) > 0 && changed == string(text) {
		a.t.Fatalf("nothing of %q is in the world", changes)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		a.t.Fatal(err)
	}
	w, err := world.Read(path)
	if err != nil {
		a.t.Fatal(err)
	}
	return w.Apply(a.t.Context(), a.Engine, a.sid)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// state is everything that a world can make.
func (a account) state() string {
	a.t.Helper()
	ctx, all := a.t.Context(), verify.Page{Size: 100}
	var b strings.Builder
	for _, s := range must(a.AllServices(ctx, a.sid)) {
		fmt.Fprintf(&b, "%s %s %d\n", s.SID, s.FriendlyName, s.CodeLength)
		for _, l := range must(a.RateLimits(ctx, a.sid, s.SID, all)) {
			_, buckets, err := a.Buckets(ctx, a.sid, s.SID, l.SID, all)
			fmt.Fprintf(&b, " limit %s %s %s", l.SID, l.UniqueName, *l.Description)
			for _, bucket := range must(buckets, err) {
				fmt.Fprintf(&b, " %s %d/%s", bucket.SID, bucket.Max, bucket.Interval)
			}
			fmt.Fprintln(&b)
		}
		for _, m := range must(a.MessagingConfigurations(ctx, a.sid, s.SID, all)) {
			fmt.Fprintf(&b, " messaging %s %s\n", m.Country, m.MessagingServiceSID)
		}
		for _, e := range must(a.factors.Entities(ctx, a.sid, s.SID, all)) {
			for _, f := range must(a.factors.Factors(ctx, a.sid, s.SID, e.Identity, all)) {
				fmt.Fprintf(&b, " factor %s %s %s %+v\n", f.SID, f.FriendlyName, f.Status, *f.Config.TOTP)
			}
		}
		for _, h := range must(a.Webhooks(ctx, a.sid, s.SID, all)) {
			fmt.Fprintf(&b, " webhook %s %s %v %s\n", h.SID, h.FriendlyName, h.EventTypes, h.URL)
		}
	}
	for _, t := range must(a.Templates(ctx, a.sid, "", all)) {
		fmt.Fprintf(&b, "template %s %s\n", t.SID, t.Name)
	}
	return b.String()
}

func TestTwiceIsOnce(t *testing.T) {
	a := newAccount(t)
	if err := a.apply(); err != nil {
		t.Fatal(err)
	}
	once := a.state()
	for _, part := range []string{
		second + " Second 6\n", first + " Acme 4\n", "end_user_ip of the browser", " 2/1m0s", " 10/1h0m0s", "messaging ES MG5c",
		"Ann's telephone verified {Alg:sha256 Skew:2 CodeLength:6 TimeStep:30}", "A new one unverified {Alg:sha1 Skew:1 CodeLength:8 TimeStep:60}",
		"ours [factor.verified challenge.approved] http://127.0.0.1:9/hook", "template HJ0b6a1d52e3f4c7980b6a1d52e3f4c798 Order pickup",
	} {
		if !strings.Contains(once, part) {
			t.Errorf("no %q in\n%s", part, once)
		}
	}
	if err := a.apply(); err != nil {
		t.Fatal(err)
	}
	if twice := a.state(); twice != once {
		t.Errorf("once\n%s\ntwice\n%s", once, twice)
	}
}

func TestAChangedFileChangesWhatIsThere(t *testing.T) {
	a := newAccount(t)
	if err := a.apply(); err != nil {
		t.Fatal(err)
	}
	before := a.state()
	if err := a.apply(
		"code_length = 4", "code_length = 5", "of the browser", "of the user", "max = 2", "max = 3",
		`country = "ES"`+"\nmessaging_service_sid = \"MG5", `country = "ES"`+"\nmessaging_service_sid = \"MG7",
		"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "KRSXG5BAKRSXG5BAKRSXG5BAKRSXG5BA", ":9/hook", ":9/other",
	); err != nil {
		t.Fatal(err)
	}
	after := a.state()
	for _, part := range []string{first + " Acme 5", "of the user", " 3/1m0s", "messaging ES MG7", ":9/other"} {
		if !strings.Contains(after, part) {
			t.Errorf("no %q in\n%s", part, after)
		}
	}
	if strings.Count(before, "\n") != strings.Count(after, "\n") {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if factor := "A new one"; lineWith(before, factor) == lineWith(after, factor) {
		t.Errorf("a factor with another secret is the same one: %s", lineWith(after, factor))
	}
	if factor := "Ann's telephone"; lineWith(before, factor) != lineWith(after, factor) {
		t.Errorf("a factor that is the same was made anew: %s", lineWith(after, factor))
	}
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

// Whoever has the secret of the file answers a challenge at once.
func TestAFactorOfAWorldCanBeChallenged(t *testing.T) {
	a := newAccount(t)
	if err := a.apply(); err != nil {
		t.Fatal(err)
	}
	var app factor.Factor
	for _, f := range must(a.factors.Factors(t.Context(), a.sid, first, ann, verify.Page{Size: 10})) {
		if f.FriendlyName == "Ann's telephone" {
			app = f
		}
	}
	secret, _ := otp.ParseSecret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	code := otp.TOTP{Hash: "sha256", Step: 30 * time.Second, Digits: 6, Skew: 2}.Code(secret, a.Now())
	c, err := a.factors.CreateChallenge(t.Context(), a.sid, first, ann, factor.ChallengeParams{FactorSID: &app.SID, AuthPayload: &code})
	if err != nil || c.Status != factor.ChallengeApproved {
		t.Errorf("%v, %v", c, err)
	}
}

func TestApplySaysWhatIsRefused(t *testing.T) {
	for change, want := range map[string]string{
		"code_length = 4/code_length = 3":                                   "[[service]] " + first + ": code_length: ",
		"time_step = 60/time_step = 61":                                     "[[service]] " + first + ": totp.time_step: ",
		"max_checks = 4/max_checks = 11":                                    "[[service]] " + first + ": verifyd.max_checks: ",
		`default_template_sid = "HJ0/default_template_sid = "HJ1`:           "[[service]] " + first + ": ",
		"max = 2/max = 0":                                                   "[[service]] " + first + `: [[service.rate_limit]] "end_user_ip": [[service.rate_limit.bucket]] of 60 seconds: max: `,
		`country = "ES"/country = "Spain"`:                                  "[[service]] " + first + `: [[service.messaging_configuration]] "Spain": country: `,
		"user-7f3a91c2/ann":                                                 "[[service]] " + first + `: [[service.entity]] "ann": identity: `,
		`alg = "sha256"/alg = "md5"`:                                        "[[service]] " + first + `: [[service.entity]] "user-7f3a91c2": [[service.entity.factor]] "Ann's telephone": alg: `,
		"http:||127.0.0.1:9|hook/ftp:||hook":                                "[[service]] " + first + `: [[service.webhook]] "ours": webhook_url: `,
		"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP/GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ": "[[service]] " + first + `: [[service.entity]] "user-7f3a91c2": [[service.entity.factor]] "A new one": secret: another factor`,
	} {
		old, changed, _ := strings.Cut(change, "/")
		err := newAccount(t).apply(strings.ReplaceAll(old, "|", "/"), strings.ReplaceAll(changed, "|", "/"))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", change, err, want)
		}
	}
	a := newAccount(t)
	if err := a.apply(); err != nil {
		t.Fatal(err)
	}
	other, _, err := a.CreateAccount(t.Context(), "other", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := (account{a.Engine, nil, t, other.SID}).apply(); err == nil || !strings.Contains(err.Error(), "[[template]] HJ0b6a1d52e3f4c7980b6a1d52e3f4c798: sid: ") {
		t.Errorf("in another account: %v", err)
	}
	if err := a.apply("HJ0b6a1d52e3f4c7980b6a1d52e3f4c798", "HJ1b6a1d52e3f4c7980b6a1d52e3f4c798"); err == nil || !strings.Contains(err.Error(), `"Order pickup" is there under another SID`) {
		t.Errorf("a template with another SID: %v", err)
	}
}
