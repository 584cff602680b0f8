package factor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/verify"
)

// Whatever is called in whatever order: a challenge is approved once at most, before its end, by a
// factor that is there and verified, with a code of a time that was not spent; and no more than five
// wrong answers are read. The model is a second opinion: it says of every answer what must come of it.
func TestNoSequenceApprovesTwice(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := &factorModel{world: w, identity: fmt.Sprintf("person-%d", runs)}
		rt.Repeat(map[string]func(*rapid.T){
			"enrol":     m.enrol,
			"verify":    m.verify,
			"challenge": m.challenge,
			"answer":    m.answer,
			"delete":    m.delete,
			"configure": m.configure,
			"wait": func(rt *rapid.T) {
				w.advance(time.Duration(rapid.SampledFrom([]int{1, 10, 30, 61, 290}).Draw(rt, "seconds")) * time.Second)
			},
		})
	})
}

type factorModel struct {
	*world
	identity   string
	factors    []*modelFactor
	challenges []*modelChallenge
}

type modelFactor struct {
	sid      string
	secret   []byte
	app      otp.TOTP
	verified bool
	deleted  bool
	wrong    int
	spent    time.Time
}

type modelChallenge struct {
	sid      string
	factor   *modelFactor
	expires  time.Time
	approved bool
	wrong    int
}

// take says whether a code is right now, and spends it.
func (f *modelFactor) take(code string, now time.Time) bool {
	for away := -f.app.Skew; away <= f.app.Skew; away++ {
		at := now.Add(time.Duration(away) * f.app.Step)
		begin := at.Truncate(f.app.Step) // as Go's zero time and 1970 are whole minutes apart
		if f.app.Code(f.secret, at) == code && !begin.Before(f.spent) {
			f.spent = begin.Add(f.app.Step)
			return true
		}
	}
	return false
}

// code is one that a person might type: of a step near by, or any other.
func (f *modelFactor) code(rt *rapid.T, now time.Time) string {
	away := rapid.IntRange(-3, 4).Draw(rt, "steps away")
	if away == 4 {
		return "000000"
	}
	return f.app.Code(f.secret, now.Add(time.Duration(away)*f.app.Step))
}

func pick[T any](rt *rapid.T, list []T) T {
	if len(list) == 0 {
		rt.Skip("nothing there")
	}
	return rapid.SampledFrom(list).Draw(rt, "which")
}

// refusedWith is the code of a refusal, 0 for none.
func refusedWith(rt *rapid.T, err error) verify.Code {
	if err == nil {
		return 0
	}
	refused, ok := errors.AsType[*verify.Error](err)
	if !ok {
		rt.Fatalf("a fault: %v", err)
	}
	return refused.Code
}

func (m *factorModel) enrol(rt *rapid.T) {
	if len(m.factors) == 4 {
		rt.Skip("enough")
	}
	secret := rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(rt, "secret")
	text, name, kind := otp.FormatSecret(secret), "app", "totp"
	f, err := m.CreateFactor(m.t.Context(), m.account, m.service, m.identity, factor.Params{FriendlyName: &name, FactorType: &kind, BindingSecret: &text})
	known := false
	for _, other := range m.factors {
		known = known || !other.deleted && string(other.secret) == string(secret)
	}
	if code := refusedWith(rt, err); known != (code == factor.CodeFactorExists) || !known && code != 0 {
		rt.Fatalf("enrol: %v", err)
	} else if known {
		return
	}
	m.factors = append(m.factors, &modelFactor{sid: f.SID, secret: secret, app: otp.TOTP{Hash: "sha1", Step: 30 * time.Second, Digits: 6, Skew: 1}})
}

