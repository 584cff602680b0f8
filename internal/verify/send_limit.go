package verify

import (
	"errors"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/mailaddr"
	"github.com/verifyd/verifyd/internal/ratelimit"
)

// SendLimit bounds the messages that some channels together carry to one address, over all services
// of an account. A form that sends codes can be made to send them to somebody who did not ask, and
// each service by itself would not notice. Every send counts, also one of a verification that goes on, be it
// because the person asked or by another channel (fallback.go).
//
// The times of the sends are kept, so no stretch of Interval, wherever it lies, has more than Max.
type SendLimit struct {
	Channels []Channel
	Limits   []ratelimit.Limit
}

// sendMeter is what the sends to one address are counted by; the zero value counts nothing.
type sendMeter struct {
	id    int64
	limit SendLimit
}

// sendMeter finds the meter of a start. Of an e-mail address the part after a plus sign does not count:
// all of them reach one mailbox.
func (e *Engine) sendMeter(s *Service, w *wish) sendMeter {
	for _, limit := range e.Limits.Sends {
		if slices.Contains(limit.Channels, w.channel) {
			address, kind := mailaddr.Mailbox(w.recipient), string(limit.Channels[0])
			return sendMeter{meterID(s.AccountSID, e.Keys.MAC(keyring.MeterMAC, s.AccountSID, "sends", kind, address)), limit}
		}
	}
	return sendMeter{}
}

// spend counts a send, or refuses it: next is the meter with it, nil if nothing is counted. A text
// message to a number on the safe list is counted and not refused.
func (m sendMeter) spend(tx Tx, s *Service, w *wish, before *Meter, now time.Time) (next *Meter, err error) {
	if m.id == 0 {
		return nil, nil
	}
	now = now.Truncate(time.Millisecond) // as stores keep it
	log := before.events()
	var wait, longest time.Duration
	most := 0
	for _, limit := range m.limit.Limits {
		_, pause := limit.Left(log, now)
		wait, longest, most = max(wait, pause), max(longest, limit.Interval), max(most, limit.Max)
	}
	if wait > 0 {
		safe := false
		if w.channel != Call && w.channel != Email {
			_, err := tx.SafeNumber(s.AccountSID, w.to)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			safe = err == nil
		}
		if !safe {
			return nil, &Error{Code: CodeNumberLimit, RetryAfter: wait}
		}
	}
	return &Meter{ID: m.id, Log: logged(log, ratelimit.Limit{Max: most, Interval: longest}, now), EndsAt: now.Add(longest)}, nil
}

// look refuses a send if a limit is reached, and counts nothing.
func (m sendMeter) look(tx Tx, s *Service, w *wish, now time.Time) (err error) {
	if m.id == 0 {
		return nil
	}
	read := readingsOf(m.id)
	if read.found, err = tx.Meters(read.ids); err == nil {
		_, err = m.spend(tx, s, w, read.of(m.id), now)
	}
	return err
}

// logged is a log with one more event, without those that no longer count. A clock that was set back
// leaves the order as it is.
func logged(log []time.Time, limit ratelimit.Limit, now time.Time) []time.Time {
	recent := limit.Trim(log, now)
	recent = recent[max(0, len(recent)-limit.Max+1):]
	next := append(make([]time.Time, 0, len(recent)+1), recent...)
	place, _ := slices.BinarySearchFunc(next, now, time.Time.Compare)
	return slices.Insert(next, place, now)
}
