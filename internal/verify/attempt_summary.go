package verify

import (
	"context"
	"strconv"

	"github.com/verifyd/verifyd/internal/sid"
)

// AttemptSummary counts the attempts of an account that a query means: whole days and hours by
// their counters, what is left at the ends of the range attempt by attempt.
func (e *Engine) AttemptSummary(ctx context.Context, accountSID string, q AttemptQuery) (AttemptCount, error) {
	now := e.Now()
	if err := e.calls.spend(e.Limits.Attempts, accountSID+"/Attempts", now); err != nil {
		return AttemptCount{}, err
	}
	f, err := q.filter(accountSID, e.attemptsFrom(now), now)
	if err != nil {
		return AttemptCount{}, err
	}
	var n AttemptCount
	err = e.Store.View(ctx, func(tx Tx) error {
		s := summary{tx: tx, f: f}
		if f.Prefix == "" {
			s.all()
		} else {
			s.byPrefix()
		}
		n = s.sum
		return s.err
	})
	return n, err
}

// summary adds up. After an error it does nothing.
type summary struct {
	tx  Tx
	f   AttemptFilter
	sum AttemptCount
	err error
}

func (s *summary) add(count func() (AttemptCount, error)) {
	if s.err != nil {
		return
	}
	var n AttemptCount
	if n, s.err = count(); s.err == nil {
		s.sum = s.sum.plus(n)
	}
}

// looked counts the attempts of a range of keys one by one.
func (s *summary) looked(from, before int64) {
	if from >= before {
		return
	}
	f := s.f
	f.From, f.Before = from, before
	if f.Prefix == "" {
		s.add(func() (AttemptCount, error) { return s.tx.CountAttempts(f) })
	} else {
		s.add(func() (AttemptCount, error) { return s.tx.CountAttemptsTo(f) })
	}
}

// counted adds up the counters of spans.
func (s *summary) counted(span Span, from, before int64) {
	if from < before {
		s.add(func() (AttemptCount, error) { return s.tx.SumCounts(s.f, span, from, before) })
	}
}

func (s *summary) all() {
	hours := whole(s.f.From, s.f.Before, sid.KeysPerHour)
	if hours.empty() {
		s.looked(s.f.From, s.f.Before)
		return
	}
	s.looked(s.f.From, hours.from*sid.KeysPerHour)
	s.looked(hours.before*sid.KeysPerHour, s.f.Before)
	days := whole(hours.from, hours.before, 24)
	if days.empty() {
		s.counted(Hours, hours.from, hours.before)
		return
	}
	s.counted(Hours, hours.from, days.from*24)
	s.counted(Days, days.from, days.before)
	s.counted(Hours, days.before*24, hours.before)
}

// byPrefix counts by the beginning of the number. The counters know a few digits of it, and only by
// the day; for longer beginnings, of which there are fewer, the index of addresses is asked.
func (s *summary) byPrefix() {
	days := whole(s.f.From, s.f.Before, sid.KeysPerDay)
	if days.empty() || len(s.f.Prefix) > countedPrefix {
		s.looked(s.f.From, s.f.Before)
		return
	}
	s.looked(s.f.From, days.from*sid.KeysPerDay)
	s.counted(PrefixDays, days.from, days.before)
	s.looked(days.before*sid.KeysPerDay, s.f.Before)
}

// stretch is a range of numbers; before is not in it.
type stretch struct{ from, before int64 }

func (s stretch) empty() bool { return s.from >= s.before }

// whole are the units that lie wholly between two places.
func whole(from, before, unit int64) stretch {
	return stretch{(from + unit - 1) / unit, before / unit}
}

// Rate is the percentage that converted, with nine decimals that are cut off and not rounded, and
// "0.0" for nothing (Twilio's example is 9 of 11: "81.818181818").
func (n AttemptCount) Rate() string {
	if n.Made == 0 {
		return "0.0"
	}
	const decimals = 1_000_000_000
	whole, rest := 100*n.Converted/n.Made, 100*n.Converted%n.Made
	fraction := strconv.FormatInt(int64(rest)*decimals/int64(n.Made)+decimals, 10)
	return strconv.Itoa(whole) + "." + fraction[1:]
}
