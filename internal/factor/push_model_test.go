package factor_test

import (
	"crypto/ecdsa"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// Whatever is called in whatever order: a push challenge has one outcome, said before its end by the
// device of a factor that is there and verified, about this challenge. The model is a second opinion: it
// says of every call what must come of it.
func TestNoSequenceAnswersAPushTwice(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := &pushModel{world: w, identity: fmt.Sprintf("person-%d", runs)}
		rt.Repeat(map[string]func(*rapid.T){
			"enrol":     m.enrol,
			"verify":    m.verify,
			"log in":    m.logIn,
			"challenge": m.challenge,
			"answer":    m.answer,
			"notify":    m.notify,
			"delete":    m.delete,
			"wait": func(rt *rapid.T) {
				w.advance(time.Duration(rapid.SampledFrom([]int{1, 10, 61, 290, 86_000}).Draw(rt, "seconds")) * time.Second)
			},
		})
	})
}

type pushModel struct {
	*world
	identity   string
	devices    []*modelDevice
	challenges []*modelPush
	made       int // factors of the day that began with the first
}

type modelDevice struct {
	*device
	madeAt   time.Time
	verified bool
	deleted  bool
}

// there reports whether the factor is. One that nobody verified is gone after a day.
func (d *modelDevice) there(now time.Time) bool {
	return !d.deleted && (d.verified || now.Sub(d.madeAt) < 24*time.Hour)
}

type modelPush struct {
	*factor.Challenge
	device  *modelDevice
	status  factor.ChallengeStatus
	resends int
}

func (m *pushModel) enrol(rt *rapid.T) {
	key := newKey(m.t)
	known := false
	if len(m.devices) > 0 && rapid.Bool().Draw(rt, "an old key") {
		old := pick(rt, m.devices)
		key, known = old.key, false
		for _, d := range m.devices {
			known = known || d.key.Equal(key) && d.there(m.clock())
		}
	}
	there := 0
	for _, d := range m.devices {
		if d.there(m.clock()) {
			there++
		}
	}
	if there >= 4 || m.made >= 90 {
		rt.Skip("enough")
	}
	d, err := m.handset(m.identity, key)
	if code := refusedWith(rt, err); known != (code == factor.CodeFactorExists) || !known && code != 0 {
		rt.Fatalf("enrol: %v, and the key is known: %v", err, known)
	} else if known {
		return
	}
	m.made++
	m.devices = append(m.devices, &modelDevice{device: d, madeAt: m.clock()})
}

// signer is the key of a device, or another one's.
func (m *pushModel) signer(rt *rapid.T, d *modelDevice) *ecdsa.PrivateKey {
	if rapid.IntRange(0, 3).Draw(rt, "whose key") == 0 {
		return pick(rt, m.devices).key
	}
	return d.key
}

func (m *pushModel) verify(rt *rapid.T) {
	d := pick(rt, m.devices)
	key := m.signer(rt, d)
	about := d.SID
	if rapid.IntRange(0, 4).Draw(rt, "about another one") == 0 {
		about = pick(rt, m.devices).SID
	}
	f, err := m.confirm(d.NewFactor, prove(key, about))
	want := verify.Code(0)
	switch {
	case !d.there(m.clock()):
		want = verify.CodeNotFound
	case d.verified: // nothing is looked at
	case !key.Equal(d.key) || about != d.SID:
		want = factor.CodeFactorProof
	default:
		d.verified = true
	}
	if refusedWith(rt, err) != want || want == 0 && f.Status != factor.Verified {
		rt.Fatalf("verify: %+v, %v, want %d", f, err, want)
	}
}

