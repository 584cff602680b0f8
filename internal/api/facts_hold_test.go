package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/api"
)

// What the facts say of a parameter is what the API does with it: whether it is required, what it
// may be, what is refused. Everything that a path names has been made before.
func TestFactsHold(t *testing.T) {
	for _, resource := range api.Resources() {
		for _, o := range resource.Operations {
			t.Run(o.ID, func(t *testing.T) {
				facts := o.Facts
				if o.Paged {
					facts = append(facts[:len(facts):len(facts)], api.PageFacts()...)
				}
				s := stage{o: o, shared: furnished(t, o, false)}
				for _, f := range facts {
					t.Run(f.Name, func(t *testing.T) { s.holds(t, f) })
				}
			})
		}
	}
}

// stage is where the requests of one operation meet a world.
type stage struct {
	o      api.Operation
	shared *world // of requests that leave everything as it is
}

func (s *stage) holds(t *testing.T, f api.Fact) {
	o := s.o
	refused := func(value string) {
		t.Helper()
		form := requestFor(o, f, value)
		if status, body := s.try(t, form, false); status < 400 || status >= 500 {
			t.Errorf("%s is not refused: %d %s", form.Encode(), status, body)
		}
	}
	taken := func(value string) {
		t.Helper()
		form := requestFor(o, f, value)
		if status, body := s.try(t, form, o.Method == http.MethodPost && !o.Partial); status >= 300 {
			t.Errorf("%s is refused: %d %s", form.Encode(), status, body)
		}
	}
	if f.Required && !o.Partial {
		form := requestFor(o, f, "")
		form.Del(f.Name)
		if o.JSON {
			maps.DeleteFunc(form, func(name string, _ []string) bool { return strings.HasPrefix(name, f.Name+".") })
		}
		if status, body := s.try(t, form, false); status != 400 || !o.JSON && !strings.Contains(body, f.Name) {
			t.Errorf("without it: %d %s", status, body)
		}
	}
	if f.Example != nil && f.Name != "Templates" { // there is no such template
		taken(example(f))
	}
	for _, value := range f.Enum {
		taken(value)
	}
	for _, value := range f.Refused {
		refused(value)
	}
	if f.Enum != nil || f.Format != "" {
		refused("nonsense")
	}
	if f.SID != "" {
		refused("XX" + strings.Repeat("0", 32))
		refused(f.SID + "0")
	}
	if f.Range.Max == 0 {
		return
	}
	text := func(n int) string { return strings.Repeat("a", n) }
	if f.Name == "SendDigits" {
		text = func(n int) string { return strings.Repeat("1", n) }
	}
	least := 2 // an empty text is one that was not sent, or null
	if _, number := f.Example.(int); number || f.Name == "Page" {
		text, least = strconv.Itoa, 0
		refused("x")
	}
	if o.ID == "ListVerificationAttempt" && f.Name == "Page" {
		f.Range.Max = 10_000 / 50 // without a token
	}
	taken(text(f.Range.Max))
	refused(text(f.Range.Max + 1))
	if f.Range.Min >= least {
		taken(text(f.Range.Min))
		refused(text(f.Range.Min - 1))
	}
}

// requestFor is a request with the parameter at a value, and with what it cannot be without.
func requestFor(o api.Operation, about api.Fact, value string) url.Values {
	form := url.Values{}
	if !o.Partial {
		for _, f := range o.Facts {
			if value := example(f); f.Required && value != "" {
				form.Set(f.Name, value)
			}
		}
	}
	if o.ID == "CreateVerificationCheck" {
		form.Set("To", "+34612345678")
		form.Set("Code", "483920")
	}
	switch about.Name {
	case "Amount", "Payee":
		form.Set("Amount", "39.99 EUR")
		form.Set("Payee", "Acme")
	case "config.relying_party.id", "config.relying_party.name", "config.relying_party.origins":
		form.Set("config.relying_party.id", "example.com")
		form.Set("config.relying_party.origins", "https://example.com")
	case "Channel":
		if value == "email" {
			form.Set("To", "jane@example.com")
		}
	case "VerificationSid":
		form.Del("To")
	case "Config.NotificationPlatform":
		form.Set("Config.NotificationToken", "token-of-a-handset") // another platform needs another one
	}
	if o.ID == "CreateNewFactor" && (about.Name == "FactorType" && value == "push" || ofPush.Has(about.Name)) {
		maps.Copy(form, ofPush)
	}
	form.Set(about.Name, value)
	return form
}

