package factor_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
	"github.com/verifyd/verifyd/internal/verify"
)

const (
	passkeySite   = "example.test"
	passkeyOrigin = "https://example.test"
)

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// passkeyService are the settings of a service that takes passkeys.
func passkeyService() verify.ServiceParams {
	return verify.ServiceParams{
		PasskeysRelyingPartyID:          new(passkeySite),
		PasskeysRelyingPartyName:        new("ACME"),
		PasskeysOrigins:                 new(passkeyOrigin + ",android:apk-key-hash:abc"),
		PasskeysAuthenticatorAttachment: new("platform"),
		PasskeysDiscoverableCredentials: new("preferred"),
		PasskeysUserVerification:        new("preferred"),
	}
}

func (w *world) newPasskey(identity string) *factor.NewFactor {
	w.t.Helper()
	f, err := w.CreatePasskey(w.t.Context(), w.account, w.service, factor.PasskeyParams{FriendlyName: "Ann's laptop", Identity: identity})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *world) register(f *factor.NewFactor, a *passkeytest.Authenticator) (*factor.Factor, error) {
	return w.VerifyPasskey(w.t.Context(), w.account, w.service,
		passkeytest.Read[factor.PasskeyRegistration](a.Register(encode(f.Passkey.Challenge), encode(f.Passkey.User))))
}

// owner is an entity with a verified passkey.
func (w *world) owner(identity string) (*factor.Factor, *passkeytest.Authenticator) {
	w.t.Helper()
	a := passkeytest.New(passkeySite, passkeyOrigin)
	f, err := w.register(w.newPasskey(identity), a)
	if err != nil {
		w.t.Fatal(err)
	}
	return f, a
}

func (w *world) challengePasskey(p factor.PasskeyChallengeParams) *factor.PasskeyChallenge {
	w.t.Helper()
	c, err := w.ChallengePasskey(w.t.Context(), w.account, w.service, p)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) prove(c *factor.PasskeyChallenge, a *passkeytest.Authenticator) (*factor.PasskeyChallenge, error) {
	return w.ApprovePasskey(w.t.Context(), w.account, w.service, passkeytest.Read[factor.PasskeyProof](a.Prove(encode(c.Request.Challenge))))
}

func TestAPasskeyIsMadeAndOpens(t *testing.T) {
	w := newWorld(t, passkeyService())
	f := w.newPasskey(ann)
	if f.SID[:4] != "YF04" || f.Status != factor.Unverified || f.Credential != "" || f.Passkey.User != f.EntitySID || f.Passkey.Challenge != f.SID || len(f.Passkey.Exclude) != 0 {
		t.Fatalf("made %+v, %+v", f.Factor, f.Passkey)
	}
	w.advance(time.Minute)
	a := passkeytest.New(passkeySite, passkeyOrigin)
	got, err := w.register(f, a)
	if err != nil || got.Status != factor.Verified || got.UpdatedAt != w.clock() {
		t.Fatalf("registered %+v, %v", got, err)
	}
	key := factor.PasskeyCredential{ID: got.Credential, Transports: []string{"internal"}}
	if again := w.newPasskey(strings.ToUpper(ann)); !cmp.Equal(again.Passkey.Exclude, []factor.PasskeyCredential{key}) || again.EntitySID != f.EntitySID {
		t.Errorf("a second one: %+v", again.Passkey)
	}

	for name, c := range map[string]struct {
		params factor.PasskeyChallengeParams
		before factor.Challenge
		allow  []factor.PasskeyCredential
	}{
		"whoever":     {allow: []factor.PasskeyCredential{}},
		"an identity": {factor.PasskeyChallengeParams{Identity: ann}, factor.Challenge{EntitySID: f.EntitySID, Identity: ann}, []factor.PasskeyCredential{key}},
		"a factor": {factor.PasskeyChallengeParams{Identity: ann, FactorSID: f.SID},
			factor.Challenge{EntitySID: f.EntitySID, Identity: ann, FactorSID: f.SID}, []factor.PasskeyCredential{key}},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.challengePasskey(c.params)
			if got.SID[:4] != "YC04" || got.EntitySID != c.before.EntitySID || got.Identity != c.before.Identity || got.FactorSID != c.before.FactorSID {
				t.Errorf("asked %+v", got.Challenge)
			}
			if diff := cmp.Diff(c.allow, got.Request.Allow); diff != "" {
				t.Error(diff)
			}
			w.advance(time.Minute)
			a.Count++
			done, err := w.prove(got, a)
			if err != nil || done.Status != factor.ChallengeApproved || done.Identity != ann || done.EntitySID != f.EntitySID ||
				done.FactorSID != f.SID || done.RespondedAt != w.clock() {
				t.Fatalf("approved %+v, %v", done, err)
			}
			_, err = w.prove(got, a) // the same answer
			wantCode(t, err, factor.CodeChallengeResponded, "")
			listed, err := w.Challenge(t.Context(), w.account, w.service, ann, got.SID)
			if err != nil || listed.Status != factor.ChallengeApproved {
				t.Errorf("below the entity: %+v, %v", listed, err)
			}
		})
	}
}

