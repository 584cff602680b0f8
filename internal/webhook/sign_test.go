package webhook

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
)

// The vectors were checked with the validator of twilio-go, and are checked again below.
func TestSignaturesOfKnownBodies(t *testing.T) {
	const token, target = "3f1c9a6e5b7d4820a1c3e5f708192a3b", "https://app.example.test/hooks/verify?tenant=7"
	event := func(change func(url.Values)) url.Values {
		form := url.Values{
			"uuid": {"0f6ad0e2-5c1b-4a77-9a43-7f5b2d1c9e10"}, "type": {"challenge.approved"},
			"account_sid": {"AC11112222333344445555666677778888"}, "service_sid": {"VA9f8e7d6c5b4a39281706f5e4d3c2b1a0"},
			"entity_identity": {"user-7f3a91c2"}, "factor_sid": {"YF03a1b2c3d4e5f60718293a4b5c6d7e8f"},
			"factor_type": {"push"}, "challenge_sid": {"YC0355aa66bb77cc88dd99ee00ff112233"},
		}
		change(form)
		return form
	}
	for want, form := range map[string]url.Values{
		"evG2DW+jZt37LjHa06TkcqgzlY4=": event(func(url.Values) {}),
		"jXNbvO/nyMo1YKUCaZjQQNclbNg=": event(func(f url.Values) { f.Del("factor_type") }),
		"p4sG7PQ5v597P4DPuGtvwDr7L10=": event(func(f url.Values) {
			f.Del("challenge_sid")
			f.Set("type", "factor.verified")
			f.Set("uuid", "7b0c2f11-93de-4f0a-8a55-21c0de5e7a01")
		}),
	} {
		if got := Sign(token, target, form); got != want {
			t.Errorf("%v is signed %s, want %s", form, got, want)
		}
	}
}

func TestTheSignatureOfAKnownObject(t *testing.T) {
	const (
		token, target = "3f1c9a6e5b7d4820a1c3e5f708192a3b", "https://app.example.test/hooks/verify?tenant=7"
		body          = `{"uuid":"0f6ad0e2-5c1b-4a77-9a43-7f5b2d1c9e10","type":"challenge.approved","account_sid":"AC11112222333344445555666677778888",` +
			`"service_sid":"VA9f8e7d6c5b4a39281706f5e4d3c2b1a0","entity_identity":"user-7f3a91c2","factor_sid":"YF03a1b2c3d4e5f60718293a4b5c6d7e8f",` +
			`"factor_type":"push","challenge_sid":"YC0355aa66bb77cc88dd99ee00ff112233"}`
		hash = "0fc02560e0abd8413814ffac74f7046b0d320f3e7954e42a8958d2cbcd9654c2"
	)
	signature, called := SignJSON(token, target, body)
	if len(body) != 335 || signature != "t746DsawvkISCUXQj6vCuJE73UM=" || called != target+"&bodySHA256="+hash {
		t.Errorf("%d bytes for %s are signed %s", len(body), called, signature)
	}
	for _, target := range []string{target, "https://app.example.test/hooks"} {
		signature, called := SignJSON(token, target, body)
		validator := client.NewRequestValidator(token)
		if !validator.ValidateBody(called, []byte(body), signature) || validator.ValidateBody(called, []byte(body+" "), signature) {
			t.Errorf("twilio-go does not validate the body for %s", called)
		}
	}
}

// Whatever a form has in it, twilio-go's validator takes the signature, and with another token refuses it.
func FuzzSignIsWhatTwilioValidates(f *testing.F) {
	f.Add("token", "https://example.com/hook?a=b", "uuid", "1", "type", "x y+z")
	f.Add("3f1c", "http://127.0.0.1:9/", "", "", "é", "\x00")
	f.Fuzz(func(t *testing.T, token, target, name1, value1, name2, value2 string) {
		if u, err := url.Parse(target); err != nil || u.Host == "" || u.String() != target || token == "" || len(token) > 64 {
			return // no URL that a webhook may have, or no token
		}
		form := url.Values{name1: {value1}}
		form.Set(name2, value2)
		flat := map[string]string{}
		for name := range form {
			flat[name] = form.Get(name)
		}
		signature := Sign(token, target, form)
		validator := client.NewRequestValidator(token)
		if !validator.Validate(target, flat, signature) {
			t.Errorf("refused: %q %q %v", token, target, form)
		}
		other := client.NewRequestValidator(token + "x")
		if other.Validate(target, flat, signature) {
			t.Errorf("taken with another token: %q %v", target, form)
		}
	})
}

// The example of the Standard Webhooks libraries.
func TestStandardSignature(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	signStandard(h, key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), `{"test": 2432232314}`)
	if got := h.Get("Webhook-Signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signature %s", got)
	}
	if h.Get("Webhook-Id") != "msg_p5jXN8AQM9LWM0D4loKWxJek" || h.Get("Webhook-Timestamp") != "1614265330" {
		t.Errorf("%v", h)
	}
}