// try sends a request, in a world that is not used again if it changes something.
func (s *stage) try(t *testing.T, form url.Values, changes bool) (status int, body string) {
	t.Helper()
	payment := form.Has("Amount")
	send := func(w *world) {
		named, text := places.Replace(s.o.Path), w.encode(form)
		if s.o.JSON {
			text = w.object(s.o, form)
		}
		if s.o.ID == "UpdateFactor" && slices.ContainsFunc(slices.Collect(maps.Keys(form)), ofPush.Has) {
			named = strings.Replace(named, "$YF1", "$YF2", 1)
		}
		path := os.Expand(named, w.variable)
		if s.o.Method != http.MethodPost {
			path, text = path+"?"+text, ""
		}
		rec := w.do(s.o.Method, path, text)
		status, body = rec.Code, rec.Body.String()
	}
	if !changes && !payment {
		send(s.shared)
		return status, body
	}
	// A test with a name of its own, because the store has the name of its test.
	t.Run("", func(t *testing.T) { send(furnished(t, s.o, payment)) })
	return status, body
}

// encode writes a form in which values may have names of SIDs.
func (w *world) encode(form url.Values) string {
	named := url.Values{}
	for name, values := range form {
		named.Set(name, os.Expand(values[0], w.variable))
	}
	return named.Encode()
}

