package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/otp"
)

// checkFactorsContract is checkContract for entities, factors and challenges. It reports whether the
// body was one of theirs.
func (w *world) checkFactorsContract(got map[string]any) bool {
	w.t.Helper()
	if got["deliveries"] != nil || got["tries"] != nil {
		return true // of verifyd alone
	}
	for _, key := range []string{"entities", "factors", "challenges", "webhooks"} {
		if list, ok := got[key].([]any); ok {
			for _, item := range list {
				w.checkOneOfFactors(item.(map[string]any))
			}
			return true
		}
	}
	return w.checkOneOfFactors(got)
}

func (w *world) checkOneOfFactors(got map[string]any) bool {
	w.t.Helper()
	_, isNew := got["options"]
	_, answered := got["responded_reason"]
	switch {
	case answered && isNew:
		w.checkSchema("passkey_challenge", got)
	case isNew:
		w.checkSchema("new_factor", got)
	case answered:
		w.checkSchema("challenge", got)
	case got["entity_identity"] != nil:
		w.checkSchema("access_token", got)
	case got["priority"] != nil:
		w.checkSchema("notification", got)
	case got["webhook_url"] != nil:
		w.checkSchema("webhook", got)
	case got["factor_type"] != nil:
		w.checkSchema("factor", got)
	case strings.HasPrefix(str(got["sid"]), "YE"):
		w.checkSchema("entity", got)
	default:
		return false
	}
	return true
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

// sampleSeed is the seed that conversations give their factors: the bytes 0 to 19.
const sampleSeed = "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT"

// totpVariable is a code of the sample seed: $TOTP now, $NEXT one step later, $OLD one step earlier,
// $FAR ten steps later.
func (w *world) totpVariable(name string) (string, bool) {
	steps, ok := map[string]int{"OLD": -1, "TOTP": 0, "NEXT": 1, "FAR": 10}[name]
	if !ok {
		return "", false
	}
	secret, ok := otp.ParseSecret(sampleSeed)
	if !ok {
		w.t.Fatal("the sample seed is no secret")
	}
	app := otp.TOTP{Hash: "sha1", Step: 30 * time.Second, Digits: 6}
	return app.Code(secret, w.now.Add(time.Duration(steps)*app.Step)), true
}

// The seed is shown at the making of a factor, and neither logged nor shown again.
func TestTheSeedIsShownOnce(t *testing.T) {
	w := newWorld(t)
	w.play("POST /v2/Services FriendlyName=Acme\n" +
		"POST /v2/Services/$VA1/Entities/user-7f3a91c2/Factors FriendlyName=Ann FactorType=totp Binding.Secret=" + sampleSeed)
	at := "/v2/Services/" + w.names["VA1"] + "/Entities/user-7f3a91c2/Factors"
	code := w.variable("TOTP")
	for _, rec := range []string{
		w.do("GET", at, "").Body.String(),
		w.do("GET", at+"/"+w.names["YF1"], "").Body.String(),
		w.do("POST", at+"/"+w.names["YF1"], "AuthPayload="+code).Body.String(),
		w.do("POST", at, "FriendlyName=Ann&FactorType=totp&Binding.Secret="+sampleSeed).Body.String(), // refused: 60317
		w.log.String(),
	} {
		if strings.Contains(rec, sampleSeed) || strings.Contains(rec, "otpauth") || strings.Contains(rec, code) {
			t.Errorf("a secret is shown again: %s", rec)
		}
	}
}
