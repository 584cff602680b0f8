package factor_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/verify"
)

const ann = "user-7f3a91c2"

// sample is the seed of the reference: the bytes 0 to 19.
const sample = "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT"

// at sets the clock to a time of the reference's vectors.
func (w *world) at(unix int64) { w.advance(time.Unix(unix, 0).Sub(w.clock())) }

// app gives an identity an app with the sample seed.
func (w *world) app(identity string) *factor.NewFactor {
	w.t.Helper()
	f, err := w.enrol(identity, sample)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *world) enrol(identity, secret string) (*factor.NewFactor, error) {
	name, kind := "Ann O'Neil", "totp"
	return w.CreateFactor(w.t.Context(), w.account, w.service, identity, factor.Params{FriendlyName: &name, FactorType: &kind, BindingSecret: &secret})
}

func (w *world) confirm(f *factor.NewFactor, code string) (*factor.Factor, error) {
	return w.UpdateFactor(w.t.Context(), w.account, w.service, f.Identity, f.SID, factor.Update{AuthPayload: &code})
}

func (w *world) ask(f *factor.NewFactor, code string) (*factor.Challenge, error) {
	return w.CreateChallenge(w.t.Context(), w.account, w.service, f.Identity, factor.ChallengeParams{FactorSID: &f.SID, AuthPayload: &code})
}

func (w *world) answer(c *factor.Challenge, code string) (*factor.Challenge, error) {
	return w.AnswerChallenge(w.t.Context(), w.account, w.service, c.Identity, c.SID, factor.ChallengeUpdate{AuthPayload: &code})
}

// Where wrong codes are refused they are counted as they are where they are not.
func TestWrongCodesThatAreErrorsAreCounted(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.RefuseWrongCodes = true
	w.at(1764000010)
	f := w.app(ann)
	for range 4 {
		_, err := w.confirm(f, "000000")
		wantCode(t, err, factor.CodeFactorProof, "")
	}
	if got, err := w.confirm(f, "328952"); err != nil || got.Status != factor.Verified {
		t.Fatalf("the right code: %+v, %v", got, err)
	}
	if got, err := w.confirm(f, "000000"); err != nil || got.Status != factor.Verified { // nothing is looked at
		t.Errorf("a factor that is verified: %+v, %v", got, err)
	}
	c, err := w.ask(f, "000000")
	if err != nil || c.Status != factor.ChallengePending {
		t.Fatalf("a challenge with a wrong code: %+v, %v", c, err)
	}
	if _, err := w.AnswerChallenge(t.Context(), w.account, w.service, ann, c.SID, factor.ChallengeUpdate{Metadata: new(`{"os":"x"}`)}); err != nil {
		t.Errorf("no answer: %v", err)
	}
	w.at(1764000040)
	for range 4 {
		_, err := w.answer(c, "000000")
		wantCode(t, err, factor.CodeChallengeProof, "")
	}
	_, err = w.answer(c, "795194")
	wantCode(t, err, factor.CodeChallengeAnswers, "")
	next, err := w.ask(f, "795194")
	if err != nil || next.Status != factor.ChallengeApproved {
		t.Errorf("the next one: %+v, %v", next, err)
	}
}

