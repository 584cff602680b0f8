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

const ana = "+34612345678"

// post calls the API as a program in production does.
func post(t testing.TB, srv *verifytest.Server, host, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+host+"/v2/Services/"+srv.ServiceSID+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(srv.AccountSID, srv.AuthToken)
	answer, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body
}

func start(t testing.TB, srv *verifytest.Server, to string) map[string]any {
	t.Helper()
	status, body := post(t, srv, "verify.twilio.com", "/Verifications", url.Values{"To": {to}, "Channel": {"sms"}})
	if status != 201 {
		t.Fatalf("start for %s: %d %v", to, status, body)
	}
	return body
}

func check(t testing.TB, srv *verifytest.Server, to, code string) string {
	t.Helper()
	status, body := post(t, srv, "verify.sydney.au1.twilio.com", "/VerificationCheck", url.Values{"To": {to}, "Code": {code}})
	return fmt.Sprint(status, " ", body["status"])
}

func TestASignIn(t *testing.T) {
	srv := verifytest.Start(t)
	start(t, srv, ana)
	if got := check(t, srv, ana, srv.Code(t, ana)); got != "200 approved" {
		t.Errorf("the check says %s", got)
	}
	start(t, srv, ana) // again, and it is the new code that counts
	if got := check(t, srv, ana, srv.Code(t, ana)); got != "200 approved" {
		t.Errorf("the second time the check says %s", got)
	}
}

func TestACodeExpires(t *testing.T) {
	srv := verifytest.Start(t)
	srv.Freeze()
	before := srv.Now()
	start(t, srv, ana)
	code := srv.Code(t, ana)
	srv.Advance(time.Minute)
	srv.Next() // the end of the code
	if got := srv.Now().Sub(before); got.Round(time.Second) != 10*time.Minute {
		t.Errorf("the code lived for %v", got)
	}
	if got := check(t, srv, ana, code); !strings.HasPrefix(got, "404 ") {
		t.Errorf("after its end the check says %s", got)
	}
	srv.Resume()
	if got := check(t, srv, ana, code); !strings.HasPrefix(got, "404 ") {
		t.Errorf("when time runs on the check says %s", got)
	}
}

func TestTestsDoNotSeeEachOther(t *testing.T) {
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			srv := verifytest.Start(t)
			var users sync.WaitGroup
			for n := range 20 {
				to := fmt.Sprintf("+346123456%02d", n)
				users.Go(func() {
					start(t, srv, to)
					if got := check(t, srv, to, srv.Code(t, to)); got != "200 approved" {
						t.Errorf("%s: %s", to, got)
					}
				})
			}
			users.Wait()
		})
	}
}

func TestASeedRepeats(t *testing.T) {
	said := func(seed uint64) string {
		srv := verifytest.Start(t, verifytest.Seed(seed))
		v := start(t, srv, ana)
		return fmt.Sprint(srv.AccountSID, srv.AuthToken, srv.ServiceSID, v["sid"], v["date_created"], srv.Code(t, ana))
	}
	if one, again, other := said(1), said(1), said(2); one != again || one == other {
		t.Errorf("seed 1: %s\nagain:  %s\nseed 2: %s", one, again, other)
	}
}

// More is minted while time stands still than twelve random bits can tell apart.
func TestThousandsAtTheSameTime(t *testing.T) {
	srv := verifytest.Start(t, verifytest.Seed(3))
	seen := map[any]bool{}
	for n := range 2000 {
		v := start(t, srv, fmt.Sprintf("+3461234%04d", n))
		seen[v["sid"]] = true
	}
	if len(seen) != 2000 {
		t.Errorf("%d SIDs of 2000 verifications", len(seen))
	}
}

func TestAfterAResetItIsAsAtTheStart(t *testing.T) {
	srv := verifytest.Start(t)
	srv.SetRules(verifytest.Rule{To: "*", Code: "4711"})
	old := start(t, srv, ana)
	post(t, srv, "verify.twilio.com", "/RateLimits", url.Values{"UniqueName": {"ip"}})
	post(t, srv, "verify.twilio.com", "/Entities/user-7f3a91c2/Factors", url.Values{"FactorType": {"totp"}, "FriendlyName": {"Ann"}})
	srv.Code(t, ana)
	for range 2 {
		srv.Reset()
	}
	if got := check(t, srv, ana, "4711"); !strings.HasPrefix(got, "404 ") {
		t.Errorf("a code from before: %s", got)
	}
	if status, body := post(t, srv, "verify.twilio.com", "/RateLimits", url.Values{"UniqueName": {"ip"}}); status != 201 {
		t.Errorf("the rate limit is still there: %d %v", status, body)
	}
	again := start(t, srv, ana)
	if code := srv.Code(t, ana); code == "4711" || len(code) != 6 || again["sid"] == old["sid"] {
		t.Errorf("a start after it: %v with the code %s", again["sid"], code)
	}
	if got := check(t, srv, ana, srv.Code(t, ana)); got != "200 approved" {
		t.Errorf("a check after it: %s", got)
	}
}

func TestLimitsAreAChoice(t *testing.T) {
	for _, limited := range []bool{false, true} {
		var options []verifytest.Option
		if limited {
			options = append(options, verifytest.Limits())
		}
		srv := verifytest.Start(t, options...)
		refused := false
		for range 10 { // in a second
			status, _ := post(t, srv, "verify.twilio.com", "/Verifications", url.Values{"To": {ana}, "Channel": {"sms"}})
			refused = refused || status == 429
			if status == 201 {
				post(t, srv, "verify.twilio.com", "/Verifications/"+ana, url.Values{"Status": {"canceled"}})
			}
		}
		if refused != limited {
			t.Errorf("limits %v: refused %v", limited, refused)
		}
	}
}

func TestOtherHostsAreReachedAsTheyAre(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "other") }))
	defer other.Close()
	answer, err := verifytest.Start(t).Client().Get(other.URL)
	if err != nil || answer.StatusCode != 200 || answer.ContentLength != 5 {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestClosedItIsGone(t *testing.T) {
	srv, err := verifytest.New()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := http.Get(srv.URL); err == nil {
		t.Error("it answers")
	}
	defer func() {
		if recover() == nil {
			t.Error("a clock that is gone was moved")
		}
	}()
	srv.Freeze()
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		srv, err := verifytest.New()
		if err != nil {
			b.Fatal(err)
		}
		if err := srv.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
