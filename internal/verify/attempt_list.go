package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/verifyd/verifyd/internal/sid"
)

// AttemptPage is a page of the list of attempts, newest first.
type AttemptPage struct {
	Attempts []Attempt
	// Next is the place where the next page begins, "" at the end. A page may hold less than was
	// asked for, or nothing, and still have a next one (see listSteps).
	Next string
}

// The list is a walk from the newest attempt to the oldest, in the order of the table itself: an
// index for each filter would be one more page to write for every attempt. What a filter passes over
// costs a microsecond, so a page looks at a bounded number of attempts and hands the rest of the
// walk to the next page. The counters say in which hour there is something that a filter lets through,
// and the walk goes on there whenever it has left such an hour. Only an address has an index.
const (
	// listStep is how many attempts are looked at in one step.
	listStep = 1000
	// listSteps bounds the steps of a page.
	listSteps = 3
	// maxSkip and skipSteps bound what a client can pass over that counts pages for itself.
	maxSkip   = 10_000
	skipSteps = 100
)

// Attempts lists the attempts of an account.
func (e *Engine) Attempts(ctx context.Context, accountSID string, q AttemptQuery, page Page) (AttemptPage, error) {
	now := e.Now()
	if err := e.calls.spend(e.Limits.Attempts, accountSID+"/Attempts", now); err != nil {
		return AttemptPage{}, err
	}
	f, err := q.filter(accountSID, e.attemptsFrom(now), now)
	if err != nil {
		return AttemptPage{}, err
	}
	if page.Skip > maxSkip {
		return AttemptPage{}, invalid("Page")
	}
	if page.After != "" {
		before, err := parsePlace(page.After)
		if err != nil {
			return AttemptPage{}, invalid("PageToken")
		}
		f.Before = max(min(f.Before, before), f.From)
	}
	var p AttemptPage
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		switch {
		case q.VerificationSID != "":
			p, err = attemptsOf(tx, f, q.VerificationSID, page)
		case f.To != "":
			var list []Attempt
			list, err = tx.AttemptsTo(f, page.Skip+page.Size+1)
			p = cut(list, page)
		default:
			p, err = walk(tx, f, page)
		}
		return err
	})
	return p, err
}

// attemptsOf lists the attempts of one verification, which knows them. If it is gone, they are in
// the time that it can have lived.
func attemptsOf(tx Tx, f AttemptFilter, verificationSID string, page Page) (AttemptPage, error) {
	v, err := tx.Verification(verificationSID)
	if errors.Is(err, ErrNotFound) {
		born := sid.Minted(verificationSID)
		f.From = max(f.From, sid.KeyAt(born))
		f.Before = max(f.From, min(f.Before, sid.KeyAt(born.Add(MaxCodeTTL))))
		return walkFor(tx, f, page, func(a *Attempt) bool { return a.VerificationSID == verificationSID })
	}
	if err != nil {
		return AttemptPage{}, err
	}
	var list []Attempt
	for _, s := range slices.Backward(v.Sends) {
		a, err := tx.Attempt(s.AttemptSID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return AttemptPage{}, err
		}
		if f.matches(a) {
			list = append(list, *a)
		}
	}
	return cut(list, page), nil
}

// cut takes a page out of a list that holds all of it and one more.
func cut(list []Attempt, page Page) AttemptPage {
	list = list[min(page.Skip, len(list)):]
	if len(list) <= page.Size {
		return AttemptPage{Attempts: list}
	}
	list = list[:page.Size]
	return AttemptPage{list, place(sid.Key(list[len(list)-1].SID))}
}