func (m *pushModel) logIn(rt *rapid.T) {
	d := pick(rt, m.devices)
	key := m.signer(rt, d)
	got, err := m.AuthenticateDevice(m.t.Context(), deviceToken(&device{key, d.NewFactor}, m.account, m.clock(), 10*time.Minute))
	right := d.there(m.clock()) && key.Equal(d.key)
	if code := refusedWith(rt, err); right != (code == 0) || !right && code != verify.CodeUnauthorized || right && got.FactorSID != d.SID {
		rt.Fatalf("log in: %+v, %v, want it to be taken: %v", got, err, right)
	}
}

func (m *pushModel) challenge(rt *rapid.T) {
	d := pick(rt, m.devices)
	c, err := m.CreateChallenge(m.t.Context(), m.account, m.service, m.identity, factor.ChallengeParams{
		FactorSID: &d.SID, DetailsMessage: new("Log in?"), DetailsFields: []string{`{"label":"IP","value":"203.0.113.9"}`}, HiddenDetails: new(`{"tx":"4711"}`),
		AuthPayload: new("123456"), // which is for apps
	})
	want := verify.Code(0)
	switch {
	case d.deleted:
		want = factor.CodeFactorParamNotFound
	case !d.verified:
		want = factor.CodeFactorUnverified
	}
	if refusedWith(rt, err) != want || want == 0 && c.Status != factor.ChallengePending {
		rt.Fatalf("challenge: %+v, %v, want %d", c, err, want)
	}
	if want == 0 {
		m.challenges = append(m.challenges, &modelPush{Challenge: c, device: d, status: factor.ChallengePending})
	}
}

// now is the status of a challenge.
func (c *modelPush) now(now time.Time) factor.ChallengeStatus {
	if c.status == factor.ChallengePending && (c.device.deleted || !now.Before(c.ExpiresAt)) {
		return factor.ChallengeExpired
	}
	return c.status
}

func (m *pushModel) answer(rt *rapid.T) {
	c := pick(rt, m.challenges)
	key, about := m.signer(rt, c.device), c
	if rapid.IntRange(0, 3).Draw(rt, "about another one") == 0 {
		about = pick(rt, m.challenges)
	}
	status := rapid.SampledFrom([]string{"approved", "denied", "approved", "denied", "pending", "expired", ""}).Draw(rt, "status")
	got, err := m.world.answer(c.Challenge, signed(key, claims(about.Challenge, status)))
	want := verify.Code(0)
	switch c.now(m.clock()) {
	case factor.ChallengeApproved, factor.ChallengeDenied:
		want = factor.CodeChallengeResponded
	case factor.ChallengeExpired:
		want = factor.CodeChallengeExpired
	default:
		if !key.Equal(c.device.key) || about != c || status != "approved" && status != "denied" {
			want = factor.CodeChallengeProof
		} else {
			c.status = factor.ChallengeStatus(status)
		}
	}
	if refusedWith(rt, err) != want || want == 0 && got.Status != c.status {
		rt.Fatalf("answer: %+v, %v, want %d and %s", got, err, want, c.status)
	}
}

func (m *pushModel) notify(rt *rapid.T) {
	c := pick(rt, m.challenges)
	_, err := m.Notify(m.t.Context(), m.account, m.service, m.identity, c.SID, nil)
	want := verify.Code(0)
	switch status := c.now(m.clock()); {
	case status == factor.ChallengeExpired:
		want = factor.CodeChallengeExpired
	case status != factor.ChallengePending:
		want = factor.CodeChallengeResponded
	case c.resends == 3:
		want = factor.CodeTooManyNotices
	default:
		c.resends++
	}
	if refusedWith(rt, err) != want {
		rt.Fatalf("notify: %v, want %d", err, want)
	}
}

func (m *pushModel) delete(rt *rapid.T) {
	d := pick(rt, m.devices)
	err := m.DeleteFactor(m.t.Context(), m.account, m.service, m.identity, d.SID)
	if there := d.there(m.clock()); there != (err == nil) {
		rt.Fatalf("delete: %v, and it was there: %v", err, there)
	} else if there {
		d.deleted = true
	}
}