// The sample of the reference, section 12.2, call by call.
func TestTheSampleOfTheReference(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{FriendlyName: new("ACME Login")})
	w.at(1763999990)
	f := w.app(ann)
	if want := "otpauth://totp/ACME%20Login:Ann%20O%27Neil?secret=" + sample + "&issuer=ACME%20Login&algorithm=SHA1&digits=6&period=30"; f.TOTP.URI != want || f.TOTP.Secret != sample {
		t.Errorf("binding %+v, want %s", f.TOTP, want)
	}
	if *f.Config.TOTP != (factor.TOTPConfig{Alg: "sha1", Skew: 1, CodeLength: 6, TimeStep: 30}) || f.SID[:4] != "YF02" || strings.Contains(string(f.SecretSealed), string(make([]byte, 1))+"\x01\x02\x03") {
		t.Errorf("factor %+v", f.Factor)
	}
	w.at(1764000005)
	if got, err := w.confirm(f, "000000"); err != nil || got.Status != factor.Unverified {
		t.Fatalf("a wrong code: %+v, %v", got, err)
	}
	w.at(1764000010)
	if got, err := w.confirm(f, "328952"); err != nil || got.Status != factor.Verified {
		t.Fatalf("the right code: %+v, %v", got, err)
	}
	w.at(1764000035)
	c, err := w.ask(f, "328952")
	if err != nil || c.Status != factor.ChallengePending || c.WrongAnswers != 1 || c.SID[:4] != "YC02" {
		t.Fatalf("a code that is spent: %+v, %v", c, err)
	}
	w.at(1764000040)
	if c, err = w.answer(c, "795194"); err != nil || c.Status != factor.ChallengeApproved || c.RespondedAt != w.clock() {
		t.Fatalf("the next code: %+v, %v", c, err)
	}
	_, err = w.answer(c, "218098")
	wantCode(t, err, factor.CodeChallengeResponded, "")
}

// A hundred callers with one code, on ten challenges and on the factor's verification.
func TestACodeOpensOneThingOnce(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000000)
	f := w.app(ann)
	var verified atomic.Int64
	together(func(int) {
		if got, err := w.confirm(f, "328952"); err == nil && got.WrongAnswers == 0 {
			verified.Add(1)
		} else if err != nil {
			t.Error(err)
		}
	})
	if verified.Load() != 100 { // the first opens it, the others find it open
		t.Errorf("%d of 100 found the factor verified", verified.Load())
	}
	w.at(1764000030)
	var all []*factor.Challenge
	for range 10 {
		c, err := w.CreateChallenge(t.Context(), w.account, w.service, ann, factor.ChallengeParams{FactorSID: &f.SID})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	var approved atomic.Int64
	together(func(i int) {
		got, err := w.answer(all[i%10], "795194")
		if err == nil && got.Status == factor.ChallengeApproved {
			approved.Add(1)
		}
	})
	if approved.Load() != 1 {
		t.Errorf("one code opened %d challenges, want 1", approved.Load())
	}
}

func together(run func(i int)) {
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() { run(i) })
	}
	all.Wait()
}

