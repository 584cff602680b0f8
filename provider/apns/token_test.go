package apns

import (
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	"github.com/verifyd/verifyd/internal/fakecarrier/jwt"
	"github.com/verifyd/verifyd/provider"
)

func mustToken(t *testing.T, s *signer, now time.Time) string {
	t.Helper()
	value, err := s.token(now)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func newSigner() *signer { return &signer{key: testKey(), keyID: testKeyID, team: testTeam} }

// The signature is checked by code that did not make it, and that is held to RFC 7515's examples.
func TestATokenIsSignedAsAppleWantsIt(t *testing.T) {
	value, err := sign(testKey(), testKeyID, testTeam, epoch)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Parse(value)
	if err != nil || !token.SignedES256(&testKey().PublicKey) {
		t.Fatalf("%s: %v, signed: %v", value, err, token.SignedES256(&testKey().PublicKey))
	}
	if token.Header.Alg != "ES256" || token.Header.Kid != testKeyID || string(token.Claims) != `{"iss":"TEAM123456","iat":1925089200}` {
		t.Errorf("got %+v %s", token.Header, token.Claims)
	}
}

// One number in 256 begins with a zero byte, which must not be lost.
func TestSignaturesAreAlwaysOfOneLength(t *testing.T) {
	short := 0
	for n := range 2000 {
		value, err := sign(testKey(), testKeyID, testTeam, epoch.Add(time.Duration(n)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(value[len(value)-86:])
		if err != nil || len(raw) != 64 {
			t.Fatalf("%s: %d bytes, %v", value, len(raw), err)
		}
		if new(big.Int).SetBytes(raw[:32]).BitLen() <= 248 || new(big.Int).SetBytes(raw[32:]).BitLen() <= 248 {
			short++
		}
	}
	if short == 0 {
		t.Error("no signature had a number that begins with a zero byte; the test shows nothing")
	}
}

func TestATokenHasTheTimeOfTheHalfHour(t *testing.T) {
	for now, want := range map[time.Time]time.Time{
		epoch:                                    epoch.Add(-30 * time.Minute),
		epoch.Add(time.Minute - time.Nanosecond): epoch.Add(-30 * time.Minute), // Apple's clock may be behind
		epoch.Add(time.Minute):                   epoch,
		epoch.Add(30 * time.Minute):              epoch,
		epoch.Add(31 * time.Minute):              epoch.Add(30 * time.Minute),
	} {
		s := newSigner()
		mustToken(t, s, now)
		if !s.iat.Equal(want) {
			t.Errorf("at %v the token is of %v, want %v", now, s.iat, want)
		}
	}
}

// Through a whole day no token is older than an hour or from the future, no two follow each other
// within twenty minutes, and two nodes that started apart show the same one.
func TestTokensThroughADay(t *testing.T) {
	one, other := newSigner(), newSigner()
	var last string
	var changed time.Time
	for minute := range 24 * 60 {
		now := epoch.Add(time.Duration(minute) * time.Minute)
		value := mustToken(t, one, now)
		if age := now.Sub(one.iat); age < 0 || age > time.Hour {
			t.Fatalf("at %v the token is %v old", now, age)
		}
		if minute >= 17 && mustToken(t, other, now) != value {
			t.Fatalf("at %v two nodes show two tokens", now)
		}
		if value != last {
			if !changed.IsZero() && one.iat.Sub(changed) < minAge {
				t.Fatalf("at %v the token changed after %v", now, one.iat.Sub(changed))
			}
			last, changed = value, one.iat
		}
	}
}

func TestAClockThatIsSetBack(t *testing.T) {
	s := newSigner()
	mustToken(t, s, epoch)
	mustToken(t, s, epoch.Add(-5*time.Hour))
	if s.iat.After(epoch.Add(-5 * time.Hour)) {
		t.Errorf("five hours earlier the token is of %v", s.iat)
	}
}

// Our clock is behind Apple's, so that the rounded time is too old for it; an exact one is not.
func TestAnExpiredTokenIsReplacedOnce(t *testing.T) {
	f := newFar(t)
	ours := epoch.Add(30*time.Minute + 59*time.Second)
	f.stand.At(ours.Add(35 * time.Minute))
	p := f.provider(provider.Deps{Now: func() time.Time { return ours }})
	if _, err := p.Send(t.Context(), message(1)); err != nil {
		t.Fatal(err)
	}
	if !p.signer.iat.Equal(ours) {
		t.Errorf("the token is of %v, want %v", p.signer.iat, ours)
	}
	// It stays for at least twenty minutes, though the next half hour comes sooner.
	for _, later := range []time.Duration{time.Minute, 10 * time.Minute, 15 * time.Minute} {
		value := mustToken(t, p.signer, ours.Add(later))
		if !p.signer.iat.Equal(ours) {
			t.Errorf("%v later the token is another: %s", later, value)
		}
	}

	f.refuse(fake.ExpiredProviderToken)
	_, err := p.Send(t.Context(), message(2))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || e.Code != expiredProviderToken {
		t.Errorf("an Apple that takes no token: %v, want bad_request", err)
	}
}

func TestOneOfManyRenewsATokenForAll(t *testing.T) {
	s := newSigner()
	now := epoch.Add(30 * time.Minute)
	old := mustToken(t, s, now)
	first, err := s.renew(old, now)
	if err != nil || first == old {
		t.Fatalf("got %s, %v, want another token", first, err)
	}
	for range 3 {
		if again, err := s.renew(old, now.Add(time.Second)); err != nil || again != first {
			t.Errorf("got %s, %v, want %s", again, err, first)
		}
	}
	if again, err := s.renew(first, now.Add(minAge-time.Second)); err != nil || again != first {
		t.Errorf("a token of less than twenty minutes was replaced: %s, %v", again, err)
	}
	if again, err := s.renew(first, now.Add(minAge)); err != nil || again == first {
		t.Errorf("a token of twenty minutes was not replaced: %v", err)
	}
}

func TestTooManyTokensIsThrottled(t *testing.T) {
	f := newFar(t)
	f.Fates.SetAll(fate.Fate[fake.Refusal]{Refuse: &fake.TooManyProviderTokenUpdates})
	_, err := f.provider(provider.Deps{}).Send(t.Context(), message(1))
	if e := provider.AsError(err); err == nil || e.Class != provider.Throttled || e.Code != "429 TooManyProviderTokenUpdates" {
		t.Errorf("got %v, want throttled", err)
	}
}
