//go:build full

package clients

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"testing"
	"time"

	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
)

func TestGoWebhooks(t *testing.T) { onEach(t, goThroughWebhooks) }

func goThroughWebhooks(t *testing.T, baseURL string) {
	http.DefaultTransport = divert(baseURL)
	t.Cleanup(func() { http.DefaultTransport = network })
	w := goWalk{T: t, api: newClient(authToken), baseURL: baseURL}
	service := w.createService(&verify.CreateServiceParams{})
	params := func() *verify.CreateWebhookParams {
		return new(verify.CreateWebhookParams).SetFriendlyName("audit").SetWebhookUrl("https://app.example.test/hooks?tenant=7").
			SetEventTypes([]string{"factor.created", "challenge.approved"})
	}
	audit, err := w.api.CreateWebhook(service, params().SetVersion("v1"))
	w.must(err)
	w.same("webhook", fmt.Sprint(*audit.FriendlyName, *audit.EventTypes, *audit.WebhookUrl, *audit.WebhookMethod, *audit.Status, *audit.Version),
		"audit[factor.created challenge.approved]https://app.example.test/hooks?tenant=7POSTenabledv1")
	all, err := w.api.CreateWebhook(service, params().SetEventTypes([]string{"*"}))
	w.must(err)
	w.same("by default", fmt.Sprint(*all.EventTypes, *all.Status, *all.Version), "[*]enabledv2")
	list, err := w.api.ListWebhook(service, new(verify.ListWebhookParams).SetPageSize(1))
	w.must(err)
	var got []string
	for _, h := range list {
		got = append(got, *h.Sid)
	}
	want := []string{*audit.Sid, *all.Sid}
	sort.Strings(got)
	sort.Strings(want)
	w.same("over pages", strings.Join(got, " "), strings.Join(want, " "))
	changed, err := w.api.UpdateWebhook(service, *audit.Sid, new(verify.UpdateWebhookParams).SetEventTypes([]string{"factor.deleted"}).SetStatus("disabled").SetVersion("v2"))
	w.must(err)
	w.same("update", fmt.Sprint(*changed.FriendlyName, *changed.EventTypes, *changed.Status, *changed.Version), "audit[factor.deleted]disabledv2")

	_, err = w.api.CreateWebhook(service, new(verify.CreateWebhookParams).SetEventTypes([]string{"*"}).SetWebhookUrl("https://app.example.test/"))
	w.refused("no name", err, 400, 20001)
	_, err = w.api.CreateWebhook(service, params().SetEventTypes([]string{"factor.expired"}))
	w.refused("an unknown event", err, 400, 60306)
	_, err = w.api.CreateWebhook(service, params().SetWebhookUrl("ftp://app.example.test/"))
	w.refused("another scheme", err, 400, 60306)
	w.must(w.api.DeleteWebhook(service, *all.Sid))
	_, err = w.api.FetchWebhook(service, *all.Sid)
	w.refused("a deleted webhook", err, 404, 20404)
	w.must(w.api.DeleteService(service))
}

func TestGoRefusals(t *testing.T) { onEach(t, goThroughRefusals) }

// What the other walks meet on their way is not here again.
func goThroughRefusals(t *testing.T, baseURL string) {
	http.DefaultTransport = divert(baseURL)
	t.Cleanup(func() { http.DefaultTransport = network })
	w := refusalWalk{goWalk{T: t, api: newClient(authToken), baseURL: baseURL}}
	w.service = w.createService(&verify.CreateServiceParams{})
	w.apps()
	w.phones()
	w.many()
	w.passkeys()
	w.must(w.api.DeleteService(w.service))
}

type refusalWalk struct{ goWalk }

func (w refusalWalk) app(identity string) *verify.VerifyV2NewFactor {
	w.Helper()
	f, err := w.api.CreateNewFactor(w.service, identity, new(verify.CreateNewFactorParams).SetFriendlyName("App").SetFactorType("totp"))
	w.must(err)
	return f
}