// object writes a form as the JSON object of the members that its names are the paths of.
func (w *world) object(o api.Operation, form url.Values) string {
	root := map[string]any{}
	for _, f := range o.Facts {
		if !form.Has(f.Name) {
			continue
		}
		into, parts := root, strings.Split(f.Name, ".")
		for _, part := range parts[:len(parts)-1] {
			if into[part] == nil {
				into[part] = map[string]any{}
			}
			into = into[part].(map[string]any)
		}
		var value any = os.Expand(form.Get(f.Name), w.variable)
		if _, list := f.Example.([]any); list {
			value = []any{value}
		}
		into[parts[len(parts)-1]] = value
	}
	text, err := json.Marshal(root)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// scenery is what has to be there for a path, as a conversation; a resource whose paths name something
// adds a row.
var scenery = []struct{ path, conversation string }{
	{"/RateLimits/{", "POST /v2/Services/$VA1/RateLimits UniqueName=theirs\n" +
		"POST /v2/Services/$VA1/RateLimits/theirs/Buckets Max=5 Interval=60"},
	{"{Country}", "POST /v2/Services/$VA1/MessagingConfigurations Country=FR MessagingServiceSid=MG00000000000000000000000000000000"},
	{"/Verifications/{", pendingVerification},
	{"/VerificationCheck", pendingVerification},
	{"{Identity}", "POST /v2/Services/$VA1/Entities/user-7f3a91c2/Factors FactorType=totp FriendlyName=theirs Binding.Secret=AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT\n" +
		"POST /v2/Services/$VA1/Entities/user-7f3a91c2/Factors/$YF1 AuthPayload=$TOTP"},
	{"/Webhooks/{", "POST /v2/Services/$VA1/Webhooks FriendlyName=theirs EventTypes=factor.created WebhookUrl=https://example.com/verify"},
	{"/Passkeys/", "POST /v2/Services/$VA1 Passkeys.RelyingParty.Id=example.test Passkeys.RelyingParty.Origins=https://example.test " +
		"Passkeys.AuthenticatorAttachment=any Passkeys.DiscoverableCredentials=preferred Passkeys.UserVerification=preferred"},
	{"/Passkeys/VerifyFactor", newPasskey},
	{"/Passkeys/Challenges", newPasskey},
	{"/Passkeys/ApproveChallenge", newPasskey + "\nPOST /v2/Services/$VA1/Passkeys/VerifyFactor $PROOF\nPOST /v2/Services/$VA1/Passkeys/Challenges {}"},
	{"/AccessTokens/{", "POST /v2/Services/$VA1/AccessTokens Identity=user-7f3a91c2 FactorType=push"},
	{"/Factors/{", pushFactor},
	{"/Notifications", pushFactor + "\nPOST /v2/Services/$VA1/Entities/user-7f3a91c2/Factors/$YF2 AuthPayload=$PROOF_YF2\n" +
		"POST /v2/Services/$VA1/Entities/user-7f3a91c2/Challenges FactorSid=$YF2 Details.Message=Log␣in?"},
	{"/Challenges/{Sid}", "POST /v2/Services/$VA1/Entities/user-7f3a91c2/Challenges FactorSid=$YF1"},
}

const newPasskey = `POST /v2/Services/$VA1/Passkeys/Factors {"friendly_name":"theirs","identity":"user-7f3a91c2"}`

const pendingVerification = "POST /v2/Services/$VA1/Verifications Channel=sms To=+34612345678 Amount=39.99␣EUR Payee=Acme"

const pushFactor = "POST /v2/Services/$VA1/Entities/user-7f3a91c2/Factors FriendlyName=theirs FactorType=push Binding.PublicKey=$KEY1" +
	" Config.AppId=com.acme.app Config.SdkVersion=1 Config.NotificationPlatform=fcm Config.NotificationToken=token-of-a-handset"

// places are the parts of paths, as they are called where the scenery stands.
var places = strings.NewReplacer(
	"/Services/{Sid}", "/Services/$VA1", "{ServiceSid}", "$VA1",
	"/Verifications/{Sid}", "/Verifications/+34612345678",
	"/RateLimits/{Sid}", "/RateLimits/theirs", "{RateLimitSid}", "theirs", "/Buckets/{Sid}", "/Buckets/$BL1",
	"{Country}", "FR", "{PhoneNumber}", "+34612345678",
	"{Identity}", "user-7f3a91c2", "/Factors/{Sid}", "/Factors/$YF1", "/Challenges/{Sid}", "/Challenges/$YC1",
	"/Webhooks/{Sid}", "/Webhooks/$YW1", "{ChallengeSid}", "$YC1", "/AccessTokens/{Sid}", "/AccessTokens/$YK1",
)

// ofPush is what a push factor cannot be made without.
var ofPush = url.Values{
	"FactorType": {"push"}, "Binding.Alg": {"ES256"}, "Binding.PublicKey": {"$KEY1"}, "Config.AppId": {"com.acme.app"},
	"Config.SdkVersion": {"1"}, "Config.NotificationPlatform": {"fcm"}, "Config.NotificationToken": {"token-of-a-handset"},
}

// standIns are values of parameters that no example can have.
var standIns = map[string]string{
	"MessagingServiceSid": "MG00000000000000000000000000000000",
	"FactorSid":           "$YF1",

	"id": "${PROOF.id}", "rawId": "${PROOF.rawId}",
	"response.clientDataJSON":    "${PROOF.response.clientDataJSON}",
	"response.attestationObject": "${PROOF.response.attestationObject}",
	"response.authenticatorData": "${PROOF.response.authenticatorData}",
	"response.signature":         "${PROOF.response.signature}",
	"response.userHandle":        "${PROOF.response.userHandle}",
}

// furnished is a world in which there is what the operation's path names. With payment, the service
// is one for payments.
func furnished(t *testing.T, o api.Operation, payment bool) *world {
	t.Helper()
	w := newWorld(t)
	w.play(fmt.Sprintf("POST /v2/Services FriendlyName=Acme CustomCodeEnabled=true Psd2Enabled=%t", payment))
	for _, s := range scenery {
		if strings.Contains(o.Path, s.path) {
			w.play(s.conversation)
		}
	}
	return w
}

// example is a value that an operation takes; "" for what is an object, which its members make.
func example(f api.Fact) string {
	if value, known := standIns[f.Name]; known {
		return value
	}
	if f.Example == nil {
		return ""
	}
	return sample(f)
}

// sample is a fact's example as it is sent: of a list one, because the parameter is repeated.
func sample(f api.Fact) string {
	if list, ok := f.Example.([]any); ok {
		return fmt.Sprint(list[0])
	}
	return fmt.Sprint(f.Example)
}
