package fcm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	fake "github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func mustSend(t *testing.T, when string, p *Provider) {
	t.Helper()
	if _, err := p.Send(t.Context(), providertest.Message("push", 1)); err != nil {
		t.Errorf("%s: %v", when, err)
	}
}

func wantGrants(t *testing.T, when string, f *far, want int) {
	t.Helper()
	if got := f.Grants(); got != want {
		t.Errorf("%s: %d access tokens were asked for, want %d", when, got, want)
	}
}

func TestManyMessagesWaitForOneToken(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() { mustSend(t, "one of many", p) })
	}
	all.Wait()
	wantGrants(t, "after 24 at once", f, 1)
}

func TestATokenIsReplacedFiveMinutesBeforeItsEnd(t *testing.T) {
	f := newFar(t, false)
	f.stand.At(epoch)
	p := f.provider(provider.Deps{})
	mustSend(t, "the first", p)
	f.stand.At(epoch.Add(3599*time.Second - 5*time.Minute - time.Second))
	mustSend(t, "a moment before", p)
	wantGrants(t, "a moment before", f, 1)
	f.stand.At(epoch.Add(3599*time.Second - 5*time.Minute))
	mustSend(t, "five minutes before the end", p)
	wantGrants(t, "five minutes before the end", f, 2)
	f.stand.At(epoch.Add(5 * time.Hour))
	mustSend(t, "long after the end", p)
	wantGrants(t, "long after the end", f, 3)
}

// A token endpoint that is down or slow for a while disturbs nobody, as long as the old token lives.
func TestTheOldTokenServesUntilItsEnd(t *testing.T) {
	f := newFar(t, false)
	f.stand.At(epoch)
	p := f.provider(provider.Deps{})
	mustSend(t, "the first", p)

	var asked atomic.Int32
	f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/token" {
			return false
		}
		asked.Add(1)
		http.Error(w, "down", http.StatusServiceUnavailable)
		return true
	})
	late := epoch.Add(3599*time.Second - 4*time.Minute)
	for _, c := range []struct {
		at   time.Time
		want int32
	}{{late, 1}, {late.Add(29 * time.Second), 1}, {late.Add(30 * time.Second), 2}} {
		f.stand.At(c.at)
		mustSend(t, "with Google down", p)
		if got := asked.Load(); got != c.want {
			t.Errorf("at %v it was asked for the %dth time, want %d", c.at, got, c.want)
		}
	}
	f.stand.At(epoch.Add(3599 * time.Second))
	_, err := p.Send(t.Context(), providertest.Message("push", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.Temporary || e.Code != "503" {
		t.Errorf("after the end: %v, want temporary 503", err)
	}

	f.stand.Instead(nil)
	f.stand.At(epoch.Add(2 * time.Hour))
	mustSend(t, "with Google up", p)
}

// While one asks for the next token, the others go on with the old one.
func TestNobodyWaitsForTheNextToken(t *testing.T) {
	f := newFar(t, false)
	f.stand.At(epoch)
	p := f.provider(provider.Deps{})
	mustSend(t, "the first", p)

	asked, answer := make(chan struct{}), make(chan struct{})
	f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			close(asked)
			<-answer
		}
		return false
	})
	f.stand.At(epoch.Add(3599*time.Second - time.Minute))
	var asking sync.WaitGroup
	asking.Go(func() { mustSend(t, "who asks", p) })
	<-asked
	mustSend(t, "who does not", p)
	close(answer)
	asking.Wait()
	wantGrants(t, "in the end", f, 2)
}

func TestWhoWaitsForATokenGivesUpInTime(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	asked, answer := make(chan struct{}), make(chan struct{})
	f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
		close(asked)
		<-answer
		f.stand.Instead(nil)
		return false
	})
	var asking sync.WaitGroup
	asking.Go(func() { mustSend(t, "who asks", p) })
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Send(ctx, providertest.Message("push", 2))
	if e := provider.AsError(err); !errors.Is(err, context.Canceled) || e.Class != provider.Temporary {
		t.Errorf("got %v, want temporary and cancelled", err)
	}
	close(answer)
	asking.Wait()
}

func TestATokenThatFirebaseNoLongerTakesIsReplacedOnce(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	mustSend(t, "the first", p)
	f.Revoke()
	mustSend(t, "after all tokens were revoked", p)
	wantGrants(t, "after all tokens were revoked", f, 2)

	never := fake.Refusal{HTTP: 401, Status: "UNAUTHENTICATED"}
	f.Fates.SetAll(fate.Fate[fake.Refusal]{Refuse: &never})
	_, err := p.Send(t.Context(), providertest.Message("push", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || e.Code != "401 UNAUTHENTICATED" {
		t.Errorf("a project that takes no token: %v, want bad_request 401", err)
	}
	wantGrants(t, "a project that takes no token", f, 3)

	f.Fates.SetAll(fate.Fate[fake.Refusal]{Refuse: &fake.ThirdPartyAuth})
	_, err = p.Send(t.Context(), providertest.Message("push", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || e.Code != "401 THIRD_PARTY_AUTH_ERROR" {
		t.Errorf("Apple's credentials are missing: %v, want bad_request 401", err)
	}
	wantGrants(t, "Apple's credentials are missing", f, 3)
}

// Nothing that happens at the token endpoint can have sent the message.
func TestAnswersOfTheTokenEndpoint(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	for _, c := range []struct {
		status int
		body   string
		class  provider.Class
		says   string
	}{
		{400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`, provider.BadRequest, "400 invalid_grant: access token: Invalid JWT Signature."},
		{401, `{"error":"invalid_client"}`, provider.BadRequest, "401 invalid_client"},
		{403, `<html>`, provider.BadRequest, "403: access token: HTTP 403 Forbidden"},
		{404, ``, provider.BadRequest, "404"},
		{429, `{}`, provider.Throttled, "429"},
		{500, `{"error":"internal_failure"}`, provider.Temporary, "500 internal_failure"},
		{502, ``, provider.Temporary, "502"},
		{503, ``, provider.Temporary, "503"},
		{200, ``, provider.Temporary, "without a token"},
		{200, `{"access_token":"x"}`, provider.Temporary, "without a token"},
		{200, `{"access_token":"a\nb","expires_in":3599}`, provider.Temporary, "without a token"},
		{200, `{"access_token":["x"],"expires_in":3599}`, provider.Temporary, "without a token"},
	} {
		f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
			return true
		})
		_, err := p.Send(t.Context(), providertest.Message("push", 1))
		if e := provider.AsError(err); err == nil || e.Class != c.class || !strings.Contains(e.Error(), c.says) {
			t.Errorf("%d %s: got %v, want %v with %q", c.status, c.body, err, c.class, c.says)
		}
	}
	f.stand.Instead(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
	_, err := p.Send(t.Context(), providertest.Message("push", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.Temporary || !strings.Contains(e.Detail, "access token: Google did not answer") {
		t.Errorf("no answer: got %v, want temporary", err)
	}
}

// An endpoint that is careless with what it was sent must not make us so.
func TestTheAssertionIsNotRepeated(t *testing.T) {
	f := newFar(t, false)
	p := f.provider(provider.Deps{})
	var assertion string
	f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
		assertion = r.PostFormValue("assertion")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"`+assertion+`","error_description":"`+assertion+`"}`)
		return true
	})
	_, err := p.Send(t.Context(), providertest.Message("push", 1))
	if err == nil || assertion == "" || strings.Contains(err.Error(), assertion[:20]) {
		t.Errorf("the assertion was %q, the error is %v", assertion, err)
	}
}
