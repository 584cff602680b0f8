//go:build full

package clients

import (
	"encoding/json"
	"net/http"
	"testing"

	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
)

func TestGoPasskeys(t *testing.T) { onEach(t, goThroughPasskeys) }

// The browser and its authenticator are ours.
func goThroughPasskeys(t *testing.T, baseURL string) {
	http.DefaultTransport = divert(baseURL)
	t.Cleanup(func() { http.DefaultTransport = network })
	w := goWalk{T: t, api: newClient(authToken), baseURL: baseURL}
	service := w.createService(new(verify.CreateServiceParams).
		SetPasskeysRelyingPartyId("example.test").SetPasskeysRelyingPartyName("Walk").SetPasskeysRelyingPartyOrigins("https://example.test").
		SetPasskeysAuthenticatorAttachment("platform").SetPasskeysDiscoverableCredentials("preferred").SetPasskeysUserVerification("preferred"))

	// The library sends an empty config and an empty relying party: those of the service.
	f, err := w.api.CreateNewFactorPasskey(service, new(verify.CreateNewFactorPasskeyParams).
		SetCreateNewPasskeysFactorRequest(verify.CreateNewPasskeysFactorRequest{FriendlyName: "Ann's laptop", Identity: "user-go-1"}))
	w.must(err)
	w.same("status", f.Status, "unverified")
	challenge, user := w.creation(*f.Options)
	authenticator := passkeytest.New("example.test", "https://example.test")
	var answer verify.VerifyPasskeysFactorRequest
	w.must(json.Unmarshal(authenticator.Register(challenge, user).JSON(), &answer))
	verified, err := w.api.UpdatePasskeysFactor(service, new(verify.UpdatePasskeysFactorParams).SetVerifyPasskeysFactorRequest(answer))
	w.must(err)
	w.same("status", verified.Status, "verified")
	w.same("factor", *verified.Sid, *f.Sid)
	_, err = w.api.UpdatePasskeysFactor(service, new(verify.UpdatePasskeysFactorParams).SetVerifyPasskeysFactorRequest(answer))
	w.refused("the same answer", err, 400, 60383)

	for _, asked := range []verify.CreatePasskeysChallengeRequest{{}, {Identity: "user-go-1"}, {Identity: "user-go-1", FactorSid: *f.Sid}} {
		c, err := w.api.CreateChallengePasskeys(service, new(verify.CreateChallengePasskeysParams).SetCreatePasskeysChallengeRequest(asked))
		w.must(err)
		w.same("status", c.Status, "pending")
		public, _ := c.Options["publicKey"].(map[string]any)
		authenticator.Count++
		var proof verify.ApprovePasskeysChallengeRequest
		w.must(json.Unmarshal(authenticator.Prove(public["challenge"].(string)).JSON(), &proof))
		got, err := w.api.UpdateChallengePasskeys(service, new(verify.UpdateChallengePasskeysParams).SetApprovePasskeysChallengeRequest(proof))
		w.must(err)
		w.same("status", got.Status, "approved")
		w.same("who it was", *got.Identity, "user-go-1")
		_, err = w.api.UpdateChallengePasskeys(service, new(verify.UpdateChallengePasskeysParams).SetApprovePasskeysChallengeRequest(proof))
		w.refused("the same proof", err, 403, 60322)
	}
	_, err = w.api.CreateChallengePasskeys(service, new(verify.CreateChallengePasskeysParams).
		SetCreatePasskeysChallengeRequest(verify.CreatePasskeysChallengeRequest{Identity: "user-go-9"}))
	w.refused("unknown identity", err, 404, 60392)
	list, err := w.api.ListFactor(service, "user-go-1", new(verify.ListFactorParams))
	w.must(err)
	w.same("factors", len(list), 1)
	w.must(w.api.DeleteFactor(service, "user-go-1", *f.Sid))
	w.must(w.api.DeleteService(service))
}

// creation is what a browser looks at in the options of a new passkey.
func (w goWalk) creation(options any) (challenge, user string) {
	w.Helper()
	text, err := json.Marshal(options)
	w.must(err)
	var o struct {
		PublicKey struct {
			Challenge string
			User      struct{ ID string }
		}
	}
	w.must(json.Unmarshal(text, &o))
	return o.PublicKey.Challenge, o.PublicKey.User.ID
}
