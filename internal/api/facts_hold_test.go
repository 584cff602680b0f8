package api_test

import (
	"fmt"
	"net/http"
	"net/url"
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
		if status, body := s.try(t, form, false); status != 400 || !strings.Contains(body, f.Name) {
			t.Errorf("without it: %d %s", status, body)
		}
	}
	if f.Example != nil && f.Name != "Templates" { // there is no such template
		taken(fmt.Sprint(f.Example))
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

// noFactor is what requestFor says where a factor has to be named.
var noFactor = "YF" + strings.Repeat("0", 32)

// requestFor is a request with the parameter at a value, and with what it cannot be without.
func requestFor(o api.Operation, about api.Fact, value string) url.Values {
	form := url.Values{}
	if !o.Partial {
		for _, f := range o.Facts {
			if f.Required {
				form.Set(f.Name, fmt.Sprint(f.Example))
				if f.SID != "" {
					form.Set(f.Name, f.SID+strings.Repeat("0", 32))
				}
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
	case "Channel":
		if value == "email" {
			form.Set("To", "jane@example.com")
		}
	case "VerificationSid":
		form.Del("To")
	}
	form.Set(about.Name, value)
	return form
}

// try sends a request, in a world that is not used again if it changes something.
func (s *stage) try(t *testing.T, form url.Values, changes bool) (status int, body string) {
	t.Helper()
	payment := form.Has("Amount")
	send := func(w *world) {
		if form.Get("FactorSid") == noFactor { // there is one
			form.Set("FactorSid", w.names["YF1"])
		}
		path, text := w.place(s.o.Path), form.Encode()
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

// furnished is a world in which there is what the paths of place name.
func furnished(t *testing.T, o api.Operation, payment bool) *world {
	t.Helper()
	w := newWorld(t)
	settings, details := "CustomCodeEnabled=true", ""
	if payment {
		settings, details = settings+" Psd2Enabled=true", " Amount=39.99␣EUR Payee=Acme"
	}
	w.play("POST /v2/Services FriendlyName=Acme " + settings)
	if strings.Contains(o.Path, "/RateLimits/{") {
		w.play("POST /v2/Services/$VA1/RateLimits UniqueName=theirs\n" +
			"POST /v2/Services/$VA1/RateLimits/theirs/Buckets Max=5 Interval=60")
	}
	if strings.Contains(o.Path, "{Country}") {
		w.play("POST /v2/Services/$VA1/MessagingConfigurations Country=FR MessagingServiceSid=MG" + strings.Repeat("0", 32))
	}
	if strings.Contains(o.Path, "/Verification") && !strings.HasSuffix(o.Path, "/Verifications") {
		w.play("POST /v2/Services/$VA1/Verifications Channel=sms To=+34612345678" + details)
	}
	if o.ID == "ListFactor" {
		w.play("POST /v2/Services/$VA1/Entities Identity=user-7f3a91c2")
	}
	if strings.Contains(o.Path, "/Factors/{") || strings.Contains(o.Path, "/Challenges") {
		w.play("POST /v2/Services/$VA1/Entities/user-7f3a91c2/Factors FactorType=totp FriendlyName=Ann Binding.Secret=AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT\n" +
			"POST /v2/Services/$VA1/Entities/user-7f3a91c2/Factors/$YF1 AuthPayload=$TOTP")
	}
	if strings.Contains(o.Path, "/Challenges/{") {
		w.play("POST /v2/Services/$VA1/Entities/user-7f3a91c2/Challenges FactorSid=$YF1")
	}
	return w
}

// place is a path of this world.
func (w *world) place(path string) string {
	return strings.NewReplacer(
		"/Services/{Sid}", "/Services/"+w.names["VA1"], "{ServiceSid}", w.names["VA1"],
		"/Verifications/{Sid}", "/Verifications/+34612345678",
		"/RateLimits/{Sid}", "/RateLimits/theirs", "{RateLimitSid}", "theirs", "/Buckets/{Sid}", "/Buckets/"+w.names["BL1"],
		"{Identity}", "user-7f3a91c2", "/Factors/{Sid}", "/Factors/"+w.names["YF1"], "/Challenges/{Sid}", "/Challenges/"+w.names["YC1"],
		"{Country}", "FR", "{PhoneNumber}", "+34612345678",
	).Replace(path)
}