// walk looks at attempts one by one.
func walk(tx Tx, f AttemptFilter, page Page) (AttemptPage, error) {
	want := page.Skip + page.Size
	var found []Attempt
	hour := f.Before // where the hour that the counters named begins
	for step := 0; ; step++ {
		if f.Before <= hour { // to ask them costs as much as a step
			var err error
			if hour, f.Before, err = leap(tx, f); err != nil {
				return AttemptPage{}, err
			}
		}
		if f.Before <= f.From {
			return cut(found, page), nil
		}
		switch {
		case step < listSteps || page.Skip > 0 && step < skipSteps:
		case len(found) < page.Skip:
			return AttemptPage{}, invalid("Page")
		default:
			return AttemptPage{found[page.Skip:], place(f.Before)}, nil
		}
		floor, err := tx.AttemptStep(f.From, f.Before, listStep)
		ended := errors.Is(err, ErrNotFound)
		if err != nil && !ended {
			return AttemptPage{}, err
		}
		part := f
		if !ended {
			part.From = floor
		}
		list, err := tx.Attempts(part, want-len(found)+1)
		if err != nil {
			return AttemptPage{}, err
		}
		found = append(found, list...)
		if ended || len(found) > want {
			return cut(found, page), nil
		}
		f.Before = part.From
	}
}

// leap is where the walk goes on: in the last hour before f.Before in which something was counted
// that the filter lets through, from its beginning up to before. Both are f.From if there is no such hour.
func leap(tx Tx, f AttemptFilter) (from, before int64, err error) {
	if f.From >= f.Before {
		return f.From, f.From, nil
	}
	first, last := sid.HourOfKey(f.From), sid.HourOfKey(f.Before-1)
	// The days at the ends of the range are not in it as a whole, so what was counted on one may be
	// outside, and the day before has to be asked.
	for day := last/24 + 1; ; {
		if day, err = tx.LastCounted(f, Days, first/24, day); err != nil {
			break
		}
		hour, err := tx.LastCounted(f, Hours, max(first, day*24), min(last, day*24+23)+1)
		if err == nil {
			return hour * sid.KeysPerHour, min(f.Before, (hour+1)*sid.KeysPerHour), nil
		}
		if !errors.Is(err, ErrNotFound) {
			return 0, 0, err
		}
	}
	if errors.Is(err, ErrNotFound) {
		return f.From, f.From, nil
	}
	return 0, 0, err
}

// walkFor is walk with one more condition, and no counters to help.
func walkFor(tx Tx, f AttemptFilter, page Page, wanted func(*Attempt) bool) (AttemptPage, error) {
	var found []Attempt
	for range listSteps {
		list, err := tx.Attempts(f, listStep)
		if err != nil {
			return AttemptPage{}, err
		}
		for i := range list {
			if wanted(&list[i]) {
				found = append(found, list[i])
			}
		}
		if len(list) < listStep || len(found) > page.Skip+page.Size {
			return cut(found, page), nil
		}
		f.Before = sid.Key(list[len(list)-1].SID)
	}
	return AttemptPage{found[min(page.Skip, len(found)):], place(f.Before)}, nil
}

// place is where a page begins, as a page token: the key that the attempts of the page are below.
func place(key int64) string { return fmt.Sprintf("%016x", key) }

func parsePlace(s string) (int64, error) {
	if len(s) != 16 {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(s, 16, 64)
}

// Attempt fetches one attempt of the account. It sees what the list sees.
func (e *Engine) Attempt(ctx context.Context, accountSID, attemptSID string) (*Attempt, error) {
	now := e.Now()
	if err := e.calls.spend(e.Limits.Attempts, accountSID+"/Attempts", now); err != nil {
		return nil, err
	}
	if !sid.Valid(sid.Attempt, attemptSID) {
		return nil, &Error{Code: CodeNotFound}
	}
	var a *Attempt
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		a, err = tx.Attempt(attemptSID)
		return err
	})
	if errors.Is(err, ErrNotFound) || err == nil && (a.AccountSID != accountSID || a.CreatedAt.Before(e.attemptsFrom(now))) {
		return nil, &Error{Code: CodeNotFound}
	}
	return a, err
}