func (w refusalWalk) apps() {
	_, err := w.api.PageEntity(w.service, new(verify.ListEntityParams).SetPageSize(-1), "", "")
	w.refused("a page size", err, 400, 60373)
	const identity = "user-go-guessed"
	guessed := w.app(identity)
	answer := new(verify.UpdateFactorParams).SetAuthPayload("00000000") // too long for this app
	for range 5 {
		f, err := w.api.UpdateFactor(w.service, identity, *guessed.Sid, answer)
		w.must(err)
		w.same("wrong code", *f.Status, "unverified")
	}
	_, err = w.api.UpdateFactor(w.service, identity, *guessed.Sid, answer)
	w.refused("a sixth answer", err, 429, 60310)

	f := w.app(identity)
	binding, _ := (*f.Binding).(map[string]any)
	app := factorWalk{goWalk: w.goWalk, secret: fmt.Sprint(binding["secret"])}
	verified, err := w.api.UpdateFactor(w.service, identity, *f.Sid, new(verify.UpdateFactorParams).SetAuthPayload(app.code(0)).SetConfigCodeLength(4))
	w.must(err)
	w.same("status", *verified.Status, "verified")
	asking := func() *verify.CreateChallengeParams { return new(verify.CreateChallengeParams).SetFactorSid(*f.Sid) }
	var asked *verify.VerifyV2Challenge
	for range 10 {
		asked, err = w.api.CreateChallenge(w.service, identity, asking())
		w.must(err)
	}
	_, err = w.api.CreateChallenge(w.service, identity, asking())
	w.refused("an eleventh challenge of short codes", err, 429, 60312)
	_, err = w.api.CreateChallenge(w.service, identity, asking().SetExpirationDate(time.Now().Add(-time.Hour)))
	w.refused("an end that is past", err, 400, 60306)
	w.must(w.api.DeleteFactor(w.service, identity, *f.Sid))
	_, err = w.api.UpdateChallenge(w.service, identity, *asked.Sid, new(verify.UpdateChallengeParams).SetAuthPayload("0000"))
	w.refused("an answer of a factor that is gone", err, 403, 60323)
}

