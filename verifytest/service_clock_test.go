package verifytest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/verifytest"
)

const other = "VA6c1d0e8f7a6b49325c1d0e8f7a6b4932"

// twoServices is a world with two of the same kind.
func twoServices(t *testing.T, options ...verifytest.Option) *verifytest.Server {
	t.Helper()
	second := strings.NewReplacer(acme, other, "Acme", "Other").Replace(smallWorld[:strings.Index(smallWorld, "[[rule]]")])
	return verifytest.Start(t, append(options, verifytest.World(writeWorld(t, smallWorld+second)))...)
}

// in is the server, with another service for the calls of a test.
func in(srv *verifytest.Server, service string) *verifytest.Server {
	return &verifytest.Server{URL: srv.URL, AccountSID: srv.AccountSID, AuthToken: srv.AuthToken, ServiceSID: service}
}

// timeOf is what the clock of a service shows.
func timeOf(t *testing.T, srv *verifytest.Server, service string) (now time.Time, next *time.Time) {
	t.Helper()
	_, body := call(t, srv, "GET", "/dev/clock?service="+service)
	var shows struct {
		Now  time.Time
		Next *time.Time
	}
	if err := json.Unmarshal([]byte(body), &shows); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return shows.Now, shows.Next
}

func TestOneServiceMovesOn(t *testing.T) {
	for _, frozen := range []bool{true, false} {
		t.Run(fmt.Sprint("frozen ", frozen), func(t *testing.T) {
			srv := twoServices(t)
			if frozen {
				srv.Freeze()
			}
			mine, others := in(srv, acme), in(srv, other)
			limited := func(srv *verifytest.Server) int {
				status, _ := post(t, srv, "verify.twilio.com", "/Verifications", url.Values{"To": {"+34612345600"}, "Channel": {"sms"}, "RateLimits": {`{"ip":"192.0.2.1"}`}})
				return status
			}
			codes := map[string]string{} // by service
			for _, s := range []*verifytest.Server{mine, others} {
				v := start(t, s, ana)
				srv.Code(t, ana)
				for _, m := range inbox(t, srv, "to="+url.QueryEscape(ana)) {
					if m.VerificationSID == v["sid"] {
						codes[s.ServiceSID] = m.Code
					}
				}
				if got := fmt.Sprint(limited(s), limited(s)); got != "201 429" {
					t.Errorf("two starts of a limit of one: %s", got)
				}
			}
			before := srv.Now()
			srv.AdvanceService(acme, 9*time.Minute)
			if got := fmt.Sprint(limited(mine), limited(mine), limited(others)); got != "201 429 429" {
				t.Errorf("limits nine minutes later: %s", got)
			}
			srv.AdvanceService(acme, 2*time.Minute)
			late := start(t, mine, "+34622222222") // by the service's time
			created, err := time.Parse(time.RFC3339, fmt.Sprint(late["date_created"]))
			if err != nil || created.Sub(before).Round(time.Minute) != 11*time.Minute {
				t.Errorf("it was made %v after the others, %v", created.Sub(before), err)
			}
			if now, _ := timeOf(t, srv, acme); now.Sub(srv.Now()).Round(time.Second) != 11*time.Minute {
				t.Errorf("the service is %v ahead", now.Sub(srv.Now()))
			}
			if now, _ := timeOf(t, srv, other); now.Sub(srv.Now()).Round(time.Second) != 0 {
				t.Errorf("the other service is %v ahead", now.Sub(srv.Now()))
			}
			for _, c := range []struct {
				srv  *verifytest.Server
				want string
			}{{mine, "404"}, {others, "200 approved"}} {
				if got := check(t, c.srv, ana, codes[c.srv.ServiceSID]); !strings.HasPrefix(got, c.want) {
					t.Errorf("in %s the check says %s, want %s", c.srv.ServiceSID, got, c.want)
				}
			}
			if got := check(t, mine, "+34622222222", srv.Code(t, "+34622222222")); got != "200 approved" {
				t.Errorf("a code that is new by the service's time: %s", got)
			}
		})
	}
}

// serviceOf reports whether a service has a verification.
func serviceOf(t *testing.T, srv *verifytest.Server, verification string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/v2/Services/"+srv.ServiceSID+"/Verifications/"+verification, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(srv.AccountSID, srv.AuthToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode == 200
}

