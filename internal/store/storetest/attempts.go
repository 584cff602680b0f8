package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// attemptAt is an attempt that was made some minutes after noon, with the number of the minute in
// its SID.
func attemptAt(minute int) *verify.Attempt {
	a := &verify.Attempt{
		SID:        fmt.Sprintf("VL%016x%016x", sid.KeyAt(noon.Add(time.Duration(minute)*time.Minute)), minute),
		AccountSID: accountSID, ServiceSID: serviceSID, VerificationSID: numbered("VE", minute),
		Channel: verify.SMS, To: "+34612345678", Country: "ES", State: verify.AttemptQueued,
		CreatedAt: noon.Add(time.Duration(minute) * time.Minute), UpdatedAt: noon, ExpiresAt: noon.Add(time.Hour),
	}
	return a
}

// minutes are those of a list of attempts.
func minutes(list []verify.Attempt) (out []int) {
	for _, a := range list {
		out = append(out, int(a.CreatedAt.Sub(noon)/time.Minute))
	}
	return out
}

// everything lets all attempts of the account through that were made around noon.
func everything() verify.AttemptFilter {
	return verify.AttemptFilter{AccountSID: accountSID, From: sid.KeyAt(noon.Add(-24 * time.Hour)), Before: sid.KeyAt(noon.Add(24 * time.Hour))}
}

func addAttempts(t *testing.T, s Store) {
	t.Helper()
	update(t, s, func(tx verify.Tx) {
		for minute := range 10 {
			a := attemptAt(minute)
			switch minute {
			case 1:
				a.AccountSID = "AC00000000000000000000000000000002"
			case 2:
				a.ServiceSID = numbered("VA", 2)
			case 3:
				a.Channel = verify.Call
			case 4:
				a.Country = "FR"
			case 5:
				a.Converted = true
			case 6:
				a.To = "+34699999999"
			}
			tx.AddAttempt(a)
		}
	})
}