// What is asked comes from the request, member by member before what the service has.
func TestThePasskeysConfiguration(t *testing.T) {
	party := &factor.RelyingParty{ID: "Other.test", Name: "Other", Origins: []string{"https://other.test"}}
	full := factor.PasskeyParams{RelyingParty: party, AuthenticatorAttachment: "any", DiscoverableCredentials: "Required", UserVerification: "required"}
	for name, c := range map[string]struct {
		service verify.ServiceParams
		params  func(*factor.PasskeyParams)
		want    factor.PasskeyConfig
		code    verify.Code
	}{
		"of the service": {service: passkeyService(), want: factor.PasskeyConfig{
			RelyingParty:            factor.RelyingParty{ID: passkeySite, Name: "ACME", Origins: []string{passkeyOrigin, "android:apk-key-hash:abc"}},
			AuthenticatorAttachment: "platform", DiscoverableCredentials: "preferred", UserVerification: "preferred"}},
		"an empty party": {service: passkeyService(), params: func(p *factor.PasskeyParams) { p.RelyingParty = &factor.RelyingParty{} }, want: factor.PasskeyConfig{
			RelyingParty:            factor.RelyingParty{ID: passkeySite, Name: "ACME", Origins: []string{passkeyOrigin, "android:apk-key-hash:abc"}},
			AuthenticatorAttachment: "platform", DiscoverableCredentials: "preferred", UserVerification: "preferred"}},
		"one criterion": {service: passkeyService(), params: func(p *factor.PasskeyParams) { p.UserVerification = "required" }, want: factor.PasskeyConfig{
			RelyingParty:            factor.RelyingParty{ID: passkeySite, Name: "ACME", Origins: []string{passkeyOrigin, "android:apk-key-hash:abc"}},
			AuthenticatorAttachment: "platform", DiscoverableCredentials: "preferred", UserVerification: "required"}},
		"of the request": {params: func(p *factor.PasskeyParams) { *p = full }, want: factor.PasskeyConfig{
			RelyingParty:            factor.RelyingParty{ID: "other.test", Name: "Other", Origins: party.Origins},
			AuthenticatorAttachment: "any", DiscoverableCredentials: "required", UserVerification: "required"}},
		"no name": {params: func(p *factor.PasskeyParams) {
			*p = full
			p.RelyingParty = &factor.RelyingParty{ID: "other.test", Origins: party.Origins}
		}, want: factor.PasskeyConfig{
			RelyingParty:            factor.RelyingParty{ID: "other.test", Name: "Acme", Origins: party.Origins},
			AuthenticatorAttachment: "any", DiscoverableCredentials: "required", UserVerification: "required"}},

		"nothing":     {code: factor.CodeInvalidRelyingParty},
		"no criteria": {params: func(p *factor.PasskeyParams) { p.RelyingParty = party }, code: factor.CodeNoCriteria},
		"no id": {params: func(p *factor.PasskeyParams) { p.RelyingParty = &factor.RelyingParty{Origins: party.Origins} },
			code: factor.CodeInvalidRelyingPartyID},
		"id with a scheme": {params: func(p *factor.PasskeyParams) {
			p.RelyingParty = &factor.RelyingParty{ID: passkeyOrigin, Origins: party.Origins}
		}, code: factor.CodeInvalidRelyingPartyID},
		"no origins": {params: func(p *factor.PasskeyParams) { p.RelyingParty = &factor.RelyingParty{ID: "other.test"} }, code: factor.CodeInvalidRelyingParty},
		"an origin without TLS": {params: func(p *factor.PasskeyParams) {
			p.RelyingParty = &factor.RelyingParty{ID: "other.test", Origins: []string{"http://other.test"}}
		}, code: factor.CodeInvalidRelyingParty},
		"an origin that begins like localhost": {params: func(p *factor.PasskeyParams) {
			p.RelyingParty = &factor.RelyingParty{ID: "localhost", Origins: []string{"http://localhost.evil.test"}}
		}, code: factor.CodeInvalidRelyingParty},
		"too many origins": {params: func(p *factor.PasskeyParams) {
			p.RelyingParty = &factor.RelyingParty{ID: "other.test", Origins: slicesOf(passkeyOrigin, 51)}
		}, code: factor.CodeInvalidRelyingParty},
		"a criterion":  {service: passkeyService(), params: func(p *factor.PasskeyParams) { p.UserVerification = "always" }, code: factor.CodeInvalidConfig},
		"no name of a": {service: passkeyService(), params: func(p *factor.PasskeyParams) { p.FriendlyName = "-" }, code: factor.CodeNoDisplayName},
		"a long name": {service: passkeyService(), params: func(p *factor.PasskeyParams) { p.FriendlyName = strings.Repeat("x", 65) },
			code: verify.CodeInvalidRequest},
		"a short identity": {service: passkeyService(), params: func(p *factor.PasskeyParams) { p.Identity = "ann" }, code: factor.CodeInvalidIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.service)
			var p factor.PasskeyParams
			if c.params != nil {
				c.params(&p)
			}
			switch p.FriendlyName {
			case "":
				p.FriendlyName = "Ann"
			case "-":
				p.FriendlyName = ""
			}
			if p.Identity == "" {
				p.Identity = ann
			}
			f, err := w.CreatePasskey(t.Context(), w.account, w.service, p)
			if c.code != 0 {
				wantCode(t, err, c.code, "")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&c.want, f.Config.Passkey); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOriginsOfAService(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	for origins, want := range map[string]verify.Code{
		"http://localhost,http://localhost:8090,https://example.test": 0,
		strings.Join(slicesOf(passkeyOrigin, 50), ","):                0,
		strings.Join(slicesOf(passkeyOrigin, 51), ","):                verify.CodeInvalidParameter,
		"http://localhost.evil.test":                                  verify.CodeInvalidParameter,
		"http://example.test":                                         verify.CodeInvalidParameter,
	} {
		_, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{PasskeysOrigins: &origins})
		if want != 0 {
			wantCode(t, err, want, "")
		} else if err != nil {
			t.Errorf("%.60s: %v", origins, err)
		}
	}
}

func slicesOf(text string, n int) (list []string) {
	for range n {
		list = append(list, text)
	}
	return list
}

func TestTheMissingCriteriaAreNamed(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{PasskeysRelyingPartyID: new(passkeySite), PasskeysOrigins: new(passkeyOrigin), PasskeysUserVerification: new("required")})
	_, err := w.CreatePasskey(t.Context(), w.account, w.service, factor.PasskeyParams{FriendlyName: "Ann", Identity: ann})
	wantCode(t, err, factor.CodeNoCriteria, "")
	if refused, _ := errors.AsType[*verify.Error](err); !strings.HasSuffix(refused.Text, ": authenticator_attachment, discoverable_credentials") {
		t.Errorf("text %q", refused.Text)
	}
}