// Half of the callers are right and half are wrong; there is one outcome, and five wrong ones at most.
func TestAChallengeHasOneOutcome(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000000)
	f := w.app(ann)
	if _, err := w.confirm(f, "328952"); err != nil {
		t.Fatal(err)
	}
	c, err := w.CreateChallenge(t.Context(), w.account, w.service, ann, factor.ChallengeParams{FactorSID: &f.SID})
	if err != nil {
		t.Fatal(err)
	}
	var approved, wrong, refused atomic.Int64
	together(func(i int) {
		code := []string{"795194", "000000"}[i%2]
		got, err := w.answer(c, code)
		why, isRefusal := errors.AsType[*verify.Error](err)
		switch {
		case err == nil && got.Status == factor.ChallengeApproved:
			approved.Add(1)
		case err == nil:
			wrong.Add(1)
		case isRefusal && (why.Code == factor.CodeChallengeResponded || why.Code == factor.CodeChallengeAnswers):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	got, err := w.Challenge(t.Context(), w.account, w.service, ann, c.SID)
	if err != nil || approved.Load() > 1 || wrong.Load() > 5 || int(wrong.Load()) != got.WrongAnswers || approved.Load()+wrong.Load()+refused.Load() != 100 {
		t.Errorf("%d approved, %d wrong, %d refused; %+v, %v", approved.Load(), wrong.Load(), refused.Load(), got, err)
	}
	if (got.Status == factor.ChallengeApproved) != (approved.Load() == 1) || approved.Load() == 0 && wrong.Load() != 5 {
		t.Errorf("%d approvals, and the challenge is %s", approved.Load(), got.Status)
	}
}

func TestLimitsOfFactors(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	seed := func(n int) string { return otp.FormatSecret(fmt.Appendf(nil, "seed number %08d", n)) }
	_, err := w.enrol("a.b", seed(0))
	wantCode(t, err, verify.CodeInvalidRequest, "")
	first, err := w.enrol(ann, seed(0))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.enrol(strings.ToUpper(ann), seed(0))
	wantCode(t, err, factor.CodeFactorExists, "")
	if _, err := w.enrol("user-other", seed(0)); err != nil {
		t.Errorf("the same seed of another identity: %v", err)
	}
	for n := 1; n < 100; n++ {
		if _, err := w.enrol(ann, seed(n)); err != nil {
			t.Fatalf("factor %d: %v", n+1, err)
		}
	}
	_, err = w.enrol(ann, seed(100))
	wantCode(t, err, factor.CodeTooManyFactors, "")
	if err := w.DeleteFactor(t.Context(), w.account, w.service, ann, first.SID); err != nil {
		t.Fatal(err)
	}
	_, err = w.enrol(ann, seed(100))
	wantCode(t, err, factor.CodeFactorRate, "") // a hundred were made today
	w.advance(24 * time.Hour)
	if _, err := w.enrol(ann, seed(0)); err != nil {
		t.Errorf("the day after: %v", err)
	}
}

func TestFortyEntitiesASecond(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	for n := range 40 {
		identity := fmt.Sprintf("person-%d", n)
		var err error
		if n%2 == 0 {
			_, err = w.CreateEntity(t.Context(), w.account, w.service, &identity)
		} else {
			_, err = w.enrol(identity, sample)
		}
		if err != nil {
			t.Fatalf("entity %d: %v", n+1, err)
		}
	}
	_, err := w.enrol("person-40", sample)
	wantCode(t, err, factor.CodeEntityRate, "")
	w.advance(time.Second + time.Microsecond)
	if _, err := w.enrol("person-40", sample); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

func TestLimitsOfChallenges(t *testing.T) {
	for length, want := range map[int][]int{6: {50, 50, 0, 0}, 4: {10, 0, 0, 0}} {
		w := newWorld(t, verify.ServiceParams{TOTPCodeLength: &length})
		f := w.app(ann)
		app := f.Config.TOTP
		code := otp.TOTP{Hash: app.Alg, Step: 30 * time.Second, Digits: app.CodeLength}.Code(seedOf(t), w.clock())
		if got, err := w.confirm(f, code); err != nil || got.Status != factor.Verified {
			t.Fatalf("%+v, %v", got, err)
		}
		for hour, n := range want {
			made := 0
			for range 60 {
				_, err := w.CreateChallenge(t.Context(), w.account, w.service, ann, factor.ChallengeParams{FactorSID: &f.SID})
				if err != nil {
					wantCode(t, err, factor.CodeTooManyChallenges, "")
					break
				}
				made++
			}
			if made != n {
				t.Errorf("codes of %d digits, hour %d: %d challenges, want %d", length, hour, made, n)
			}
			w.advance(time.Hour + time.Second)
		}
		w.advance(24 * time.Hour)
		if _, err := w.CreateChallenge(t.Context(), w.account, w.service, ann, factor.ChallengeParams{FactorSID: &f.SID}); err != nil {
			t.Errorf("a day later: %v", err)
		}
	}
}

func seedOf(t *testing.T) []byte {
	t.Helper()
	secret, ok := otp.ParseSecret(sample)
	if !ok {
		t.Fatal("the sample is no secret")
	}
	return secret
}

func TestAFactorThatNobodyVerifiesIsGoneAfterADay(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000000)
	lazy, quick := w.app(ann), w.app("user-quick")
	if _, err := w.confirm(quick, "328952"); err != nil {
		t.Fatal(err)
	}
	w.advance(24*time.Hour - time.Second)
	if _, err := w.Factor(t.Context(), w.account, w.service, ann, lazy.SID); err != nil {
		t.Errorf("a second too early: %v", err)
	}
	w.advance(time.Second)
	_, err := w.confirm(lazy, "000000")
	wantCode(t, err, verify.CodeNotFound, "")
	if _, err := w.enrol(ann, sample); err != nil {
		t.Errorf("its seed is not free: %v", err)
	}
	w.advance(time.Millisecond)
	if err := w.DropUnverified(t.Context()); err != nil {
		t.Fatal(err)
	}
	for identity, want := range map[string]int{ann: 1, "user-quick": 1} {
		list, err := w.Factors(t.Context(), w.account, w.service, identity, verify.Page{Size: 10})
		if err != nil || len(list) != want || list[0].SID == lazy.SID {
			t.Errorf("%s has %d factors, %v, want %d", identity, len(list), err, want)
		}
	}
}

func TestServiceSettingsAreTakenOverOnce(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{TOTPIssuer: new("Ann’s"), TOTPTimeStep: new(60), TOTPCodeLength: new(8), TOTPSkew: new(0)})
	f := w.app(ann)
	if want := "otpauth://totp/Ann%E2%80%99s:Ann%20O%27Neil?secret=" + sample + "&issuer=Ann%E2%80%99s&algorithm=SHA1&digits=8&period=60"; f.TOTP.URI != want {
		t.Errorf("got %s, want %s", f.TOTP.URI, want)
	}
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{TOTPCodeLength: new(3), TOTPTimeStep: new(20)}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Factor(t.Context(), w.account, w.service, ann, f.SID)
	if err != nil || *got.Config.TOTP != (factor.TOTPConfig{Alg: "sha1", Skew: 0, CodeLength: 8, TimeStep: 60}) {
		t.Errorf("the factor has changed with its service: %+v, %v", got, err)
	}
	for _, p := range []verify.ServiceParams{{TOTPTimeStep: new(19)}, {TOTPTimeStep: new(61)}, {TOTPCodeLength: new(2)}, {TOTPCodeLength: new(9)}, {TOTPSkew: new(3)}, {TOTPSkew: new(-1)}} {
		_, err := w.UpdateService(t.Context(), w.account, w.service, p)
		wantCode(t, err, verify.CodeInvalidParameter, "")
	}
}

func TestMetadataOfAChallenge(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000000)
	f := w.app(ann)
	if _, err := w.confirm(f, "328952"); err != nil {
		t.Fatal(err)
	}
	c, err := w.ask(f, "000000")
	if err != nil {
		t.Fatal(err)
	}
	update := func(p factor.ChallengeUpdate) (*factor.Challenge, error) {
		return w.AnswerChallenge(t.Context(), w.account, w.service, ann, c.SID, p)
	}
	if got, err := update(factor.ChallengeUpdate{Metadata: new(`{"os":"x"}`)}); err != nil || got.Status != factor.ChallengePending || got.WrongAnswers != 1 || got.Metadata["os"] != "x" {
		t.Errorf("metadata alone: %+v, %v", got, err)
	}
	_, err = update(factor.ChallengeUpdate{})
	wantCode(t, err, verify.CodeInvalidRequest, "")
	_, err = update(factor.ChallengeUpdate{Metadata: new(`{"os":1}`), AuthPayload: new("795194")})
	wantCode(t, err, verify.CodeInvalidRequest, "")
	if got, err := update(factor.ChallengeUpdate{Metadata: new(`{}`), AuthPayload: new("795 194")}); err != nil || got.Status != factor.ChallengeApproved || got.Metadata == nil {
		t.Errorf("both: %+v, %v", got, err)
	}
}

