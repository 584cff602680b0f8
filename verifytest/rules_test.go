package verifytest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/verifytest"
)

// A carrier that is too fast for us is tried again by the clock, and a landline gets no text.
func TestRulesByNumber(t *testing.T) {
	srv := verifytest.Start(t)
	srv.Freeze()
	srv.SetRules(
		verifytest.Rule{To: "+346111*", Carrier: "throttles"}, verifytest.Rule{To: "+346222*", Code: "0042"},
		verifytest.Rule{To: "+346333*", Carrier: "loses"}, verifytest.Rule{To: "+346444*", Line: "landline"})
	begun := srv.Now()
	start(t, srv, "+34611112222")
	srv.Next()
	srv.Next() // the third try
	if got := check(t, srv, "+34611112222", srv.Code(t, "+34611112222")); got != "200 approved" || srv.Now().Sub(begun).Round(time.Second) != 3*time.Second {
		t.Errorf("throttled: %s after %v", got, srv.Now().Sub(begun))
	}
	start(t, srv, "+34622222222")
	if got := check(t, srv, "+34622222222", "0042"); got != "200 approved" {
		t.Errorf("with the code of the rule: %s", got)
	}
	start(t, srv, "+34633333333")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	srv.Advance(time.Minute)
	if code, err := srv.WaitForCode(ctx, "+34633333333"); err == nil {
		t.Errorf("a lost message has the code %s", code)
	}
	post(t, srv, "verify.twilio.com", "", url.Values{"LookupEnabled": {"true"}, "SkipSmsToLandlines": {"true"}})
	status, body := post(t, srv, "verify.twilio.com", "/Verifications", url.Values{"To": {"+34644444444"}, "Channel": {"sms"}})
	if status != 403 || fmt.Sprint(body["code"]) != "60205" {
		t.Errorf("to a landline: %d %v", status, body)
	}
}

// get reads something of the server's, with the account's credentials.
func get(t testing.TB, srv *verifytest.Server, path string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(srv.AccountSID, srv.AuthToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil || answer.StatusCode != 200 {
		t.Fatalf("GET %s: %s, %v", path, answer.Status, err)
	}
}

// message is a part of one in the inbox.
type message struct {
	SID, To, Code   string
	AttemptSID      string `json:"attempt_sid"`
	VerificationSID string `json:"verification_sid"`
	Rules           json.RawMessage
}

func inbox(t testing.TB, srv *verifytest.Server, query string) []message {
	t.Helper()
	var answer struct{ Messages []message }
	get(t, srv, "/dev/inbox?"+query, &answer)
	return answer.Messages
}

func stateOf(t testing.TB, srv *verifytest.Server, attempt string) string {
	t.Helper()
	var story struct{ State string }
	get(t, srv, "/v2/Verifyd/Attempts/"+attempt, &story)
	return story.State
}

// What a carrier reports, and when, is written by the clock.
func TestReportsByNumber(t *testing.T) {
	srv := verifytest.Start(t)
	srv.Freeze()
	srv.SetRules(
		verifytest.Rule{To: "+346111*", Report: "late", After: "5m"}, verifytest.Rule{To: "+346222*", Report: "failed"},
		verifytest.Rule{To: "+346333*", Report: "twice"}, verifytest.Rule{To: "+346444*", Report: "never"})
	for _, c := range []struct {
		to    string
		after time.Duration // the report comes then
		want  string
	}{
		{"+34611112222", 5 * time.Minute, "delivered"}, {"+34622222222", time.Second, "undelivered"},
		{"+34633333333", time.Second, "delivered"}, {"+34644444444", time.Minute, "sent"},
	} {
		start(t, srv, c.to)
		srv.Code(t, c.to)
		attempt := inbox(t, srv, "to="+url.QueryEscape(c.to))[0].AttemptSID
		srv.Advance(c.after - 500*time.Millisecond)
		if got := stateOf(t, srv, attempt); got != "sent" {
			t.Errorf("%s: %s before its report", c.to, got)
		}
		srv.Advance(time.Second)
		if got := stateOf(t, srv, attempt); got != c.want {
			t.Errorf("%s: %s after %v, want %s", c.to, got, c.after, c.want)
		}
	}
}

// A report that the text did not arrive sends the code on by the next channel.
func TestAFailedReportFallsBack(t *testing.T) {
	srv := verifytest.Start(t)
	srv.Freeze()
	post(t, srv, "verify.twilio.com", "", url.Values{"Verifyd.Fallback": {"sms,call"}})
	srv.SetRules(verifytest.Rule{To: "*", Channel: "sms", Report: "failed"})
	start(t, srv, ana)
	code := srv.Code(t, ana)
	srv.Next()
	messages := inbox(t, srv, "to="+url.QueryEscape(ana)+"&channel=call")
	if len(messages) != 1 || messages[0].Code != code {
		t.Errorf("by call: %v, want the code %s", messages, code)
	}
}

// A start to a number that a rule blocks is refused as Twilio's geo permissions do, and the inbox says beside
// every other message what rules decided about it.
func TestABlockedCountryAndTheRulesOfAMessage(t *testing.T) {
	srv := verifytest.Start(t)
	srv.SetRules(verifytest.Rule{To: "+33*", Country: "blocked"}, verifytest.Rule{To: "+34*", Code: "4711"}, verifytest.Rule{To: "+34612*", Carrier: "twice"})
	status, body := post(t, srv, "verify.twilio.com", "/Verifications", url.Values{"To": {"+33612345678"}, "Channel": {"sms"}})
	if status != 403 || fmt.Sprint(body["code"]) != "60605" || !strings.Contains(fmt.Sprint(body["message"]), "FR is blocked for sms channel") {
		t.Errorf("to a blocked country: %d %v", status, body)
	}
	start(t, srv, ana)
	srv.Code(t, ana)
	for _, m := range inbox(t, srv, "") {
		if got := string(m.Rules); got != `[{"to":"+34*","code":"4711"},{"to":"+34612*","carrier":"twice"}]` {
			t.Errorf("by the rules %s", got)
		}
	}
}

// call calls what only dev has.
func call(t testing.TB, srv *verifytest.Server, method, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