// publicKey is a new key as a handset sends it.
func (w refusalWalk) publicKey(curve elliptic.Curve) string {
	w.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	w.must(err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	w.must(err)
	return base64.StdEncoding.EncodeToString(der)
}

func (w refusalWalk) phones() {
	const identity = "user-go-phones"
	phone := func(key string) *verify.CreateNewFactorParams {
		return new(verify.CreateNewFactorParams).SetFriendlyName("Phone").SetFactorType("push").SetBindingAlg("ES256").SetBindingPublicKey(key).
			SetConfigAppId("com.acme.app").SetConfigNotificationPlatform("none").SetConfigSdkVersion("1")
	}
	key := w.publicKey(elliptic.P256())
	first, err := w.api.CreateNewFactor(w.service, identity, phone(key))
	w.must(err)
	_, err = w.api.UpdateFactor(w.service, identity, *first.Sid, new(verify.UpdateFactorParams).SetAuthPayload(base64.StdEncoding.EncodeToString(make([]byte, 70))))
	w.refused("what its key did not sign", err, 403, 60311)
	_, err = w.api.CreateNewFactor(w.service, identity, phone(key))
	w.refused("the same key", err, 409, 60317)
	_, err = w.api.CreateNewFactor(w.service, identity, phone(w.publicKey(elliptic.P384())))
	w.refused("another curve", err, 400, 60314)
	_, err = w.api.CreateNewFactor(w.service, identity, phone(w.publicKey(elliptic.P256())).SetConfigNotificationPlatform("fcm"))
	w.refused("no token", err, 400, 20001)
	for range 19 {
		_, err := w.api.CreateNewFactor(w.service, identity, phone(w.publicKey(elliptic.P256())))
		w.must(err)
	}
	_, err = w.api.CreateNewFactor(w.service, identity, phone(w.publicKey(elliptic.P256())))
	w.refused("a 21st handset", err, 400, 60315)
}

// many makes more than a day and a second allow.
func (w refusalWalk) many() {
	const identity = "user-go-many"
	var last *verify.VerifyV2NewFactor
	for range 100 {
		last = w.app(identity)
	}
	one := new(verify.CreateNewFactorParams).SetFriendlyName("App").SetFactorType("totp")
	_, err := w.api.CreateNewFactor(w.service, identity, one)
	w.refused("a 101st app", err, 400, 60315)
	w.must(w.api.DeleteFactor(w.service, identity, *last.Sid))
	_, err = w.api.CreateNewFactor(w.service, identity, one)
	w.refused("a 101st in a day", err, 429, 60326)

	clock := func(move string) {
		answer, err := direct.Post(w.baseURL+"/dev/clock?"+move, "", nil)
		w.must(err)
		w.must(answer.Body.Close())
		w.same("clock", answer.StatusCode, 200)
	}
	clock("freeze=true")
	clock("advance=1s")
	entity := func(n int) *verify.CreateEntityParams {
		return new(verify.CreateEntityParams).SetIdentity(fmt.Sprintf("user-quick-%d", n))
	}
	for n := range 40 {
		_, err := w.api.CreateEntity(w.service, entity(n))
		w.must(err)
	}
	_, err = w.api.CreateEntity(w.service, entity(40))
	w.refused("a 41st in a second", err, 429, 60328)
	clock("advance=1s")
	clock("resume=true")
}

func (w refusalWalk) passkeys() {
	request := func() verify.CreateNewPasskeysFactorRequest {
		r := verify.CreateNewPasskeysFactorRequest{FriendlyName: "Ann", Identity: "user-go-keys"}
		r.Config.RelyingParty.Id, r.Config.RelyingParty.Name, r.Config.RelyingParty.Origins = "example.test", "Walk", []string{"https://example.test"}
		r.Config.AuthenticatorAttachment, r.Config.DiscoverableCredentials, r.Config.UserVerification = "any", "preferred", "preferred"
		return r
	}
	register := func(change func(*verify.CreateNewPasskeysFactorRequest)) (*verify.CreateNewFactorPasskeyResponse, error) {
		r := request()
		change(&r)
		return w.api.CreateNewFactorPasskey(w.service, new(verify.CreateNewFactorPasskeyParams).SetCreateNewPasskeysFactorRequest(r))
	}
	for _, c := range []struct {
		what   string
		change func(*verify.CreateNewPasskeysFactorRequest)
		code   int
	}{
		{"no relying party", func(r *verify.CreateNewPasskeysFactorRequest) {
			r.Config.RelyingParty.Id, r.Config.RelyingParty.Name, r.Config.RelyingParty.Origins = "", "", nil
		}, 60371},
		{"no domain", func(r *verify.CreateNewPasskeysFactorRequest) { r.Config.RelyingParty.Id = "https://example.test" }, 60372},
		{"no criteria", func(r *verify.CreateNewPasskeysFactorRequest) { r.Config.UserVerification = "" }, 60393},
		{"an unknown criterion", func(r *verify.CreateNewPasskeysFactorRequest) { r.Config.UserVerification = "perhaps" }, 60370},
		{"no name", func(r *verify.CreateNewPasskeysFactorRequest) { r.FriendlyName = "" }, 60388},
		{"no identity", func(r *verify.CreateNewPasskeysFactorRequest) { r.Identity = "" }, 60367},
	} {
		_, err := register(c.change)
		w.refused(c.what, err, 400, c.code)
	}
	f, err := register(func(*verify.CreateNewPasskeysFactorRequest) {})
	w.must(err)
	challenge, user := w.creation(*f.Options)
	answer := func(a *passkeytest.Authenticator, change func(*verify.VerifyPasskeysFactorRequest)) error {
		var r verify.VerifyPasskeysFactorRequest
		w.must(json.Unmarshal(a.Register(challenge, user).JSON(), &r))
		change(&r)
		_, err := w.api.UpdatePasskeysFactor(w.service, new(verify.UpdatePasskeysFactorParams).SetVerifyPasskeysFactorRequest(r))
		return err
	}
	ours, evil := passkeytest.New("example.test", "https://example.test"), passkeytest.New("example.test", "https://evil.test")
	for _, c := range []struct {
		what   string
		key    *passkeytest.Authenticator
		change func(*verify.VerifyPasskeysFactorRequest)
		code   int
	}{
		{"no id", ours, func(r *verify.VerifyPasskeysFactorRequest) { r.Id = "" }, 60375},
		{"another id", ours, func(r *verify.VerifyPasskeysFactorRequest) { r.RawId = "AAAA" }, 60376},
		{"another attachment", ours, func(r *verify.VerifyPasskeysFactorRequest) { r.AuthenticatorAttachment = "glued" }, 60377},
		{"another type", ours, func(r *verify.VerifyPasskeysFactorRequest) { r.Type = "password" }, 60378},
		{"another page", evil, func(*verify.VerifyPasskeysFactorRequest) {}, 60380},
		{"half an attestation", ours, func(r *verify.VerifyPasskeysFactorRequest) {
			r.Response.AttestationObject = r.Response.AttestationObject[:20]
		}, 60386},
		{"another site", passkeytest.New("evil.test", "https://example.test"), func(*verify.VerifyPasskeysFactorRequest) {}, 60382},
	} {
		w.refused(c.what, answer(c.key, c.change), 400, c.code)
	}
	ask := func(r verify.CreatePasskeysChallengeRequest) error {
		_, err := w.api.CreateChallengePasskeys(w.service, new(verify.CreateChallengePasskeysParams).SetCreatePasskeysChallengeRequest(r))
		return err
	}
	w.refused("not verified", ask(verify.CreatePasskeysChallengeRequest{Identity: "user-go-keys", FactorSid: *f.Sid}), 403, 60318)
	w.refused("no factor", ask(verify.CreatePasskeysChallengeRequest{Identity: "user-go-keys", FactorSid: "YF"}), 400, 60362)
	w.refused("a factor of nobody", ask(verify.CreatePasskeysChallengeRequest{Identity: "user-go-keys", FactorSid: "YF04" + strings.Repeat("0", 30)}), 404, 60390)
	var proof verify.ApprovePasskeysChallengeRequest
	nobody := base64.RawURLEncoding.EncodeToString([]byte("YC04" + strings.Repeat("0", 30)))
	w.must(json.Unmarshal(ours.Prove(nobody).JSON(), &proof))
	_, err = w.api.UpdateChallengePasskeys(w.service, new(verify.UpdateChallengePasskeysParams).SetApprovePasskeysChallengeRequest(proof))
	w.refused("a proof of nothing", err, 404, 60391)
}