func TestAccountsAndIdentitiesCannotSeeOneAnothersFactors(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000000)
	f, other := w.app(ann), w.app("user-other")
	for _, code := range []*factor.NewFactor{f, other} {
		if _, err := w.confirm(code, "328952"); err != nil {
			t.Fatal(err)
		}
	}
	c, err := w.ask(f, "000000")
	if err != nil {
		t.Fatal(err)
	}
	stranger, _, err := w.CreateAccount(t.Context(), "stranger", "", "")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := w.CreateService(t.Context(), stranger.SID, verify.ServiceParams{FriendlyName: new("Evil")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateEntity(t.Context(), stranger.SID, theirs.SID, new(ann)); err != nil {
		t.Fatal(err)
	}
	code := "795194"
	for what, call := range map[string]func() error{
		"factor in their service": func() error {
			_, err := w.Factor(t.Context(), stranger.SID, theirs.SID, ann, f.SID)
			return err
		},
		"factor in our service": func() error {
			_, err := w.Factor(t.Context(), stranger.SID, w.service, ann, f.SID)
			return err
		},
		"factor of another identity": func() error {
			_, err := w.Factor(t.Context(), w.account, w.service, "user-other", f.SID)
			return err
		},
		"delete in their service": func() error {
			return w.DeleteFactor(t.Context(), stranger.SID, theirs.SID, ann, f.SID)
		},
		"verify in their service": func() error {
			_, err := w.UpdateFactor(t.Context(), stranger.SID, theirs.SID, ann, f.SID, factor.Update{AuthPayload: &code})
			return err
		},
		"answer in their service": func() error {
			_, err := w.AnswerChallenge(t.Context(), stranger.SID, theirs.SID, ann, c.SID, factor.ChallengeUpdate{AuthPayload: &code})
			return err
		},
		"answer for another identity": func() error {
			_, err := w.AnswerChallenge(t.Context(), w.account, w.service, "user-other", c.SID, factor.ChallengeUpdate{AuthPayload: &code})
			return err
		},
		"entity of our service": func() error {
			_, err := w.Entity(t.Context(), stranger.SID, w.service, ann)
			return err
		},
	} {
		refused, ok := errors.AsType[*verify.Error](call())
		if !ok || refused.Code != verify.CodeNotFound {
			t.Errorf("%s: got %v, want 404", what, refused)
		}
	}
	for what, p := range map[string]factor.ChallengeParams{"challenge of another identity's factor": {FactorSID: &other.SID, AuthPayload: &code}} {
		_, err := w.CreateChallenge(t.Context(), w.account, w.service, ann, p)
		if refused, ok := errors.AsType[*verify.Error](err); !ok || refused.Code != factor.CodeFactorParamNotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestADeletedServiceLeavesNoSeed(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	f := w.app(ann)
	if err := w.DeleteService(t.Context(), w.account, w.service); err != nil {
		t.Fatal(err)
	}
	_, err := w.Factor(t.Context(), w.account, w.service, ann, f.SID)
	wantCode(t, err, verify.CodeNotFound, "")
	claim := func() []verify.Job {
		jobs, err := w.store.Claim(t.Context(), verify.CleanUp, w.clock(), w.clock().Add(time.Minute), 10)
		if err != nil {
			t.Fatal(err)
		}
		return jobs
	}
	if jobs := claim(); len(jobs) != 0 {
		t.Errorf("the job is due at once, though another node may still know the service: %+v", jobs)
	}
	w.advance(time.Minute)
	jobs := claim()
	if len(jobs) != 1 {
		t.Fatalf("%d jobs, want one", len(jobs))
	}
	if err := (factor.Cleaner{Engine: w.factors}).Work(t.Context(), jobs[0]); err != nil {
		t.Fatal(err)
	}
	err = w.store.View(t.Context(), factor.InTx(func(tx factor.Tx) error {
		_, err := tx.Factor(f.SID)
		return err
	}))
	if !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the factor is still there: %v", err)
	}
	w.advance(time.Hour)
	if jobs := claim(); len(jobs) != 0 {
		t.Errorf("the job is done and comes back: %+v", jobs)
	}
}

func TestTheSecretOfAVerifiedFactorIsNotShownAgain(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000000)
	f := w.app(ann)
	if got, err := w.Enrolment(t.Context(), f.SID); err != nil || *got.TOTP != *f.TOTP {
		t.Errorf("while it waits: %+v, %v, want %+v", got, err, f.TOTP)
	}
	w.app("user-other")
	if list, err := w.Enrolments(t.Context(), 10); err != nil || len(list) != 2 || *list[1].TOTP != *f.TOTP {
		t.Errorf("those that wait: %+v, %v", list, err)
	}
	if _, err := w.confirm(f, "328952"); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Enrolments(t.Context(), 10); err != nil || len(list) != 1 || list[0].SID == f.SID {
		t.Errorf("those that still wait: %+v, %v", list, err)
	}
	if _, err := w.Enrolment(t.Context(), f.SID); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("of a verified factor: %v, want ErrNotFound", err)
	}
}