func TestRefusedRegistrations(t *testing.T) {
	w := newWorld(t, passkeyService())
	elsewhere := newWorldBeside(t, w)
	_, other := w.owner("user-0000000001")
	for name, c := range map[string]struct {
		before func(f *factor.NewFactor, a *passkeytest.Authenticator)
		want   verify.Code
	}{
		"another origin":   {func(_ *factor.NewFactor, a *passkeytest.Authenticator) { a.Origin = "https://evil.test" }, factor.CodeInvalidClientData},
		"another site":     {func(_ *factor.NewFactor, a *passkeytest.Authenticator) { a.Site = "evil.test" }, factor.CodeOtherRelyingParty},
		"nobody there":     {func(_ *factor.NewFactor, a *passkeytest.Authenticator) { a.Flags = 0 }, factor.CodeInvalidAuthenticatorData},
		"a key of another": {func(_ *factor.NewFactor, a *passkeytest.Authenticator) { a.ID = other.ID }, factor.CodeFactorExists},
		"too late":         {func(*factor.NewFactor, *passkeytest.Authenticator) { w.advance(10 * time.Minute) }, factor.CodeFactorStatus},
		"a day too late":   {func(*factor.NewFactor, *passkeytest.Authenticator) { w.advance(24 * time.Hour) }, factor.CodeFactorParamNotFound},
		"no factor": {func(f *factor.NewFactor, _ *passkeytest.Authenticator) {
			f.Passkey.Challenge = "YF04" + strings.Repeat("0", 30)
		}, factor.CodeFactorParamNotFound},
		"no SID": {func(f *factor.NewFactor, _ *passkeytest.Authenticator) { f.Passkey.Challenge = "text" }, factor.CodeFactorParamNotFound},
		"an app": {func(f *factor.NewFactor, _ *passkeytest.Authenticator) {
			f.Passkey.Challenge = w.app("user-0000000002").SID
		},
			factor.CodeFactorParamNotFound},
		"of another service": {func(f *factor.NewFactor, _ *passkeytest.Authenticator) {
			f.Passkey.Challenge = elsewhere.newPasskey(ann).SID
		},
			factor.CodeFactorParamNotFound},
		"verified already": {func(f *factor.NewFactor, _ *passkeytest.Authenticator) {
			if _, err := w.register(f, passkeytest.New(passkeySite, passkeyOrigin)); err != nil {
				t.Fatal(err)
			}
		}, factor.CodeFactorStatus},
		"deleted": {func(f *factor.NewFactor, _ *passkeytest.Authenticator) {
			if err := w.DeleteFactor(t.Context(), w.account, w.service, f.Identity, f.SID); err != nil {
				t.Fatal(err)
			}
		}, factor.CodeFactorParamNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			f, a := w.newPasskey(fmt.Sprintf("user-%d", w.clock().UnixNano())), passkeytest.New(passkeySite, passkeyOrigin)
			w.advance(time.Second)
			c.before(f, a)
			_, err := w.register(f, a)
			wantCode(t, err, c.want, "")
		})
	}
}