// Retries of messages and webhooks, and reports, come at their time by the service's clock, in their order; those
// of another service do not.
func TestWorkOfOneServiceComesDue(t *testing.T) {
	srv := twoServices(t, verifytest.Seed(5))
	var mu sync.Mutex
	var calls []string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, r.FormValue("service_sid"))
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer hook.Close()
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(calls)
	}
	srv.SetRules(verifytest.Rule{To: "+34612*", Carrier: "late", After: "2m"}, verifytest.Rule{To: "+34613*", Report: "late", After: "3m"})
	for _, s := range []*verifytest.Server{in(srv, acme), in(srv, other)} {
		post(t, s, "verify.twilio.com", "/Webhooks", url.Values{"FriendlyName": {"ours"}, "EventTypes": {"factor.created"}, "WebhookUrl": {hook.URL}})
		start(t, s, ana)
		start(t, s, "+34613000000")
		post(t, s, "verify.twilio.com", "/Entities/user-7f3a91c2/Factors", url.Values{"FactorType": {"totp"}, "FriendlyName": {"Ann"}})
	}
	srv.Advance(0) // what is due has been done
	if got := count(); got != 2 {
		t.Fatalf("%d webhooks were called", got)
	}
	sent := inbox(t, srv, "")
	if len(sent) != 2 {
		t.Fatalf("%d messages", len(sent))
	}
	var reported message // that of the service
	for _, m := range sent {
		if serviceOf(t, in(srv, acme), m.VerificationSID) {
			reported = m
		}
	}

	begun, _ := timeOf(t, srv, acme)
	seen := ""
	for range 4 { // two tries of the webhook, the message, the report
		calls, messages, state := count(), len(inbox(t, srv, "")), stateOf(t, srv, reported.AttemptSID)
		srv.NextOfService(acme)
		now, _ := timeOf(t, srv, acme)
		seen += now.Sub(begun).Round(time.Second).String()
		if count() != calls {
			seen += " webhook"
		}
		if len(inbox(t, srv, "")) != messages {
			seen += " message"
		}
		if stateOf(t, srv, reported.AttemptSID) != state {
			seen += " report"
		}
		seen += "\n"
	}
	if want := "5s webhook\n35s webhook\n2m0s message\n2m35s webhook\n"; seen != want {
		t.Errorf("it went\n%swant\n%s", seen, want)
	}
	srv.AdvanceService(acme, 26*time.Second)
	if got := stateOf(t, srv, reported.AttemptSID); got != "delivered" {
		t.Errorf("three minutes later the message is %s", got)
	}
	if got := fmt.Sprint(len(inbox(t, srv, "")), " ", srv.Now().Format(time.RFC3339)); got != "3 2026-01-01T12:00:00Z" {
		t.Errorf("messages, and the server's time: %s", got)
	}
	if _, next := timeOf(t, srv, other); next == nil || next.Sub(srv.Now()).Round(time.Second) != 5*time.Second {
		t.Errorf("next in the other service: %v", next)
	}
	srv.Advance(5 * time.Second) // of all
	if got := count(); got != 6 {
		t.Errorf("%d calls of webhooks after five seconds of all, want 6", got)
	}
	// The attempts of a service that is ahead are listed with the others.
	start(t, in(srv, acme), "+34644444444")
	var list struct{ Attempts []struct{ SID string } }
	get(t, srv, "/v2/Attempts", &list)
	if len(list.Attempts) != 5 {
		t.Errorf("%d attempts are listed, want 5", len(list.Attempts))
	}
}

func TestAServiceIsAheadUntilAReset(t *testing.T) {
	srv := twoServices(t, verifytest.Seed(6))
	srv.AdvanceService(acme, time.Hour)
	snapshot := srv.Snapshot()
	srv.AdvanceService(acme, time.Hour)
	ahead := func() time.Duration {
		now, _ := timeOf(t, srv, acme)
		return now.Sub(srv.Now())
	}
	srv.Restore(snapshot)
	if got := ahead(); got != time.Hour {
		t.Errorf("after the restore it is %v ahead", got)
	}
	srv.Reset()
	if got := ahead(); got != 0 {
		t.Errorf("after the reset it is %v ahead", got)
	}
	srv.Restore(snapshot)
	if got := ahead(); got != time.Hour {
		t.Errorf("after another restore it is %v ahead", got)
	}
	start(t, in(srv, acme), ana)
	if got := check(t, in(srv, acme), ana, srv.Code(t, ana)); got != "200 approved" {
		t.Errorf("a check says %s", got)
	}
	for path, want := range map[string]string{
		"?service=" + acme + "&freeze=true":          "400 ",
		"?service=" + acme + "&resume=true":          "400 ",
		"?service=" + acme + "&advance=-1s":          "400 ",
		"?service=" + acme + "&advance=1s&next=true": "400 ",
		"?service=VA0&advance=1s":                    "404 ",
	} {
		status, body := call(t, srv, "POST", "/dev/clock"+path)
		if got := fmt.Sprint(status, " ", body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	_, body := call(t, srv, "GET", "/dev/clock/services")
	want := `{"services":[{"sid":"` + acme + `","friendly_name":"Acme","now":"2026-01-01T13:00:00Z"},{"sid":"` + other + `","friendly_name":"Other","now":"2026-01-01T12:00:00Z"}]}`
	if strings.TrimSpace(body) != want {
		t.Errorf("services %s, want %s", body, want)
	}
}

// A handset signs by the time of its service, and comes back with a snapshot.
func TestAHandsetOfAServiceThatIsAhead(t *testing.T) {
	srv := twoServices(t, verifytest.Seed(8))
	srv.AdvanceService(acme, 24*time.Hour)
	registered, err := http.PostForm(srv.URL+"/dev/inbox/handsets", url.Values{"service": {acme}, "identity": {"user-7f3a91c2"}, "platform": {"fcm"}})
	if err != nil {
		t.Fatal(err)
	}
	defer registered.Body.Close()
	var set struct {
		SID string `json:"factor_sid"`
	}
	if err := json.NewDecoder(registered.Body).Decode(&set); err != nil || registered.StatusCode != 201 {
		t.Fatalf("registering: %s, %v", registered.Status, err)
	}
	snapshot := srv.Snapshot()
	for range 2 {
		_, c := post(t, in(srv, acme), "verify.twilio.com", "/Entities/user-7f3a91c2/Challenges", url.Values{
			"FactorSid": {set.SID}, "Details.Message": {"Sign in?"},
		})
		answered, err := http.PostForm(fmt.Sprint(srv.URL, "/dev/inbox/handsets/", set.SID, "/challenges/", c["sid"]), url.Values{"answer": {"approve"}})
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Status string }
		if err := json.NewDecoder(answered.Body).Decode(&got); err != nil || got.Status != "approved" {
			t.Errorf("the answer to %v: %s, %v, %v", c, answered.Status, got, err)
		}
		answered.Body.Close()
		if status, body := call(t, srv, "DELETE", "/dev/inbox/handsets/"+set.SID); status != 204 {
			t.Fatalf("removing it: %d %s", status, body)
		}
		srv.Restore(snapshot)
	}
}
