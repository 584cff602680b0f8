package factor_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
	"github.com/verifyd/verifyd/internal/verify"
)

// Whatever is called in whatever order: a challenge is approved once at most, before its end, by a key
// that is there, registered, one of those that were asked, and not a copy; and a key belongs to one
// factor. The model is a second opinion: it says of every answer what must come of it.
func TestNoSequenceOfPasskeysApprovesTwice(t *testing.T) {
	w := newWorld(t, passkeyService())
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		w.advance(time.Second) // in which an account makes no more than 40 entities
		m := &passkeyModel{world: w, identities: []string{fmt.Sprintf("person-%d-a", runs), fmt.Sprintf("person-%d-b", runs)}}
		rt.Repeat(map[string]func(*rapid.T){
			"enrol":     m.enrol,
			"own":       m.own,
			"register":  m.register,
			"challenge": m.challenge,
			"prove":     m.prove,
			"log in":    m.login,
			"rename":    m.rename,
			"delete":    m.delete,
			"wait": func(rt *rapid.T) {
				w.advance(time.Duration(rapid.SampledFrom([]int{1, 1, 1, 60, 299, 301}).Draw(rt, "seconds")) * time.Second)
			},
		})
	})
}

type passkeyModel struct {
	*world
	identities []string
	factors    []*modelPasskey
	challenges []*modelAsked
}

type modelPasskey struct {
	made     *factor.NewFactor
	identity string
	key      *passkeytest.Authenticator // nil until it is registered
	count    uint32                     // that was seen last
	began    time.Time
	deleted  bool
}

// modelAsked is a challenge: of a factor, of an identity, or of whoever it is.
type modelAsked struct {
	asked    *factor.PasskeyChallenge
	identity string
	factor   *modelPasskey
	expires  time.Time
	approved bool
}

func (m *passkeyModel) enrol(rt *rapid.T) {
	if len(m.factors) == 6 {
		rt.Skip("enough")
	}
	identity := pick(rt, m.identities)
	made, err := m.CreatePasskey(m.t.Context(), m.account, m.service, factor.PasskeyParams{FriendlyName: "key", Identity: identity})
	if err != nil {
		rt.Fatal(err)
	}
	m.factors = append(m.factors, &modelPasskey{made: made, identity: identity, began: m.clock()})
}

// own makes a factor and its key, as most people do.
func (m *passkeyModel) own(rt *rapid.T) {
	m.enrol(rt)
	m.answer(rt, m.factors[len(m.factors)-1], *passkeytest.New(passkeySite, passkeyOrigin))
}

// login asks and answers at once, with any key that is there.
func (m *passkeyModel) login(rt *rapid.T) {
	m.challenge(rt)
	m.prove(rt)
}

// owner is the factor that has a key now.
func (m *passkeyModel) owner(key *passkeytest.Authenticator) *modelPasskey {
	for _, f := range m.factors {
		if !f.deleted && f.key != nil && string(f.key.ID) == string(key.ID) {
			return f
		}
	}
	return nil
}

// key is one that some factor has or had.
func (m *passkeyModel) key(rt *rapid.T) passkeytest.Authenticator {
	var keys []*passkeytest.Authenticator
	for _, f := range m.factors {
		if f.key != nil {
			keys = append(keys, f.key)
		}
	}
	return *pick(rt, keys)
}

// register answers for a new key: with a new one, with one that was registered before, from any page.
func (m *passkeyModel) register(rt *rapid.T) {
	f := pick(rt, m.factors)
	key := *passkeytest.New(passkeySite, passkeyOrigin)
	if rapid.Bool().Draw(rt, "a known key") {
		key = m.key(rt)
	}
	key.Count = rapid.Uint32Range(0, 2).Draw(rt, "count")
	key.Origin = rapid.SampledFrom([]string{passkeyOrigin, passkeyOrigin, "https://evil.test"}).Draw(rt, "page")
	m.answer(rt, f, key)
}