// newWorldBeside is another service of the same account and the same store.
func newWorldBeside(t *testing.T, w *world) *world {
	t.Helper()
	p := passkeyService()
	p.FriendlyName = new("Beside")
	s, err := w.CreateService(t.Context(), w.account, p)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, Engine: w.Engine, factors: w.factors, store: w.store, account: w.account, service: s.SID, now: w.now}
}

func TestRefusedProofs(t *testing.T) {
	w := newWorld(t, passkeyService())
	elsewhere := newWorldBeside(t, w)
	f, key := w.owner(ann)
	_, stranger := w.owner("user-0000000001")
	key.Count = 7
	if _, err := w.prove(w.challengePasskey(factor.PasskeyChallengeParams{}), key); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		params factor.PasskeyChallengeParams
		before func(c *factor.PasskeyChallenge, a *passkeytest.Authenticator)
		want   verify.Code
	}{
		"another origin": {before: func(_ *factor.PasskeyChallenge, a *passkeytest.Authenticator) { a.Origin = "https://evil.test" }, want: factor.CodeInvalidClientData},
		"another site":   {before: func(_ *factor.PasskeyChallenge, a *passkeytest.Authenticator) { a.Site = "evil.test" }, want: factor.CodeOtherRelyingParty},
		"another user":   {before: func(_ *factor.PasskeyChallenge, a *passkeytest.Authenticator) { a.User = stranger.User }, want: factor.CodeInvalidEntitySID},
		"a copied key":   {before: func(_ *factor.PasskeyChallenge, a *passkeytest.Authenticator) { a.Count = 7 }, want: factor.CodeInvalidAuthenticatorData},
		"another key": {before: func(_ *factor.PasskeyChallenge, a *passkeytest.Authenticator) {
			forged := passkeytest.New(passkeySite, passkeyOrigin)
			forged.ID, forged.User, forged.Count = a.ID, a.User, 100
			*a = *forged
		}, want: factor.CodeInvalidSignature},
		"an unknown key": {before: func(_ *factor.PasskeyChallenge, a *passkeytest.Authenticator) {
			*a = *passkeytest.New(passkeySite, passkeyOrigin)
		},
			want: factor.CodeFactorParamNotFound},
		"a key of another entity": {params: factor.PasskeyChallengeParams{Identity: ann},
			before: func(_ *factor.PasskeyChallenge, a *passkeytest.Authenticator) { *a = *stranger }, want: factor.CodeFactorParamNotFound},
		"a key of another entity, by factor": {params: factor.PasskeyChallengeParams{Identity: ann, FactorSID: f.SID},
			before: func(_ *factor.PasskeyChallenge, a *passkeytest.Authenticator) { *a = *stranger }, want: factor.CodeFactorParamNotFound},
		"too late": {before: func(*factor.PasskeyChallenge, *passkeytest.Authenticator) { w.advance(5 * time.Minute) }, want: factor.CodeChallengeExpired},
		"no SID":   {before: func(c *factor.PasskeyChallenge, _ *passkeytest.Authenticator) { c.Request.Challenge = "text" }, want: factor.CodeChallengeParamNotFound},
		"no challenge": {before: func(c *factor.PasskeyChallenge, _ *passkeytest.Authenticator) {
			c.Request.Challenge = "YC04" + strings.Repeat("0", 30)
		}, want: factor.CodeChallengeParamNotFound},
		"of another service": {before: func(c *factor.PasskeyChallenge, _ *passkeytest.Authenticator) {
			c.Request.Challenge = elsewhere.challengePasskey(factor.PasskeyChallengeParams{}).SID
		}, want: factor.CodeChallengeParamNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			asked, a := w.challengePasskey(c.params), *key
			a.Count = 8
			at := w.clock()
			c.before(asked, &a)
			_, err := w.prove(asked, &a)
			wantCode(t, err, c.want, "")
			w.advance(at.Sub(w.clock()))
			left, err := w.ApprovePasskey(t.Context(), w.account, w.service, factor.PasskeyProof{})
			if left != nil {
				t.Errorf("an empty answer: %+v", left)
			}
			wantCode(t, err, factor.CodeInvalidID, "")
		})
	}
	// None of them has changed the key: its count is still 7.
	key.Count = 8
	if _, err := w.prove(w.challengePasskey(factor.PasskeyChallengeParams{}), key); err != nil {
		t.Errorf("after all: %v", err)
	}
}

