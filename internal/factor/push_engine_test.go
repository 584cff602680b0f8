package factor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/jose"
	"github.com/verifyd/verifyd/internal/verify"
)

// device is a handset with its key.
type device struct {
	key *ecdsa.PrivateKey
	*factor.NewFactor
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func spki(k *ecdsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// handset gives an identity an application that is not verified yet.
func (w *world) handset(identity string, k *ecdsa.PrivateKey) (*device, error) {
	f, err := w.CreateFactor(w.t.Context(), w.account, w.service, identity, factor.Params{
		FriendlyName: new("Ann's phone"), FactorType: new("push"), BindingPublicKey: new(spki(k)),
		PushParams: factor.PushParams{AppID: new("com.acme.app"), SDKVersion: new("1"), NotificationPlatform: new("fcm"), NotificationToken: new("token")},
	})
	return &device{k, f}, err
}

func (w *world) verifiedHandset(identity string) *device {
	w.t.Helper()
	d, err := w.handset(identity, newKey(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	if f, err := w.confirm(d.NewFactor, prove(d.key, d.SID)); err != nil || f.Status != factor.Verified {
		w.t.Fatalf("%+v, %v", f, err)
	}
	return d
}

// prove signs the SID of a factor.
func prove(k *ecdsa.PrivateKey, factorSID string) string {
	digest := sha256.Sum256([]byte(factorSID))
	signature, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func (w *world) push(d *device) *factor.Challenge {
	w.t.Helper()
	c, err := w.CreateChallenge(w.t.Context(), w.account, w.service, d.Identity, factor.ChallengeParams{
		FactorSID: &d.SID, DetailsMessage: new("Log in?"), DetailsFields: []string{`{"label":"IP","value":"203.0.113.9"}`}, HiddenDetails: new(`{"tx":"4711"}`),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// claims are what the device of a challenge has to say, with one status.
func claims(c *factor.Challenge, status string) string {
	return fmt.Sprintf(`{"sid":%q,"account_sid":%q,"service_sid":%q,"identity":%q,"factor_sid":%q,"date_created":%q,"expiration_date":%q,`+
		`"details":{"message":"Log in?","fields":[{"label":"IP","value":"203.0.113.9"}]},"hidden_details":{"tx":"4711"},"status":%q}`,
		c.SID, c.AccountSID, c.ServiceSID, c.Identity, c.FactorSID, c.CreatedAt.Format("2006-01-02T15:04:05Z"), c.ExpiresAt.Format("2006-01-02T15:04:05Z"), status)
}

func signed(k *ecdsa.PrivateKey, payload string) string {
	token, err := jose.SignJWS([]byte(`{"typ":"JWT","alg":"ES256"}`), []byte(payload), k, rand.Reader)
	if err != nil {
		panic(err)
	}
	return token
}

// The key and the SIDs of the factors reference, sections 12.1, 12.4 and 12.5.
const (
	referenceKey       = "70e9acb8c27f1793a868cf6364a9d4814ea3e6ae8adb0907302525117eba6de7"
	referencePublic    = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnQ/W1Ck1hyfkPtC06FwM7+6g2g4UI7jjXQz4FM7olqUu1e852WjeI3/AtG8sOa5oX+zayMeEH85q8lgXMIoYRg=="
	referenceFactor    = "YF03a1b2c3d4e5f60718293a4b5c6d7e8f"
	referenceProof     = "MEQCIHOQoEg52ZiC3kixgdu71Jxhi89xhx28UCSApamHIvn1AiAKfA8ozyKQjXzF4bHvCCaFDWDQeeEzea/ec4wwc9A+Uw=="
	referenceDevice    = "eyJjdHkiOiJ0d2lsaW8tcGJhO3Y9MSIsImtpZCI6IkNSNWU2ZjcwODE5MmEzYjRjNWQ2ZTdmODA5MWEyYjNjNGQiLCJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJBQzExMTEyMjIyMzMzMzQ0NDQ1NTU1NjY2Njc3Nzc4ODg4IiwiZXhwIjoxNzY0MDAwNjYwLCJuYmYiOjE3NjQwMDAwNjB9.Onrxxbk-xvs6Yp3a5qoUy9cxSk8iL4IAkcxTS5FOfIzuAeDgkNDJMn-obSbRg5D2t_gn80QhZ5ujuxAy8LPCwQ"
	referenceStatement = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJzaWQiOiJZQzAzNTVhYTY2YmI3N2NjODhkZDk5ZWUwMGZmMTEyMjMzIiwiYWNjb3VudF9zaWQiOiJBQzExMTEyMjIyMzMzMzQ0NDQ1NTU1NjY2Njc3Nzc4ODg4Iiwic2VydmljZV9zaWQiOiJWQTlmOGU3ZDZjNWI0YTM5MjgxNzA2ZjVlNGQzYzJiMWEwIiwiaWRlbnRpdHkiOiJ1c2VyLTdmM2E5MWMyIiwiZmFjdG9yX3NpZCI6IllGMDNhMWIyYzNkNGU1ZjYwNzE4MjkzYTRiNWM2ZDdlOGYiLCJkYXRlX2NyZWF0ZWQiOiIyMDI1LTExLTI0VDE2OjAxOjAwWiIsImV4cGlyYXRpb25fZGF0ZSI6IjIwMjUtMTEtMjRUMTY6MDY6MDBaIiwiZGV0YWlscyI6eyJtZXNzYWdlIjoiTG9nIGluIHRvIEFDTUU_IiwiZmllbGRzIjpbeyJsYWJlbCI6IklQIiwidmFsdWUiOiIyMDMuMC4xMTMuOSJ9XX0sImhpZGRlbl9kZXRhaWxzIjp7InR4IjoiNDcxMSJ9LCJzdGF0dXMiOiJhcHByb3ZlZCJ9.kfXJNp0pK6VTTICf4M_VAeCwkjXhtVJbKNZdXLJgCCXwuxtrN5JWR043YLN6ApNPP51T-Kx2QYcsBte2sYYgPQ"
)

// referenceWorld has the service, the factor and the challenge of the reference.
func referenceWorld(t *testing.T, status factor.Status) *world {
	w := newWorld(t, verify.ServiceParams{})
	w.at(1764000060)
	w.account, w.service = "AC11112222333344445555666677778888", "VA9f8e7d6c5b4a39281706f5e4d3c2b1a0"
	now := w.clock()
	err := w.Store.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
		tx.PutAccount(&verify.Account{SID: w.account, TokenHash: []byte("x"), TokenSealed: []byte("x"), CreatedAt: now})
		tx.PutService(&verify.Service{SID: w.service, AccountSID: w.account, ServiceSettings: verify.ServiceSettings{FriendlyName: "ACME"}, CreatedAt: now, UpdatedAt: now})
		e := &factor.Entity{SID: "YE0a1b2c3d4e5f60718293a4b5c6d7e8f9", Identity: ann, ServiceSID: w.service, AccountSID: w.account, CreatedAt: now, UpdatedAt: now}
		tx.AddEntity(e)
		tx.AddFactor(&factor.Factor{
			SID: referenceFactor, EntitySID: e.SID, Identity: ann, ServiceSID: w.service, AccountSID: w.account, Type: factor.Push, Status: status,
			CredentialSID: "CR5e6f708192a3b4c5d6e7f8091a2b3c4d", CreatedAt: now, UpdatedAt: now,
			Config: factor.Config{Push: &factor.PushConfig{PublicKey: referencePublic, Platform: factor.NoPlatform}},
		})
		tx.AddChallenge(&factor.Challenge{
			SID: "YC0355aa66bb77cc88dd99ee00ff112233", FactorSID: referenceFactor, FactorType: factor.Push, EntitySID: e.SID, Identity: ann, ServiceSID: w.service,
			AccountSID: w.account, Status: factor.ChallengePending, CreatedAt: time.Unix(1764000060, 0), UpdatedAt: now, ExpiresAt: time.Unix(1764000360, 0),
			Details:       &factor.ChallengeDetails{Message: "Log in to ACME?", Fields: []factor.DetailField{{Label: "IP", Value: "203.0.113.9"}}},
			HiddenDetails: map[string]string{"tx": "4711"},
		})
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTheVectorsOfAPushFactor(t *testing.T) {
	w := referenceWorld(t, factor.Unverified)
	f, err := w.UpdateFactor(t.Context(), w.account, w.service, ann, referenceFactor, factor.Update{AuthPayload: new(referenceProof)})
	if err != nil || f.Status != factor.Verified {
		t.Errorf("the proof: %+v, %v", f, err)
	}
	d, err := w.AuthenticateDevice(t.Context(), referenceDevice)
	if want := (factor.Device{AccountSID: w.account, ServiceSID: w.service, Identity: ann, FactorSID: referenceFactor}); err != nil || *d != want {
		t.Errorf("the device: %+v, %v, want %+v", d, err, want)
	}
	c, err := w.AnswerChallenge(t.Context(), w.account, w.service, ann, "YC0355aa66bb77cc88dd99ee00ff112233", factor.ChallengeUpdate{AuthPayload: new(referenceStatement)})
	if err != nil || c.Status != factor.ChallengeApproved || c.RespondedAt != w.clock() {
		t.Errorf("the statement: %+v, %v", c, err)
	}
}

// Padding and alphabet of a proof do not matter; everything else does.
func TestProofsOfAKey(t *testing.T) {
	raw, err := base64.StdEncoding.DecodeString(referenceProof)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), mustHex(t, referenceKey))
	if err != nil || spki(k) != referencePublic {
		t.Fatalf("the key of the reference: %v", err)
	}
	for payload, taken := range map[string]bool{
		referenceProof:                                 true,
		strings.TrimRight(referenceProof, "="):         true,
		base64.URLEncoding.EncodeToString(raw):         true,
		strings.Replace(referenceProof, "+", " ", 1):   true, // a plus sign that was not encoded
		prove(k, referenceFactor):                      true,
		prove(k, "YF03a1b2c3d4e5f60718293a4b5c6d7e80"): false, // of another factor
		prove(newKey(t), referenceFactor):              false,
		base64.StdEncoding.EncodeToString(raw[:40]):    false,
		hex.EncodeToString(raw):                        false,
		referenceStatement:                             false,
		"!":                                            false,
	} {
		w := referenceWorld(t, factor.Unverified)
		f, err := w.UpdateFactor(t.Context(), w.account, w.service, ann, referenceFactor, factor.Update{AuthPayload: &payload})
		if taken && (err != nil || f.Status != factor.Verified) {
			t.Errorf("%.40s: %v", payload, err)
		}
		if !taken {
			wantCode(t, err, factor.CodeFactorProof, "")
		}
		if err := w.store.Close(); err != nil { // the next world has the same name
			t.Fatal(err)
		}
	}
}

func mustHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatADeviceSigns(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	d := w.verifiedHandset(ann)
	c := w.push(d)
	good := claims(c, "approved")
	replace := func(old, other string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in %s", old, good)
		}
		return strings.Replace(good, old, other, 1)
	}
	for name, payload := range map[string]string{
		"no token":                          "approved",
		"another key":                       signed(newKey(t), good),
		"another status":                    signed(d.key, claims(c, "pending")),
		"expired":                           signed(d.key, claims(c, "expired")),
		"a status in capitals":              signed(d.key, claims(c, "APPROVED")),
		"no status":                         signed(d.key, replace(`,"status":"approved"`, ``)),
		"another challenge":                 signed(d.key, replace(c.SID, "YC03000000000000000000000000000000")),
		"another identity":                  signed(d.key, replace(ann, "user-other")),
		"another message":                   signed(d.key, replace("Log in?", "Log in!")),
		"another field":                     signed(d.key, replace("203.0.113.9", "203.0.113.8")),
		"fields that are not there":         signed(d.key, replace(`[{"label":"IP","value":"203.0.113.9"}]`, `null`)),
		"a hidden detail more":              signed(d.key, replace(`{"tx":"4711"}`, `{"tx":"4711","a":"b"}`)),
		"another date":                      signed(d.key, replace(c.ExpiresAt.Format("2006-01-02T15:04:05Z"), "2026-11-24T12:05:01Z")),
		"without the hidden details":        signed(d.key, replace(`"hidden_details":{"tx":"4711"},`, ``)),
		"a list":                            signed(d.key, `[`+good+`]`),
		"nothing":                           signed(d.key, ``),
		"the proof of the factor":           prove(d.key, d.SID),
		"a token to log in with":            deviceToken(d, w.account, w.clock(), 10*time.Minute),
		"two answers, one behind the other": signed(d.key, good) + "." + signed(d.key, good),
	} {
		got, err := w.answer(c, payload)
		if err == nil {
			t.Fatalf("%s: %+v", name, got)
		}
		wantCode(t, err, factor.CodeChallengeProof, "")
	}
	got, err := w.Challenge(t.Context(), w.account, w.service, ann, c.SID)
	if err != nil || got.Status != factor.ChallengePending || got.WrongAnswers != 0 || !got.RespondedAt.IsZero() {
		t.Errorf("after all that: %+v, %v", got, err)
	}
	// Order, space, escapes and what else is signed do not matter.
	lenient := strings.Replace(`{ "more":[1], "status":"denied", `+good[1:len(good)-len(`,"status":"approved"}`)]+`}`, "203.0", `\u0032\u00303.0`, 1)
	if got, err := w.answer(c, signed(d.key, lenient)); err != nil || got.Status != factor.ChallengeDenied {
		t.Errorf("%+v, %v", got, err)
	}
}

func deviceToken(d *device, account string, begin time.Time, life time.Duration) string {
	return signedAs(d.key, fmt.Sprintf(`{"cty":"twilio-pba;v=1","kid":%q,"typ":"JWT","alg":"ES256"}`, d.CredentialSID),
		fmt.Sprintf(`{"sub":%q,"exp":%d,"nbf":%d}`, account, begin.Add(life).Unix(), begin.Unix()))
}

func signedAs(k *ecdsa.PrivateKey, header, payload string) string {
	token, err := jose.SignJWS([]byte(header), []byte(payload), k, rand.Reader)
	if err != nil {
		panic(err)
	}
	return token
}

func TestHowADeviceLogsIn(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	d, err := w.handset(ann, newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock()
	header := fmt.Sprintf(`{"cty":"twilio-pba;v=1","kid":%q,"alg":"ES256"}`, d.CredentialSID)
	at := func(begin, end time.Duration) string {
		return deviceToken(d, w.account, now.Add(begin), end-begin)
	}
	sub := func(more string) string { return fmt.Sprintf(`{"sub":%q%s}`, w.account, more) }
	for name, c := range map[string]struct {
		token string
		taken bool
	}{
		"now":                         {at(0, 10*time.Minute), true}, // it need not be verified
		"a clock a minute ahead":      {at(time.Minute, 11*time.Minute), true},
		"a clock more than that":      {at(time.Minute+time.Second, 10*time.Minute), false},
		"a clock behind":              {at(-10*time.Minute-59*time.Second, -59*time.Second), true},
		"a clock more than behind":    {at(-11*time.Minute, -time.Minute), false},
		"a long life":                 {at(0, 11*time.Minute), true},
		"a longer life":               {at(0, 11*time.Minute+time.Second), false},
		"grants, as in 2020":          {signedAs(d.key, header, sub(fmt.Sprintf(`,"exp":%d,"nbf":%d,"grants":{"verify_push":{"factor_sid":"YF1"}}`, now.Unix()+300, now.Unix()))), true},
		"another account":             {deviceToken(d, "AC00000000000000000000000000000000", now, time.Minute), false},
		"no account":                  {signedAs(d.key, header, fmt.Sprintf(`{"exp":%d,"nbf":%d}`, now.Unix()+300, now.Unix())), false},
		"no end":                      {signedAs(d.key, header, sub(fmt.Sprintf(`,"nbf":%d`, now.Unix()))), false},
		"no beginning":                {signedAs(d.key, header, sub(fmt.Sprintf(`,"exp":%d`, now.Unix()+300))), false},
		"a beginning of null":         {signedAs(d.key, header, sub(fmt.Sprintf(`,"nbf":null,"exp":%d`, now.Unix()+300))), false},
		"ends beyond all numbers":     {signedAs(d.key, header, sub(`,"nbf":-9223372036854775808,"exp":9223372036854775807`)), false},
		"a list":                      {signedAs(d.key, header, `[]`), false},
		"another key":                 {deviceToken(&device{newKey(t), d.NewFactor}, w.account, now, time.Minute), false},
		"another content":             {signedAs(d.key, strings.Replace(header, "pba", "fpa", 1), sub(fmt.Sprintf(`,"exp":%d,"nbf":%d`, now.Unix()+300, now.Unix()))), false},
		"no name of a key":            {signedAs(d.key, `{"cty":"twilio-pba;v=1","alg":"ES256"}`, sub(fmt.Sprintf(`,"exp":%d,"nbf":%d`, now.Unix()+300, now.Unix()))), false},
		"an unknown name":             {signedAs(d.key, `{"cty":"twilio-pba;v=1","kid":"CR0","alg":"ES256"}`, sub(fmt.Sprintf(`,"exp":%d,"nbf":%d`, now.Unix()+300, now.Unix()))), false},
		"what it says of a challenge": {signed(d.key, sub("")), false},
		"nothing":                     {"", false},
	} {
		got, err := w.AuthenticateDevice(t.Context(), c.token)
		if c.taken && (err != nil || got.FactorSID != d.SID) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if !c.taken {
			if err == nil {
				t.Errorf("%s: taken", name)
				continue
			}
			wantCode(t, err, verify.CodeUnauthorized, "")
		}
	}
	w.advance(24 * time.Hour) // nobody verified it
	_, err = w.AuthenticateDevice(t.Context(), deviceToken(d, w.account, w.clock(), time.Minute))
	wantCode(t, err, verify.CodeUnauthorized, "")
	d = w.verifiedHandset(ann)
	token := deviceToken(d, w.account, w.clock(), time.Minute)
	if _, err := w.AuthenticateDevice(t.Context(), token); err != nil {
		t.Error(err)
	}
	if err := w.DeleteFactor(t.Context(), w.account, w.service, ann, d.SID); err != nil {
		t.Fatal(err)
	}
	_, err = w.AuthenticateDevice(t.Context(), token)
	wantCode(t, err, verify.CodeUnauthorized, "")
}

func TestAccessTokens(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	made, token, err := w.CreateAccessToken(t.Context(), w.account, w.service, factor.AccessTokenParams{
		Identity: new(ann), FactorType: new("push"), FactorFriendlyName: new("Ann's phone"), TTL: new(90),
	})
	if err != nil || made.TTL != 90*time.Second || strings.Count(token, ".") != 4 || !strings.Contains(token, "..") {
		t.Fatalf("%+v, %s, %v", made, token, err)
	}
	if strings.Contains(string(made.TokenSealed), token) {
		t.Error("the token lies open")
	}
	fetched, again, err := w.AccessToken(t.Context(), w.account, w.service, made.SID)
	if err != nil || again != token || fetched.Identity != ann {
		t.Errorf("fetched %+v, the same token: %v, %v", fetched, again == token, err)
	}
	want := factor.Grant{AccountSID: w.account, ServiceSID: w.service, Identity: ann, FactorType: factor.Push, FriendlyName: "Ann's phone"}
	if g, err := w.AuthenticateGrant(token); err != nil || *g != want {
		t.Errorf("%+v, %v, want %+v", g, err, want)
	}
	for i := range len(token) {
		if i%7 > 0 && token[i] != '.' {
			continue
		}
		other := byte('A')
		if token[i] == 'A' {
			other = 'B'
		}
		if _, err := w.AuthenticateGrant(token[:i] + string(other) + token[i+1:]); err == nil {
			t.Fatalf("taken with character %d changed", i)
		} else {
			wantCode(t, err, verify.CodeUnauthorized, "")
		}
	}
	w.advance(90 * time.Second)
	_, err = w.AuthenticateGrant(token)
	wantCode(t, err, verify.CodeUnauthorized, "")
	_, _, err = w.AccessToken(t.Context(), w.account, w.service, made.SID)
	wantCode(t, err, verify.CodeNotFound, "")
}

// A hundred answers, half of which approve and half deny: one of them is the outcome.
func TestAPushChallengeHasOneOutcome(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	d := w.verifiedHandset(ann)
	c := w.push(d)
	answers := []string{signed(d.key, claims(c, "approved")), signed(d.key, claims(c, "denied"))}
	var taken [2]atomic.Int64
	together(func(i int) {
		got, err := w.answer(c, answers[i%2])
		why, isRefusal := errors.AsType[*verify.Error](err)
		switch {
		case err == nil && got.Status == []factor.ChallengeStatus{factor.ChallengeApproved, factor.ChallengeDenied}[i%2]:
			taken[i%2].Add(1)
		case isRefusal && why.Code == factor.CodeChallengeResponded:
		default:
			t.Errorf("%+v, %v", got, err)
		}
	})
	if taken[0].Load()+taken[1].Load() != 1 {
		t.Errorf("%d approvals and %d denials were taken, want one in all", taken[0].Load(), taken[1].Load())
	}
}

// What a device signs of the date is what it was shown, whatever becomes of the service's setting.
func TestTheDateStaysAsItWasShown(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{PushIncludeDate: new(true)})
	d := w.verifiedHandset(ann)
	c := w.push(d)
	if _, err := w.UpdateService(t.Context(), w.account, w.service, verify.ServiceParams{PushIncludeDate: new(false)}); err != nil {
		t.Fatal(err)
	}
	_, err := w.answer(c, signed(d.key, claims(c, "approved")))
	wantCode(t, err, factor.CodeChallengeProof, "")
	dated := strings.Replace(claims(c, "approved"), `{"message"`, fmt.Sprintf(`{"date":%q,"message"`, c.CreatedAt.Format("2006-01-02T15:04:05Z")), 1)
	if got, err := w.answer(c, signed(d.key, dated)); err != nil || got.Status != factor.ChallengeApproved {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTheNotificationTokenIsSealed(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	d := w.verifiedHandset(ann)
	if strings.Contains(string(d.SecretSealed), "token") {
		t.Error("the notification token lies open")
	}
	if token, err := w.NotificationToken(d.Factor); err != nil || token != "token" {
		t.Errorf("%q, %v", token, err)
	}
	f, err := w.UpdateFactor(t.Context(), w.account, w.service, ann, d.SID, factor.Update{PushParams: factor.PushParams{NotificationPlatform: new("none")}})
	if err != nil || f.SecretSealed != nil || f.Config.Push.Platform != factor.NoPlatform {
		t.Errorf("without a platform: %+v, %v", f, err)
	}
}

// A notification and its job are part of the commit of the challenge.
func TestANotificationIsOfTheSameCommit(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	d := w.verifiedHandset(ann)
	before := w.clock()
	w.push(d)
	jobs, err := w.store.Claim(t.Context(), factor.ToHandset, before, before.Add(time.Minute), 10)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	p, ok, err := w.PushDelivery(t.Context(), jobs[0].Ref)
	if err != nil || !ok || p.Token != "token" || p.Platform != factor.FCM || p.Brand != "Acme" || !p.Deadline.Equal(p.Challenge.ExpiresAt) {
		t.Errorf("%+v, %v, %v", p, ok, err)
	}
	if _, err := w.answer(p.Challenge, signed(d.key, claims(p.Challenge, "denied"))); err != nil {
		t.Fatal(err)
	}
	if _, ok, err = w.PushDelivery(t.Context(), jobs[0].Ref); err != nil || ok {
		t.Errorf("after the answer: %v, %v", ok, err)
	}
}