func (m *factorModel) verify(rt *rapid.T) {
	f := pick(rt, m.factors)
	code := f.code(rt, m.clock())
	got, err := m.UpdateFactor(m.t.Context(), m.account, m.service, m.identity, f.sid, factor.Update{AuthPayload: &code})
	want := verify.Code(0)
	switch {
	case f.deleted:
		want = verify.CodeNotFound
	case f.verified:
	case f.wrong == 5:
		want = factor.CodeFactorAnswers
	case f.take(code, m.clock()):
		f.verified = true
	default:
		f.wrong++
	}
	if refusedWith(rt, err) != want || want == 0 && (got.Status == factor.Verified) != f.verified {
		rt.Fatalf("verify with %s: %+v, %v, want %d and verified %v", code, got, err, want, f.verified)
	}
}

func (m *factorModel) challenge(rt *rapid.T) {
	f := pick(rt, m.factors)
	p := factor.ChallengeParams{FactorSID: &f.sid}
	if rapid.Bool().Draw(rt, "at once") {
		code := f.code(rt, m.clock())
		p.AuthPayload = &code
	}
	got, err := m.CreateChallenge(m.t.Context(), m.account, m.service, m.identity, p)
	switch {
	case f.deleted:
		if code := refusedWith(rt, err); code != factor.CodeFactorParamNotFound {
			rt.Fatalf("challenge of a deleted factor: %d", code)
		}
		return
	case !f.verified:
		if code := refusedWith(rt, err); code != factor.CodeFactorUnverified {
			rt.Fatalf("challenge of an unverified factor: %d", code)
		}
		return
	case err != nil:
		rt.Fatal(err)
	}
	c := &modelChallenge{sid: got.SID, factor: f, expires: m.clock().Truncate(time.Second).Add(5 * time.Minute)}
	m.challenges = append(m.challenges, c)
	if p.AuthPayload != nil {
		c.approved = f.take(*p.AuthPayload, m.clock())
		if !c.approved {
			c.wrong++
		}
	}
	if (got.Status == factor.ChallengeApproved) != c.approved {
		rt.Fatalf("challenge: %+v, want approved %v", got, c.approved)
	}
}

func (m *factorModel) answer(rt *rapid.T) {
	c := pick(rt, m.challenges)
	code := c.factor.code(rt, m.clock())
	got, err := m.AnswerChallenge(m.t.Context(), m.account, m.service, m.identity, c.sid, factor.ChallengeUpdate{AuthPayload: &code})
	want := verify.Code(0)
	switch {
	case c.approved:
		want = factor.CodeChallengeResponded
	case c.factor.deleted || !m.clock().Before(c.expires):
		want = factor.CodeChallengeExpired
	case c.wrong == 5:
		want = factor.CodeChallengeAnswers
	case c.factor.take(code, m.clock()):
		c.approved = true
	default:
		c.wrong++
	}
	if refusedWith(rt, err) != want || want == 0 && (got.Status == factor.ChallengeApproved) != c.approved {
		rt.Fatalf("answer with %s: %+v, %v, want %d and approved %v", code, got, err, want, c.approved)
	}
}

func (m *factorModel) delete(rt *rapid.T) {
	f := pick(rt, m.factors)
	err := m.DeleteFactor(m.t.Context(), m.account, m.service, m.identity, f.sid)
	if (refusedWith(rt, err) == verify.CodeNotFound) != f.deleted {
		rt.Fatalf("delete: %v", err)
	}
	f.deleted = true
}

// configure changes the app. A change must not open a time that is spent, there and back.
func (m *factorModel) configure(rt *rapid.T) {
	f := pick(rt, m.factors)
	if f.deleted {
		rt.Skip("gone")
	}
	step, skew := rapid.SampledFrom([]int{30, 60}).Draw(rt, "step"), rapid.IntRange(0, 2).Draw(rt, "skew")
	_, err := m.UpdateFactor(m.t.Context(), m.account, m.service, m.identity, f.sid, factor.Update{TOTPParams: factor.TOTPParams{TimeStep: &step, Skew: &skew}})
	if err != nil {
		rt.Fatal(err)
	}
	f.app.Step, f.app.Skew = time.Duration(step)*time.Second, skew
}