func (m *passkeyModel) answer(rt *rapid.T, f *modelPasskey, key passkeytest.Authenticator) {
	got, err := m.world.register(f.made, &key)
	want := verify.Code(0)
	switch {
	case f.deleted:
		want = factor.CodeFactorParamNotFound
	case f.key != nil || m.clock().Sub(f.began) >= 10*time.Minute:
		want = factor.CodeFactorStatus
	case key.Origin != passkeyOrigin:
		want = factor.CodeInvalidClientData
	case m.owner(&key) != nil:
		want = factor.CodeFactorExists
	default:
		f.key, f.count = &key, key.Count
	}
	if refusedWith(rt, err) != want || want == 0 && got.Status != factor.Verified {
		rt.Fatalf("register: %+v, %v, want %d", got, err, want)
	}
}

func (m *passkeyModel) challenge(rt *rapid.T) {
	c := &modelAsked{expires: m.clock().Truncate(time.Second).Add(5 * time.Minute)}
	var p factor.PasskeyChallengeParams
	switch rapid.SampledFrom([]string{"whoever", "identity", "factor"}).Draw(rt, "of") {
	case "identity":
		c.identity = pick(rt, m.factors).identity
		p.Identity = c.identity
	case "factor":
		c.factor = pick(rt, m.factors)
		c.identity = c.factor.identity
		p.Identity, p.FactorSID = c.identity, c.factor.made.SID
	}
	want := verify.Code(0)
	switch {
	case c.factor == nil:
	case c.factor.deleted:
		want = factor.CodeFactorParamNotFound
	case c.factor.key == nil:
		want = factor.CodeFactorUnverified
	}
	var err error
	c.asked, err = m.ChallengePasskey(m.t.Context(), m.account, m.service, p)
	if refusedWith(rt, err) != want {
		rt.Fatalf("challenge: %v, want %d", err, want)
	}
	if err == nil {
		m.challenges = append(m.challenges, c)
	}
}

// prove answers any challenge with any key, counting on or not, from any page.
func (m *passkeyModel) prove(rt *rapid.T) {
	c, key := pick(rt, m.challenges), m.key(rt)
	if latest := m.challenges[len(m.challenges)-1]; rapid.Bool().Draw(rt, "the latest one") {
		c = latest
	}
	f := m.owner(&key)
	key.Count = rapid.Uint32Range(0, 4).Draw(rt, "count")
	key.Origin = rapid.SampledFrom([]string{passkeyOrigin, passkeyOrigin, passkeyOrigin, "https://evil.test"}).Draw(rt, "page")
	if f != nil && rapid.Bool().Draw(rt, "counts on") {
		key.Count = f.count + 1
	}
	got, err := m.world.prove(c.asked, &key)
	want := verify.Code(0)
	switch {
	case c.approved:
		want = factor.CodeChallengeResponded
	case !m.clock().Before(c.expires) || c.factor != nil && c.factor.deleted:
		want = factor.CodeChallengeExpired
	case f == nil || c.factor != nil && c.factor != f || c.identity != "" && c.identity != f.identity:
		want = factor.CodeFactorParamNotFound
	case key.User != f.made.EntitySID:
		want = factor.CodeInvalidEntitySID
	case key.Origin != passkeyOrigin:
		want = factor.CodeInvalidClientData
	case (key.Count != 0 || f.count != 0) && key.Count <= f.count:
		want = factor.CodeInvalidAuthenticatorData
	default:
		c.approved, f.count = true, key.Count
	}
	if refusedWith(rt, err) != want || want == 0 && (got.Status != factor.ChallengeApproved || got.FactorSID != f.made.SID || got.Identity != f.identity) {
		rt.Fatalf("prove: %+v, %v, want %d", got, err, want)
	}
}

// rename changes nothing of a key.
func (m *passkeyModel) rename(rt *rapid.T) {
	f := pick(rt, m.factors)
	_, err := m.UpdateFactor(m.t.Context(), m.account, m.service, f.identity, f.made.SID, factor.Update{FriendlyName: new("another")})
	if (refusedWith(rt, err) == verify.CodeNotFound) != f.deleted {
		rt.Fatalf("rename: %v", err)
	}
}

func (m *passkeyModel) delete(rt *rapid.T) {
	f := pick(rt, m.factors)
	err := m.DeleteFactor(m.t.Context(), m.account, m.service, f.identity, f.made.SID)
	if (refusedWith(rt, err) == verify.CodeNotFound) != f.deleted {
		rt.Fatalf("delete: %v", err)
	}
	f.deleted = true
}
