//go:build full

package clients

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"github.com/verifyd/verifyd/internal/handset"
)

func TestGoPush(t *testing.T) { onEach(t, goThroughPush) }

// The telephone is the handset of the tests, which does what the libraries for Android and iOS do.
func goThroughPush(t *testing.T, baseURL string) {
	http.DefaultTransport = divert(baseURL)
	t.Cleanup(func() { http.DefaultTransport = network })
	w := pushWalk{goWalk: goWalk{T: t, api: newClient(authToken), baseURL: baseURL}, identity: "user-push-go"}
	w.service = w.createService(new(verify.CreateServiceParams).SetPushIncludeDate(true))
	for _, system := range []handset.System{handset.Android, handset.IOS} {
		w.phone(system)
	}
	w.refusals()
	w.must(w.api.DeleteService(w.service))
}

type pushWalk struct {
	goWalk
	identity string
}

// direct is the handset's way: it knows where its server is.
var direct = &http.Client{Transport: network}

func (w *pushWalk) enrol(system handset.System, platform, token string) *handset.Handset {
	w.Helper()
	a, err := w.api.CreateAccessToken(w.service, new(verify.CreateAccessTokenParams).
		SetIdentity(w.identity).SetFactorType("push").SetFactorFriendlyName("Ann's phone").SetTtl(120))
	w.must(err)
	w.same("ttl", a.Ttl, 120)
	fetched, err := w.api.FetchAccessToken(w.service, *a.Sid)
	w.must(err)
	w.same("the token again", *fetched.Token, *a.Token)
	h, err := handset.Enrol(w.Context(), handset.Options{
		BaseURL: w.baseURL + "/v2", System: system, Client: direct, Now: time.Now, Random: rand.Reader,
	}, handset.Enrolment{
		AccessToken: *a.Token, ServiceSID: w.service, Identity: w.identity, FriendlyName: "Ann's phone; " + string(system),
		AppID: "com.acme.app", Platform: platform, Token: token,
	})
	w.must(err)
	return h
}

func (w *pushWalk) ask(factor, message string) *verify.VerifyV2Challenge {
	w.Helper()
	c, err := w.api.CreateChallenge(w.service, w.identity, new(verify.CreateChallengeParams).SetFactorSid(factor).
		SetDetailsMessage(message).SetDetailsFields([]any{map[string]string{"label": "IP", "value": "203.0.113.9"}}).
		SetHiddenDetails(map[string]string{"tx": "4711"}))
	w.must(err)
	return c
}

// phone is the life of one handset.
func (w *pushWalk) phone(system handset.System) {
	h := w.enrol(system, "fcm", "token-of-"+string(system))
	_, err := w.api.CreateChallenge(w.service, w.identity, new(verify.CreateChallengeParams).SetFactorSid(h.FactorSID).SetDetailsMessage("x"))
	w.refused("a factor that is not verified", err, 403, 60318)
	w.must(h.Verify(w.Context()))
	f, err := w.api.FetchFactor(w.service, w.identity, h.FactorSID)
	w.must(err)
	config, _ := (*f.Config).(map[string]any)
	w.same("factor", fmt.Sprint(*f.Status, *f.FactorType, *f.FriendlyName, config["notification_platform"], config["credential_sid"]),
		fmt.Sprint("verified", "push", "Ann's phone; "+string(system), "fcm", h.CredentialSID))

	yes, no := w.ask(h.FactorSID, "Log in?"), w.ask(h.FactorSID, "Send 500 EUR?")
	w.same("status", *yes.Status, "pending")
	pending, err := h.Challenges(w.Context(), "pending", 1)
	w.must(err)
	w.same("what the handset shows", len(pending), 2)
	w.same("first", pending[0].Message+" "+pending[0].Fields[0].Value+" "+pending[0].HiddenDetails["tx"], "Log in? 203.0.113.9 4711")

	n, err := w.api.CreateNotification(w.service, w.identity, *yes.Sid, new(verify.CreateNotificationParams).SetTtl(150))
	w.must(err)
	w.same("notification", fmt.Sprint(*n.ChallengeSid, *n.Priority, n.Ttl), fmt.Sprint(*yes.Sid, "high", 150))
	for range 2 {
		_, err = w.api.CreateNotification(w.service, w.identity, *yes.Sid, nil)
		w.must(err)
	}
	_, err = w.api.CreateNotification(w.service, w.identity, *yes.Sid, nil)
	w.refused("a fourth notification", err, 429, 60309)

	_, err = h.Approve(w.Context(), *yes.Sid)
	w.must(err)
	_, err = h.Deny(w.Context(), *no.Sid)
	w.must(err)
	for sid, status := range map[string]string{*yes.Sid: "approved", *no.Sid: "denied"} {
		c, err := w.api.FetchChallenge(w.service, w.identity, sid)
		w.must(err)
		w.same("status", fmt.Sprint(*c.Status, c.DateResponded == nil), fmt.Sprint(status, false))
	}
	_, err = w.api.UpdateChallenge(w.service, w.identity, *yes.Sid, new(verify.UpdateChallengeParams).SetAuthPayload("x"))
	w.refused("a second answer", err, 403, 60322)
	_, err = w.api.UpdateChallenge(w.service, w.identity, *w.ask(h.FactorSID, "Again?").Sid, new(verify.UpdateChallengeParams).SetAuthPayload("x"))
	w.refused("what nobody signed", err, 403, 60324)

	w.must(h.UpdateToken(w.Context(), "none", ""))
	_, err = w.api.CreateNotification(w.service, w.identity, *w.ask(h.FactorSID, "Once more?").Sid, nil)
	w.refused("a notification without a platform", err, 400, 60307)
	w.must(h.Delete(w.Context()))
	_, err = w.api.FetchFactor(w.service, w.identity, h.FactorSID)
	w.refused("a deleted factor", err, 404, 20404)
}

func (w *pushWalk) refusals() {
	_, err := w.api.CreateAccessToken(w.service, new(verify.CreateAccessTokenParams).SetIdentity("short").SetFactorType("push"))
	w.refused("a bad identity", err, 400, 60305)
	_, err = w.api.FetchAccessToken(w.service, "YK"+strings.Repeat("0", 32))
	w.refused("an unknown access token", err, 404, 20404)
	_, err = w.api.CreateNewFactor(w.service, w.identity, new(verify.CreateNewFactorParams).SetFriendlyName("P").SetFactorType("push").
		SetBindingAlg("ES256").SetBindingPublicKey("no key").SetConfigAppId("a").SetConfigNotificationPlatform("none").SetConfigSdkVersion("1"))
	w.refused("no key", err, 400, 60314)

	a, err := w.api.CreateAccessToken(w.service, new(verify.CreateAccessTokenParams).SetIdentity(w.identity).SetFactorType("push"))
	w.must(err)
	_, err = handset.Enrol(w.Context(), handset.Options{BaseURL: w.baseURL + "/v2", Client: direct, Now: time.Now, Random: rand.Reader},
		handset.Enrolment{AccessToken: *a.Token, ServiceSID: w.service, Identity: "user-other", FriendlyName: "P", AppID: "a", Platform: "none"})
	refused, _ := errors.AsType[*handset.Error](err)
	if refused == nil || refused.Code != 60313 || refused.Status != 403 {
		w.Errorf("an access token for another identity: %v, want 60313", err)
	}
}
