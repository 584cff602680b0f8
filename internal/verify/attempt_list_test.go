package verify_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// addAttempts makes attempts and counts them, as starts do, in one commit.
func (w *world) addAttempts(attempts []*verify.Attempt) {
	w.t.Helper()
	err := w.store.Update(w.t.Context(), func(tx verify.Tx) error {
		for _, a := range attempts {
			tx.AddAttempt(a)
			n := verify.AttemptCount{Made: 1}
			if a.Converted {
				n.Converted = 1
			}
			tx.Count(verify.Tally{AttemptSID: a.SID, AccountSID: a.AccountSID, ServiceSID: a.ServiceSID,
				Channel: a.Channel, Country: a.Country, To: a.To, AttemptCount: n})
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// attemptAt is an attempt at a time; n tells those of the same time apart.
func (w *world) attemptAt(at time.Time, n int) *verify.Attempt {
	return &verify.Attempt{
		SID: fmt.Sprintf("VL%016x%016x", sid.KeyAt(at)+int64(n&0xfff), n), VerificationSID: fmt.Sprintf("VE%032x", n),
		ServiceSID: w.service, AccountSID: w.account, Channel: verify.SMS, To: ana, Country: "ES",
		CreatedAt: at, UpdatedAt: at, ExpiresAt: at.Add(10 * time.Minute), State: verify.AttemptSent,
	}
}

// scattered are attempts over ten days of all kinds, in the order in which they were made.
func (w *world) scattered(random *rand.Rand, n int) []*verify.Attempt {
	prefixes := map[string][]string{"ES": {"+3461", "+3462"}, "FR": {"+3361"}, "US": {"+1212", "+1415"}}
	var attempts []*verify.Attempt
	at := start.Add(-10 * 24 * time.Hour)
	for i := range n {
		at = at.Add(time.Duration(random.Int64N(int64(20 * 24 * time.Hour / time.Duration(n)))))
		a := w.attemptAt(at, i)
		a.Country = []string{"ES", "FR", "US", "ES", "ES"}[random.IntN(5)]
		a.Channel = []verify.Channel{verify.SMS, verify.SMS, verify.Call, verify.RCS}[random.IntN(4)]
		a.To = prefixes[a.Country][random.IntN(len(prefixes[a.Country]))] + fmt.Sprintf("%02d45678", random.IntN(30))
		a.Converted = random.IntN(3) > 0
		if random.IntN(10) == 0 {
			a.Channel, a.To, a.Country = verify.Email, "ana@example.com", ""
		}
		if random.IntN(4) == 0 {
			a.ServiceSID = "VA00000000000000000000000000000002"
		}
		if random.IntN(20) == 0 {
			a.AccountSID = "AC00000000000000000000000000000002"
		}
		attempts = append(attempts, a)
	}
	return attempts
}

// listed follows the pages of a list to the end, and returns the SIDs.
func (w *world) listed(q verify.AttemptQuery, size int) []string {
	w.t.Helper()
	page := verify.Page{Size: size}
	var sids []string
	for {
		w.advance(time.Minute) // a list has a pace
		p, err := w.Attempts(w.t.Context(), w.account, q, page)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(p.Attempts) > size {
			w.t.Fatalf("a page of %d has %d attempts", size, len(p.Attempts))
		}
		for i := range p.Attempts {
			sids = append(sids, p.Attempts[i].SID)
		}
		if p.Next == "" {
			return sids
		}
		page = verify.Page{Size: size, After: p.Next}
	}
}

// Whatever the filters, the list has what a look at every attempt finds, newest first, and the
// summary has its number.
func TestListAndSummaryFindWhatIsThere(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	random := rand.New(rand.NewPCG(1, 2))
	all := w.scattered(random, 6000)
	w.addAttempts(all)
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	moment := func() string {
		at := start.Add(-time.Duration(random.Int64N(int64(11 * 24 * time.Hour))))
		return pick("", at.Format(time.RFC3339), at.In(time.FixedZone("", 7200)).Format(time.RFC3339), at.Truncate(time.Hour).Format(time.RFC3339))
	}
	for range 150 {
		q := verify.AttemptQuery{
			DateCreatedAfter: moment(), DateCreatedBefore: moment(),
			Country: pick("", "", "ES", "fr", "IS"), Channel: pick("", "", "sms", "call", "rbm", "email"),
			ServiceSID: pick("", "", w.service, "VA00000000000000000000000000000002"),
		}
		list := q
		list.Status, list.To = pick("", "", "converted", "UNCONVERTED"), pick("", "", "", "+34611234567", "+34610512345", "ana@example.com")
		if list.To != "" && !strings.Contains(list.To, "@") {
			list.To = all[random.IntN(len(all))].To
			if !strings.HasPrefix(list.To, "+34") {
				list.To = ""
			}
		}
		q.DestinationPrefix = pick("", "", "+3", "+34", "+346", "+3461", "+34610", "+346105", "+1212", "+49")
		var wantList []string
		want := verify.AttemptCount{}
		for i := len(all) - 1; i >= 0; i-- {
			a := all[i]
			if a.AccountSID != w.account || !inRange(a.CreatedAt, q) ||
				q.Country != "" && !strings.EqualFold(q.Country, a.Country) || q.ServiceSID != "" && q.ServiceSID != a.ServiceSID ||
				q.Channel != "" && q.Channel != a.Channel.AttemptName() {
				continue
			}
			if strings.HasPrefix(a.To, q.DestinationPrefix) && (q.DestinationPrefix == "" || a.To[0] == '+') {
				want.Made++
				if a.Converted {
					want.Converted++
				}
			}
			if (list.Status == "" || strings.EqualFold(list.Status, string(a.Conversion()))) && (list.To == "" || list.To == a.To) {
				wantList = append(wantList, a.SID)
			}
		}
		w.advance(time.Minute)
		got, err := w.AttemptSummary(t.Context(), w.account, q)
		if err != nil || got != want {
			t.Errorf("summary of %+v: %+v, %v, want %+v", q, got, err, want)
		}
		if diff := cmp.Diff(wantList, w.listed(list, 1+random.IntN(400))); diff != "" {
			t.Fatalf("list of %+v:\n%s", list, diff)
		}
	}
}

func inRange(at time.Time, q verify.AttemptQuery) bool {
	if q.DateCreatedAfter != "" {
		if after, _ := time.Parse(time.RFC3339, q.DateCreatedAfter); at.Before(after) {
			return false
		}
	}
	if q.DateCreatedBefore != "" {
		if before, _ := time.Parse(time.RFC3339, q.DateCreatedBefore); !at.Before(before) {
			return false
		}
	}
	return true
}

// A filter that finds one attempt behind thousands leaps over the hours without any.
func TestARareAttemptIsFoundInFewPages(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	var all []*verify.Attempt
	for i := range 40_000 { // twenty days, a few in a minute
		all = append(all, w.attemptAt(start.Add(-20*24*time.Hour).Add(time.Duration(i)*42*time.Second), i))
	}
	all[100].Country, all[100].Converted = "IS", true
	w.addAttempts(all)
	for name, q := range map[string]verify.AttemptQuery{"country": {Country: "IS"}, "conversion": {Status: "converted"}} {
		page := verify.Page{Size: 50}
		for pages := 1; ; pages++ {
			p, err := w.Attempts(t.Context(), w.account, q, page)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Attempts) == 1 && p.Attempts[0].SID == all[100].SID {
				break
			}
			if pages == 2 || p.Next == "" {
				t.Fatalf("%s: not found after %d pages of a walk over %d attempts", name, pages, len(all))
			}
			page.After = p.Next
		}
	}
}

// A client may count pages for itself.
func TestPagesByNumber(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	var all []*verify.Attempt
	for i := range 7000 {
		a := w.attemptAt(start.Add(-time.Duration(7000-i)*time.Second), i)
		if i%2 == 0 {
			a.Channel = verify.Call
		}
		all = append(all, a)
	}
	w.addAttempts(all)
	for _, c := range []struct {
		q     verify.AttemptQuery
		skip  int
		first int // index in all; -1 for an empty page, -2 for a refusal
	}{
		{verify.AttemptQuery{}, 0, 6999},
		{verify.AttemptQuery{}, 5000, 1999},
		{verify.AttemptQuery{Channel: "sms"}, 3000, 999},
		{verify.AttemptQuery{Channel: "sms"}, 3600, -1},
		{verify.AttemptQuery{}, 10_001, -2},
	} {
		p, err := w.Attempts(t.Context(), w.account, c.q, verify.Page{Size: 10, Skip: c.skip})
		switch {
		case c.first == -2:
			wantCode(t, err, verify.CodeInvalidParameter, "")
		case err != nil:
			t.Errorf("%+v from %d: %v", c.q, c.skip, err)
		case c.first == -1 && len(p.Attempts) != 0 || c.first >= 0 && (len(p.Attempts) != 10 || p.Attempts[0].SID != all[c.first].SID):
			t.Errorf("%+v from %d: %d attempts, want the page to begin with the %d.", c.q, c.skip, len(p.Attempts), c.first)
		}
	}
}

// What a verification no longer knows is found in the time it lived.
func TestAttemptsOutliveTheirVerification(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	w.advance(time.Minute)
	w.mustStart(ana, "call")
	gone := "VE" + v.SID[2:18] + strings.Repeat("0", 16) // of the same moment, and never stored
	orphan := w.attemptAt(start.Add(5*time.Minute), 1)
	orphan.VerificationSID = gone
	w.addAttempts([]*verify.Attempt{orphan})
	w.advance(time.Hour)
	if got := w.listed(verify.AttemptQuery{VerificationSID: v.SID}, 1); len(got) != 2 {
		t.Errorf("attempts of a verification that is over: %v, want 2", got)
	}
	if diff := cmp.Diff([]string{orphan.SID}, w.listed(verify.AttemptQuery{VerificationSID: gone}, 10)); diff != "" {
		t.Errorf("attempts of a verification that is gone:\n%s", diff)
	}
	if got := w.listed(verify.AttemptQuery{VerificationSID: v.SID, Channel: "call"}, 10); len(got) != 1 {
		t.Errorf("its calls: %v, want 1", got)
	}
}

// The counters are those of starts and approvals that were committed, each once, though every
// Update runs twice here.
func TestTheLastAttemptConverts(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.mustStart(ana, "sms")
	v := w.mustStart(ana, "call")
	if _, _, err := w.check(ana, other(w.code(v))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.check(ana, w.code(v)); err != nil {
		t.Fatal(err)
	}
	byWord := w.mustStart("+34612345679", "sms")
	approved := string(verify.Approved)
	if _, err := w.UpdateVerification(t.Context(), w.account, w.service, byWord.SID, &approved); err != nil {
		t.Fatal(err)
	}
	w.mustStart("+34612345670", "sms")
	for i, send := range v.Sends {
		a, err := w.Attempt(t.Context(), w.account, send.AttemptSID)
		if err != nil {
			t.Fatal(err)
		}
		if a.Converted != (i == 1) {
			t.Errorf("attempt %d of 2: converted is %v", i+1, a.Converted)
		}
	}
	for channel, want := range map[string]verify.AttemptCount{"": {Made: 4, Converted: 2}, "sms": {Made: 3, Converted: 1}, "call": {Made: 1, Converted: 1}} {
		got, err := w.AttemptSummary(t.Context(), w.account, verify.AttemptQuery{Channel: channel})
		if err != nil || got != want {
			t.Errorf("summary of channel %q: %+v, %v, want %+v", channel, got, err, want)
		}
	}
}

// List, summary and fetch see thirty days, or less where records are kept for less. Counters go when
// no summary reaches them any more.
func TestAttemptsAreSeenAsLongAsTheyAreKept(t *testing.T) {
	const hours = 35 * 24
	for name, c := range map[string]struct {
		retention time.Duration
		seen      int // hours
	}{
		"by default":            {0, 30 * 24},
		"kept for longer":       {60 * 24 * time.Hour, 30 * 24},
		"kept for less":         {50*time.Hour + time.Minute, 50},
		"kept for whole hours":  {48 * time.Hour, 48},
		"kept for a bit longer": {30*24*time.Hour + time.Minute, 30 * 24},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, verify.ServiceParams{})
			w.Retention.Records = c.retention
			var all []*verify.Attempt
			for i := range hours { // one at the beginning of each hour
				all = append(all, w.attemptAt(start.Add(time.Duration(i-hours+1)*time.Hour), i))
			}
			w.addAttempts(all)
			w.advance(time.Minute)
			check := func(when string) {
				t.Helper()
				if got := w.listed(verify.AttemptQuery{}, 100); len(got) != c.seen {
					t.Errorf("%s %d attempts are listed, want %d", when, len(got), c.seen)
				}
				if got, err := w.AttemptSummary(t.Context(), w.account, verify.AttemptQuery{}); err != nil || got.Made != c.seen {
					t.Errorf("%s the summary has %+v, %v, want %d", when, got, err, c.seen)
				}
				if got, err := w.AttemptSummary(t.Context(), w.account, verify.AttemptQuery{DestinationPrefix: "+34"}); err != nil || got.Made != c.seen {
					t.Errorf("%s the summary by prefix has %+v, %v, want %d", when, got, err, c.seen)
				}
				if _, err := w.Attempt(t.Context(), w.account, all[hours-c.seen].SID); err != nil {
					t.Errorf("%s the oldest attempt: %v", when, err)
				}
				_, err := w.Attempt(t.Context(), w.account, all[hours-c.seen-1].SID)
				wantCode(t, err, verify.CodeNotFound, "")
			}
			check("before a drop")
			w.dropOld()
			check("after a drop")
			counted := func() (n [2]int) {
				t.Helper()
				if err := w.store.View(t.Context(), func(tx verify.Tx) error {
					for i, span := range []verify.Span{verify.Hours, verify.Days} {
						sum, err := tx.SumCounts(verify.AttemptFilter{AccountSID: w.account}, span, 0, 1e9)
						if err != nil {
							return err
						}
						n[i] = sum.Made
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				return n
			}
			if n := counted(); n[0] != c.seen || n[1] < c.seen || n[1] >= c.seen+24 {
				t.Errorf("counters of hours and days have %d, want those of %d hours", n, c.seen)
			}
			w.advance(40 * 24 * time.Hour)
			w.dropOld()
			if n := counted(); n != [2]int{} {
				t.Errorf("counters of hours and days after forty days: %d", n)
			}
		})
	}
}

func TestRate(t *testing.T) {
	for want, n := range map[string]verify.AttemptCount{
		"0.0":           {},
		"0.000000000":   {Made: 3},
		"81.818181818":  {Made: 11, Converted: 9}, // the published example
		"66.666666666":  {Made: 3, Converted: 2},  // cut off, not rounded
		"100.000000000": {Made: 7, Converted: 7},
		"0.000010000":   {Made: 10_000_000, Converted: 1},
	} {
		if got := n.Rate(); got != want {
			t.Errorf("%+v: %s, want %s", n, got, want)
		}
	}
}

func FuzzAttemptQuery(f *testing.F) {
	f.Add("2026-11-24T12:00:00Z", "+34", "es", "sms")
	f.Add("2026-11-24T12:00:00 02:00", " 34", "", "rbm")
	f.Fuzz(func(t *testing.T, date, prefix, country, channel string) {
		verify.ReadAttemptQuery(t, verify.AttemptQuery{DateCreatedAfter: date, DateCreatedBefore: date, DestinationPrefix: prefix,
			Country: country, Channel: channel, To: prefix, ServiceSID: country, Status: channel}, start)
	})
}