// Somebody who must be verified is.
func TestUserVerificationIsRequired(t *testing.T) {
	w := newWorld(t, passkeyService())
	_, key := w.owner(ann)
	key.Flags = passkeytest.Present
	if _, err := w.prove(w.challengePasskey(factor.PasskeyChallengeParams{}), key); err != nil {
		t.Errorf("where it is preferred: %v", err)
	}
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{PasskeysUserVerification: new("required")}); err != nil {
		t.Fatal(err)
	}
	_, err := w.prove(w.challengePasskey(factor.PasskeyChallengeParams{}), key)
	wantCode(t, err, factor.CodeInvalidAuthenticatorData, "")
	unverified := passkeytest.New(passkeySite, passkeyOrigin)
	unverified.Flags = passkeytest.Present
	_, err = w.register(w.newPasskey(ann), unverified)
	wantCode(t, err, factor.CodeInvalidAuthenticatorData, "")
}

// Origins that come to a service later may ask for older keys; another relying party may not.
func TestAServiceThatChanges(t *testing.T) {
	w := newWorld(t, passkeyService())
	_, key := w.owner(ann)
	change := func(p verify.ServiceParams) {
		t.Helper()
		if _, err := w.UpdateService(t.Context(), w.account, w.service, p); err != nil {
			t.Fatal(err)
		}
	}
	change(verify.ServiceParams{PasskeysOrigins: new("https://login.example.test")})
	for _, origin := range []string{"https://login.example.test", passkeyOrigin} {
		key.Origin = origin
		if _, err := w.prove(w.challengePasskey(factor.PasskeyChallengeParams{}), key); err != nil {
			t.Errorf("from %s: %v", origin, err)
		}
	}
	change(verify.ServiceParams{PasskeysRelyingPartyID: new("other.test")})
	_, err := w.prove(w.challengePasskey(factor.PasskeyChallengeParams{}), key)
	wantCode(t, err, factor.CodeOtherRelyingParty, "")
}

