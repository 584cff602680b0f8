package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

func countersCount(t *testing.T, s Store) {
	sums := func(f verify.AttemptFilter, span verify.Span, from, before int64) verify.AttemptCount {
		t.Helper()
		return mustView(t, s, func(tx verify.Tx) (verify.AttemptCount, error) { return tx.SumCounts(f, span, from, before) })
	}
	hour := sid.HourOfKey(sid.KeyAt(noon))
	tally := func(minute int) verify.Tally {
		a := attemptAt(minute)
		return verify.Tally{AttemptSID: a.SID, AccountSID: accountSID, ServiceSID: serviceSID, Channel: verify.SMS,
			Country: "ES", To: a.To, AttemptCount: verify.AttemptCount{Made: 1}}
	}
	// Many at once, so that commits share their counters.
	const callers = 40
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			err := s.Update(t.Context(), func(tx verify.Tx) error {
				tx.AddAttempt(attemptAt(i))
				tx.Count(tally(i))
				if i%4 == 3 {
					return errRefused
				}
				return nil
			})
			if (i%4 == 3) != errors.Is(err, errRefused) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	update(t, s, func(tx verify.Tx) {
		later := tally(120)
		later.Channel, later.Country, later.ServiceSID, later.To = verify.Email, "", numbered("VA", 2), "ana@example.com"
		tx.Count(later)
		converted := tally(0)
		converted.AttemptCount = verify.AttemptCount{Converted: 1}
		tx.Count(converted)
	})
	mine := verify.AttemptFilter{AccountSID: accountSID}
	with := func(change func(*verify.AttemptFilter)) verify.AttemptFilter {
		f := mine
		change(&f)
		return f
	}
	day := hour / 24
	for name, c := range map[string]struct{ got, want verify.AttemptCount }{
		"the hour":           {sums(mine, verify.Hours, hour, hour+1), verify.AttemptCount{Made: 30, Converted: 1}},
		"the next hour":      {sums(mine, verify.Hours, hour+1, hour+2), verify.AttemptCount{}},
		"the day":            {sums(mine, verify.Days, day, day+1), verify.AttemptCount{Made: 31, Converted: 1}},
		"a service":          {sums(with(func(f *verify.AttemptFilter) { f.ServiceSID = serviceSID }), verify.Days, day, day+1), verify.AttemptCount{Made: 30, Converted: 1}},
		"a channel":          {sums(with(func(f *verify.AttemptFilter) { f.Channel = verify.Email }), verify.Days, day, day+1), verify.AttemptCount{Made: 1}},
		"a country":          {sums(with(func(f *verify.AttemptFilter) { f.Country = "ES" }), verify.Hours, hour, hour+3), verify.AttemptCount{Made: 30, Converted: 1}},
		"a prefix":           {sums(with(func(f *verify.AttemptFilter) { f.Prefix = "+346" }), verify.PrefixDays, day, day+1), verify.AttemptCount{Made: 30, Converted: 1}},
		"another prefix":     {sums(with(func(f *verify.AttemptFilter) { f.Prefix = "+3462" }), verify.PrefixDays, day, day+1), verify.AttemptCount{}},
		"an unknown account": {sums(verify.AttemptFilter{AccountSID: "AC00000000000000000000000000000002"}, verify.Days, day, day+1), verify.AttemptCount{}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", name, c.got, c.want)
		}
	}
	for name, c := range map[string]struct {
		f    verify.AttemptFilter
		want int64
	}{
		"anything":    {mine, hour + 2},
		"converted":   {with(func(f *verify.AttemptFilter) { f.Conversion = verify.Converted }), hour},
		"unconverted": {with(func(f *verify.AttemptFilter) { f.Conversion = verify.Unconverted }), hour + 2},
		"a country":   {with(func(f *verify.AttemptFilter) { f.Country = "ES" }), hour},
		"nowhere":     {with(func(f *verify.AttemptFilter) { f.Country = "FR" }), 0},
	} {
		got, err := view(t, s, func(tx verify.Tx) (int64, error) { return tx.LastCounted(c.f, verify.Hours, hour-10, hour+10) })
		if (c.want == 0) != errors.Is(err, verify.ErrNotFound) || got != c.want {
			t.Errorf("the last hour with %s: %d, %v, want %d", name, got, err, c.want)
		}
	}
	forget := func(before int64, limit int) (more bool) {
		t.Helper()
		update(t, s, func(tx verify.Tx) {
			var err error
			if more, err = tx.ForgetCounts(accountSID, verify.Hours, before, limit); err != nil {
				t.Fatal(err)
			}
		})
		return more
	}
	if forget(hour, 10) {
		t.Error("counters are left of hours without any")
	}
	for steps := 1; forget(hour+1, 1); steps++ { // a store may have several counters of an hour
		if steps > callers {
			t.Fatal("forgetting comes to no end")
		}
	}
	if got := sums(mine, verify.Hours, 0, hour+10); got.Made != 1 {
		t.Errorf("after forgetting the hour: %+v, want the attempt of the later one", got)
	}
	if got := sums(mine, verify.Days, day, day+1); got.Made != 31 {
		t.Errorf("forgetting hours took days along: %+v", got)
	}
}
