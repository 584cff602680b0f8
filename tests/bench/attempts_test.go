package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// What is filled in must be what a month of starts would have left: rows and counters that agree,
// from the first moment that the API sees to now.
func TestFilledAttemptsAreSpreadAndCounted(t *testing.T) {
	const n = 3000
	folder, now := t.TempDir(), time.Now()
	if err := fillAttempts(t.Context(), folder, n, now, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all := verify.AttemptFilter{AccountSID: accountSID, From: sid.KeyAt(now.Add(-attemptsSpan)), Before: sid.KeyAt(now)}
	country, calls, rare := all, all, all
	country.Country, calls.Channel, rare.Country = someCountry, verify.Call, rareCountry
	for _, c := range []struct {
		what        string
		filter      verify.AttemptFilter
		least, most int
	}{
		{"all", all, n, n},
		{"of one country", country, n / 12, n / 8},
		{"calls", calls, n / 6, n / 4},
		{"of the rare country", rare, 1, 1},
	} {
		if err := s.View(t.Context(), func(tx verify.Tx) error {
			rows, err := tx.CountAttempts(c.filter)
			counted, countErr := tx.SumCounts(c.filter, verify.Days, 0, sid.HourOfKey(all.Before)/24+1)
			if rows.Made < c.least || rows.Made > c.most || rows != counted {
				t.Errorf("%s: got %+v, counted %+v; want the same, from %d to %d", c.what, rows, counted, c.least, c.most)
			}
			return errors.Join(err, countErr)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for day := range 30 {
		part := all
		part.Before = sid.KeyAt(now.AddDate(0, 0, -day))
		part.From = sid.KeyAt(now.AddDate(0, 0, -day-1))
		if err := s.View(t.Context(), func(tx verify.Tx) error {
			got, err := tx.CountAttempts(part)
			if got.Made < n/30-1 || got.Made > n/30+1 {
				t.Errorf("%d days ago: got %d, want %d", day, got.Made, n/30)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// fakeAttempts answers as the API does: with two attempts on every page, and one in the sum.
func fakeAttempts(w http.ResponseWriter, r *http.Request) {
	switch query := r.URL.Query(); {
	case r.URL.Path == "/v2/Attempts/Summary":
		fmt.Fprint(w, `{"total_attempts":1}`)
	case r.URL.Path != "/v2/Attempts" || query.Get("PageSize") != "50":
		http.NotFound(w, r)
	case query.Get("Country") == rareCountry:
		fmt.Fprint(w, `{"attempts":[],"meta":{"next_page_url":null}}`)
	case query.Has("DateCreatedBefore"):
		query.Set("PageToken", "PA7")
		fmt.Fprintf(w, `{"attempts":[{},{}],"meta":{"next_page_url":"http://host/v2/Attempts?%s"}}`, query.Encode())
	case query.Get("PageToken") != "" && query.Get("PageToken") != "PA7":
		http.NotFound(w, r)
	default:
		fmt.Fprint(w, `{"attempts":[{},{}],"meta":{"next_page_url":null}}`)
	}
}

func askFake(ctx context.Context, t *testing.T, handler http.HandlerFunc) ([]timing, error) {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := &child{name: "fake", address: strings.TrimPrefix(server.URL, "http://")}
	return c.askForAttempts(ctx, time.Now())
}

func TestEveryQuestionIsAskedInTurns(t *testing.T) {
	var deep, before int
	asked, err := askFake(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
		if query := r.URL.Query(); query.Has("DateCreatedBefore") {
			before++
		} else if query.Has("PageToken") {
			deep++
		}
		fakeAttempts(w, r)
	})
	if err != nil {
		t.Fatal(err)
	}
	// The filter by time is there to find the place; the page itself is that of the whole list.
	if before != 1 || deep != asks+1 {
		t.Errorf("%d requests before a time and %d with a token, want 1 and %d", before, deep, asks+1)
	}
	found := map[string]int{"a rare country": 0, "summary of a month": 1}
	for _, q := range asked {
		want, special := found[q.what]
		if !special {
			want = 2
		}
		if q.found != want || len(q.ms) != asks {
			t.Errorf("%s: found %d with %d times, want %d with %d", q.what, q.found, len(q.ms), want, asks)
		}
		if q.summary != strings.HasPrefix(q.what, "summary") {
			t.Errorf("%s: summary is %v", q.what, q.summary)
		}
	}
}

func TestAnswersThatAreNoneEndTheQuestions(t *testing.T) {
	for what, handler := range map[string]http.HandlerFunc{
		"a refusal": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"no JSON":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "later") },
		"no next page": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"attempts":[],"meta":{"next_page_url":null}}`)
		},
	} {
		if asked, err := askFake(t.Context(), t, handler); err == nil {
			t.Errorf("%s: got %v, want an error", what, asked)
		}
	}
}