func TestRefusedPasskeyChallenges(t *testing.T) {
	w := newWorld(t, passkeyService())
	f, _ := w.owner(ann)
	app := w.app(ann)
	waits := w.newPasskey(ann)
	for name, c := range map[string]struct {
		params factor.PasskeyChallengeParams
		want   verify.Code
	}{
		"identity":              {factor.PasskeyChallengeParams{Identity: "ann"}, factor.CodeInvalidIdentity},
		"factor alone":          {factor.PasskeyChallengeParams{FactorSID: f.SID}, factor.CodeInvalidIdentity},
		"no SID":                {factor.PasskeyChallengeParams{Identity: ann, FactorSID: "YF1"}, factor.CodeInvalidFactorSID},
		"unknown identity":      {factor.PasskeyChallengeParams{Identity: "user-0000000009"}, factor.CodeEntityParamNotFound},
		"unknown factor":        {factor.PasskeyChallengeParams{Identity: ann, FactorSID: "YF04" + strings.Repeat("0", 30)}, factor.CodeFactorParamNotFound},
		"an app":                {factor.PasskeyChallengeParams{Identity: ann, FactorSID: app.SID}, factor.CodeFactorParamNotFound},
		"an unverified passkey": {factor.PasskeyChallengeParams{Identity: ann, FactorSID: waits.SID}, factor.CodeFactorUnverified},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.ChallengePasskey(t.Context(), w.account, w.service, c.params)
			wantCode(t, err, c.want, "")
		})
	}
	bare := newWorld(t, verify.ServiceParams{})
	_, err := bare.ChallengePasskey(t.Context(), bare.account, bare.service, factor.PasskeyChallengeParams{})
	wantCode(t, err, factor.CodeInvalidRelyingParty, "")
	p := passkeyService()
	p.PasskeysUserVerification = nil
	some := newWorld(t, p)
	_, err = some.ChallengePasskey(t.Context(), some.account, some.service, factor.PasskeyChallengeParams{})
	wantCode(t, err, factor.CodeNoCriteria, "")
}

// The generic endpoints show passkeys and rename them, but neither make nor ask nor verify one.
func TestPasskeysAmongFactors(t *testing.T) {
	w := newWorld(t, passkeyService())
	f, key := w.owner(ann)
	name, kind, code := "Ann", "passkeys", "123456"
	_, err := w.CreateFactor(t.Context(), w.account, w.service, ann, factor.Params{FriendlyName: &name, FactorType: &kind})
	wantCode(t, err, factor.CodeInvalidFactorType, "")
	_, err = w.CreateChallenge(t.Context(), w.account, w.service, ann, factor.ChallengeParams{FactorSID: &f.SID})
	wantCode(t, err, factor.CodeInvalidFactorType, "")
	_, err = w.UpdateFactor(t.Context(), w.account, w.service, ann, f.SID, factor.Update{AuthPayload: &code})
	wantCode(t, err, verify.CodeInvalidRequest, "")
	got, err := w.UpdateFactor(t.Context(), w.account, w.service, ann, f.SID, factor.Update{FriendlyName: &name})
	if err != nil || got.FriendlyName != name || !cmp.Equal(got.Config, f.Config) || got.Credential != f.Credential {
		t.Errorf("renamed %+v, %v", got, err)
	}
	c := w.challengePasskey(factor.PasskeyChallengeParams{Identity: ann})
	_, err = w.AnswerChallenge(t.Context(), w.account, w.service, ann, c.SID, factor.ChallengeUpdate{AuthPayload: &code})
	wantCode(t, err, verify.CodeInvalidRequest, "")
	if err := w.DeleteFactor(t.Context(), w.account, w.service, ann, f.SID); err != nil {
		t.Fatal(err)
	}
	_, err = w.prove(c, key)
	wantCode(t, err, factor.CodeFactorParamNotFound, "")
	key.Count = 0
	if again, err := w.register(w.newPasskey(ann), key); err != nil || again.SID == f.SID {
		t.Errorf("the key once more: %+v, %v", again, err)
	}
}

// A hundred answers at once to one challenge: one opens.
func TestOneProofOpens(t *testing.T) {
	w := newWorld(t, passkeyService())
	_, key := w.owner(ann)
	c := w.challengePasskey(factor.PasskeyChallengeParams{})
	var opened atomic.Int64
	together(func(int) {
		a := *key
		_, err := w.prove(c, &a)
		refused, _ := errors.AsType[*verify.Error](err)
		switch {
		case err == nil:
			opened.Add(1)
		case refused == nil || refused.Code != factor.CodeChallengeResponded:
			t.Error(err)
		}
	})
	if opened.Load() != 1 {
		t.Errorf("%d of one challenge's answers opened", opened.Load())
	}
}