func attemptsAreListed(t *testing.T, s Store) {
	addAttempts(t, s)
	for name, c := range map[string]struct {
		change func(*verify.AttemptFilter)
		limit  int
		want   []int
	}{
		"everything":         {func(*verify.AttemptFilter) {}, 100, []int{9, 8, 7, 6, 5, 4, 3, 2, 0}},
		"the first":          {func(*verify.AttemptFilter) {}, 2, []int{9, 8}},
		"a range":            {func(f *verify.AttemptFilter) { f.From, f.Before = keyAt(3), keyAt(6) }, 100, []int{5, 4, 3}},
		"a service":          {func(f *verify.AttemptFilter) { f.ServiceSID = numbered("VA", 2) }, 100, []int{2}},
		"a channel":          {func(f *verify.AttemptFilter) { f.Channel = verify.Call }, 100, []int{3}},
		"a country":          {func(f *verify.AttemptFilter) { f.Country = "FR" }, 100, []int{4}},
		"converted":          {func(f *verify.AttemptFilter) { f.Conversion = verify.Converted }, 100, []int{5}},
		"unconverted":        {func(f *verify.AttemptFilter) { f.Conversion = verify.Unconverted }, 100, []int{9, 8, 7, 6, 4, 3, 2, 0}},
		"another account":    {func(f *verify.AttemptFilter) { f.AccountSID = "AC00000000000000000000000000000002" }, 100, []int{1}},
		"of all one lacks":   {func(f *verify.AttemptFilter) { f.Country, f.Channel = "FR", verify.Call }, 100, nil},
		"nothing in range":   {func(f *verify.AttemptFilter) { f.From = f.Before }, 100, nil},
		"an unknown service": {func(f *verify.AttemptFilter) { f.ServiceSID = numbered("VA", 3) }, 100, nil},
	} {
		f := everything()
		c.change(&f)
		list := mustView(t, s, func(tx verify.Tx) ([]verify.Attempt, error) { return tx.Attempts(f, c.limit) })
		if diff := cmp.Diff(c.want, minutes(list)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		n := mustView(t, s, func(tx verify.Tx) (verify.AttemptCount, error) { return tx.CountAttempts(f) })
		if n.Made != len(c.want) && c.limit > 2 || f.Conversion == verify.Converted && n.Converted != 1 {
			t.Errorf("%s: counted %+v, want %d", name, n, len(c.want))
		}
	}
}

// A range may lie in the tables of two days.
func attemptsSayWhoCarried(t *testing.T, s Store) {
	midnight := noon.Add(12 * time.Hour)
	drop(t, s, noon)
	var all []verify.Carried
	update(t, s, func(tx verify.Tx) {
		all = nil
		for minute := range 10 {
			a := attemptAt(minute)
			a.SID = fmt.Sprintf("VL%016x%016x", sid.KeyAt(midnight.Add(time.Duration(minute-5)*time.Minute)), minute)
			a.AccountSID = fmt.Sprintf("AC%032x", minute%2)
			a.Channel, a.Country = []verify.Channel{verify.SMS, verify.Call, verify.Email}[minute%3], []string{"ES", "FR", ""}[minute%3]
			a.Provider, a.State = fmt.Sprint("provider-", minute), verify.AttemptStates()[minute%8]
			tx.AddAttempt(a)
			all = append(all, verify.Carried{Channel: a.Channel, Country: a.Country, Provider: a.Provider, State: a.State})
			if minute%4 == 1 {
				tx.ConvertAttempt(a.SID, a.UpdatedAt)
				all[minute].Converted = true
			}
		}
	})
	at := func(minute int) int64 { return sid.KeyAt(midnight.Add(time.Duration(minute-5) * time.Minute)) }
	for _, c := range []struct{ from, before, limit, first, end int }{
		{-10, 20, 100, 0, 10}, {0, 10, 10, 0, 10}, {0, 10, 3, 0, 3}, {2, 8, 100, 2, 8}, {4, 6, 100, 4, 6}, {5, 5, 100, 0, 0}, {10, 20, 100, 0, 0},
	} {
		got := mustView(t, s, func(tx verify.Tx) ([]verify.Carried, error) {
			return tx.CarriedAttempts(at(c.from), at(c.before), c.limit)
		})
		if diff := cmp.Diff(all[c.first:c.end], got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("at most %d of minutes %d to %d:\n%s", c.limit, c.from, c.before, diff)
		}
	}
}

func keyAt(minute int) int64 { return sid.KeyAt(noon.Add(time.Duration(minute) * time.Minute)) }

func attemptSteps(t *testing.T, s Store) {
	addAttempts(t, s)
	for _, c := range []struct {
		from, before int64
		n            int
		want         int64 // 0 for none
	}{
		{keyAt(0), keyAt(100), 1, keyAt(9)},
		{keyAt(0), keyAt(100), 3, keyAt(7)},
		{keyAt(0), keyAt(7), 3, keyAt(4)},
		{keyAt(0), keyAt(100), 10, keyAt(0)},
		{keyAt(0), keyAt(100), 11, 0},
		{keyAt(8), keyAt(100), 3, 0},
	} {
		got, err := view(t, s, func(tx verify.Tx) (int64, error) { return tx.AttemptStep(c.from, c.before, c.n) })
		if c.want == 0 && errors.Is(err, verify.ErrNotFound) {
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("step of %d from %d to %d: %d, %v, want %d", c.n, c.from, c.before, got, err, c.want)
		}
	}
}

func attemptsToAddresses(t *testing.T, s Store) {
	update(t, s, func(tx verify.Tx) {
		for i, to := range []string{"+34612345678", "+34612345679", "+34613000000", "+4915112345678", "ana@example.com", "+34612345678"} {
			a := attemptAt(i * 50) // over several hours
			a.To = to
			a.Converted = i == 5
			tx.AddAttempt(a)
		}
		stranger := attemptAt(1)
		stranger.AccountSID = "AC00000000000000000000000000000002"
		tx.AddAttempt(stranger)
	})
	f := everything()
	f.From = keyAt(0)
	f.To = "+34612345678"
	list := mustView(t, s, func(tx verify.Tx) ([]verify.Attempt, error) { return tx.AttemptsTo(f, 10) })
	if diff := cmp.Diff([]int{250, 0}, minutes(list)); diff != "" {
		t.Errorf("attempts to %s:\n%s", f.To, diff)
	}
	if list = mustView(t, s, func(tx verify.Tx) ([]verify.Attempt, error) { return tx.AttemptsTo(f, 1) }); len(list) != 1 || minutes(list)[0] != 250 {
		t.Errorf("the last attempt to %s: %v", f.To, minutes(list))
	}
	f.Conversion = verify.Unconverted
	if list = mustView(t, s, func(tx verify.Tx) ([]verify.Attempt, error) { return tx.AttemptsTo(f, 10) }); len(list) != 1 || minutes(list)[0] != 0 {
		t.Errorf("unconverted attempts to %s: %v", f.To, minutes(list))
	}
	f = everything()
	for prefix, want := range map[string]verify.AttemptCount{
		"+3461234567": {Made: 3, Converted: 1}, "+34612345678": {Made: 2, Converted: 1}, "+34": {Made: 4, Converted: 1},
		"+49151": {Made: 1}, "+35": {},
	} {
		f.Prefix = prefix
		if got := mustView(t, s, func(tx verify.Tx) (verify.AttemptCount, error) { return tx.CountAttemptsTo(f) }); got != want {
			t.Errorf("numbers that begin with %s: %+v, want %+v", prefix, got, want)
		}
	}
}

// Attempts of many days are found wherever a store keeps them: some days had their tables made, some
// came before.
func attemptsOfManyDays(t *testing.T, s Store) {
	const days, perDay = 9, 40
	first := noon.Add(-12 * time.Hour)
	var all []*verify.Attempt
	for d := range days {
		midnight := first.Add(time.Duration(d) * day)
		if d%3 != 1 {
			drop(t, s, midnight)
		}
		update(t, s, func(tx verify.Tx) {
			for i := range perDay {
				a := attemptAt(d*24*60 - 12*60 + i*24*60/perDay) // the first at midnight
				a.To = fmt.Sprintf("+3461234567%d", i%4)
				a.Country = []string{"ES", "FR", "PT"}[i%3]
				tx.AddAttempt(a)
				all = append(all, a)
			}
		})
	}
	update(t, s, func(tx verify.Tx) {
		for i, a := range all {
			a.Converted = i%7 == 0
			if a.Converted {
				tx.ConvertAttempt(a.SID, a.UpdatedAt)
			}
		}
	})
	for _, r := range []struct{ from, before time.Duration }{
		{0, days * day}, {-100 * day, 100 * day}, {day, 2 * day}, {2*day - time.Microsecond, 5*day + time.Microsecond},
		{3*day + time.Hour, 3*day + 2*time.Hour}, {7*day + 5*time.Hour, 8*day + 7*time.Hour}, {20 * day, 30 * day},
	} {
		f := everything()
		f.From, f.Before = sid.KeyAt(first.Add(r.from)), sid.KeyAt(first.Add(r.before))
		for _, change := range []func(*verify.AttemptFilter){
			func(*verify.AttemptFilter) {},
			func(f *verify.AttemptFilter) { f.Country = "PT" },
			func(f *verify.AttemptFilter) { f.Conversion = verify.Converted },
		} {
			f.To, f.Prefix = "+34612345672", "+3461234567"
			change(&f)
			var want, wantTo []string
			var count verify.AttemptCount
			for _, a := range slices.Backward(all) {
				key := sid.Key(a.SID)
				if key < f.From || key >= f.Before || f.Country != "" && a.Country != f.Country || f.Conversion != "" && !a.Converted {
					continue
				}
				want = append(want, a.SID)
				count.Made++
				if a.Converted {
					count.Converted++
				}
				if a.To == f.To {
					wantTo = append(wantTo, a.SID)
				}
			}
			what := fmt.Sprintf("from %s to %s, %q %q", r.from, r.before, f.Country, f.Conversion)
			wantSIDs(t, what, want, mustView(t, s, func(tx verify.Tx) ([]verify.Attempt, error) { return tx.Attempts(f, len(all)+1) }))
			wantSIDs(t, what+", the first", want[:min(3, len(want))], mustView(t, s, func(tx verify.Tx) ([]verify.Attempt, error) { return tx.Attempts(f, 3) }))
			wantSIDs(t, what+", to an address", wantTo, mustView(t, s, func(tx verify.Tx) ([]verify.Attempt, error) { return tx.AttemptsTo(f, len(all)+1) }))
			if got := mustView(t, s, func(tx verify.Tx) (verify.AttemptCount, error) { return tx.CountAttempts(f) }); got != count {
				t.Errorf("%s: counted %+v, want %+v", what, got, count)
			}
			if got := mustView(t, s, func(tx verify.Tx) (verify.AttemptCount, error) { return tx.CountAttemptsTo(f) }); got != count {
				t.Errorf("%s: counted %+v by the beginning of the number, want %+v", what, got, count)
			}
		}
	}
	if got, err := view(t, s, func(tx verify.Tx) (int64, error) { return tx.AttemptStep(0, sid.KeyAt(first.Add(days*day)), 3*perDay) }); err != nil || got != sid.KeyAt(first.Add((days-3)*day)) {
		t.Errorf("a step over three days ends at %d, %v, want their first moment", got, err)
	}
}

func wantSIDs(t *testing.T, what string, want []string, list []verify.Attempt) {
	t.Helper()
	var got []string
	for _, a := range list {
		got = append(got, a.SID)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s:\n%s", what, diff)
	}
}

// A delivery writes what it knows of an attempt from before; the conversion stays.
func conversionStays(t *testing.T, s Store) {
	a := attemptAt(0)
	update(t, s, func(tx verify.Tx) { tx.AddAttempt(a) })
	update(t, s, func(tx verify.Tx) { tx.ConvertAttempt(a.SID, noon.Add(time.Minute)) })
	a.State, a.UpdatedAt = verify.AttemptSent, noon.Add(2*time.Minute)
	update(t, s, func(tx verify.Tx) { tx.PutAttempt(a) })
	a.Converted = true
	got := mustView(t, s, func(tx verify.Tx) (*verify.Attempt, error) { return tx.Attempt(a.SID) })
	if diff := cmp.Diff(a, got); diff != "" {
		t.Error(diff)
	}
}

// Carriers number their messages each for himself, and may begin again.
func reportedAttempts(t *testing.T, s Store) {
	update(t, s, func(tx verify.Tx) {
		for minute, key := range map[int]string{0: "a/1", 1: "b/1", 2: "", 3: "a/2", 500: "a/1"} {
			a := attemptAt(minute)
			a.ReportKey = key
			tx.AddAttempt(a)
		}
	})
	late := attemptAt(2)
	late.ReportKey = "a/3"
	update(t, s, func(tx verify.Tx) { tx.PutAttempt(late) })
	gone := attemptAt(3)
	update(t, s, func(tx verify.Tx) { tx.PutAttempt(gone) })
	for _, c := range []struct {
		key          string
		from, before int
		want         int // -1 for none
	}{
		{"a/1", -1000, 1000, 500}, {"a/1", -1000, 500, 0}, {"a/1", 0, 1, 0}, {"a/1", 1, 400, -1}, {"b/1", -1000, 1000, 1},
		{"a/3", -1000, 1000, 2}, {"a/2", -1000, 1000, -1}, {"", -1000, 1000, -1}, {"c/1", -1000, 1000, -1},
	} {
		for name, run := range map[string]func(func(verify.Tx) error) error{
			"View":   func(fn func(verify.Tx) error) error { return s.View(t.Context(), fn) },
			"Update": func(fn func(verify.Tx) error) error { return s.Update(t.Context(), fn) },
		} {
			var got string
			err := run(func(tx verify.Tx) (err error) {
				got, err = tx.ReportedAttempt(c.key, keyAt(c.from), keyAt(c.before))
				return err
			})
			switch {
			case c.want < 0 && !errors.Is(err, verify.ErrNotFound):
				t.Errorf("%s of %q from %d to %d: %q, %v, want ErrNotFound", name, c.key, c.from, c.before, got, err)
			case c.want >= 0 && (err != nil || got != attemptAt(c.want).SID):
				t.Errorf("%s of %q from %d to %d: %q, %v, want that of minute %d", name, c.key, c.from, c.before, got, err, c.want)
			}
		}
	}
}
