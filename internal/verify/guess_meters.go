package verify

import (
	"context"
	"net/netip"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/ratelimit"
)

// Where the wrong codes of a verification count, besides itself and its recipient's history.
//
// An account's guesses. A recipient's history is of one service. An account with many services would
// let each of them be guessed at, so its wrong codes for one recipient are counted together.
//
// Known devices. Wrong codes stop the owner as well as whoever typed them, because a code does not tell
// who types it. Where starts carry DeviceIp, the address that a recipient was approved from is known for
// a while. What begins there has guesses of its own, whatever was guessed elsewhere, so the owner gets in
// from where he has been (NIST SP 800-63B, 3.2.2, names the means).

// knownFor is how long a device is known after an approval.
const knownFor = 90 * day

// accountMeter is the meter of the guesses at a recipient in all services of an account.
func (e *Engine) accountMeter(s *Service, recipient string) int64 {
	return meterID(s.AccountSID, e.Keys.MAC(keyring.MeterMAC, s.AccountSID, "guesses", recipient))
}

// manyServices reports whether the guesses in all services of an account have to be counted: as many
// services as the limit is times that of one cannot reach it, and nearly every account has fewer.
func (e *Engine) manyServices(ctx context.Context, s *Service) (bool, error) {
	if e.Limits.AccountGuesses == 0 {
		return false, nil
	}
	return e.directory.moreServices(ctx, s.AccountSID, e.Limits.AccountGuesses)
}

// deviceMeter is the meter of the device that a start names, 0 if it names none. What customers are
// given is a network of IPv6, so a device is the first half of an address.
func (e *Engine) deviceMeter(s *Service, w *wish) int64 {
	if w.DeviceIP == "" || e.Limits.DeviceGuesses.Max == 0 {
		return 0
	}
	address, err := netip.ParseAddr(w.DeviceIP)
	if err != nil { // a start that was read has none such
		return 0
	}
	address = address.Unmap().WithZone("")
	if address.Is6() {
		network, _ := address.Prefix(64)
		address = network.Addr()
	}
	return meterID(s.SID, e.Keys.MAC(keyring.MeterMAC, s.SID, "device", w.recipient, address.String()))
}

// deviceGuesses is how many wrong codes a device may yet make; 0 if it is not known.
func (e *Engine) deviceGuesses(m *Meter, now time.Time) int {
	if m == nil || !m.EndsAt.After(now) {
		return 0
	}
	left, _ := e.Limits.DeviceGuesses.Left(m.Log, now)
	return left
}

// accountGuesses is how many wrong codes are left over all services, at most most.
func (l Limits) accountGuesses(g Guesses, codeLength int, payment bool, most int, now time.Time) (left int, wait time.Duration) {
	if l.AccountGuesses == 0 {
		return most, 0
	}
	return l.guessesOver(l.AccountGuesses, g, codeLength, payment, most, now)
}

// guesses are what a meter says of wrong codes. All since the last right one are the count of its window.
func (m *Meter) guesses() Guesses {
	g := Guesses{Times: m.events()}
	if m != nil && len(m.Windows) > 0 {
		g.Failed = m.Windows[0].Count
	}
	return g
}

// meter is a meter that says what guesses do.
func (g Guesses) meter(id int64, now time.Time) *Meter {
	m := &Meter{ID: id, Log: g.Times, EndsAt: now}
	if g.Failed > 0 {
		m.EndsAt = g.heldUntil()
		m.Windows = []MeterWindow{{30 * day, ratelimit.Window{Start: now, Count: g.Failed}}}
	}
	return m
}

// joinedBy notes that another start has the verification sent again. Who then types the code is not
// known, unless both are one device.
func (v *Verification) joinedBy(device int64) {
	if v.Device != device {
		v.Device = 0
	}
}

// guessMeters are where the checks of a verification count. Without devices and with few services there
// are none, and nothing is read.
type guessMeters struct {
	readings
	account int64
}

// guessMeters reads the meters of a verification.
func (e *Engine) guessMeters(tx Tx, s *Service, v *Verification, manyServices bool) (g guessMeters, err error) {
	if manyServices {
		g.account = e.accountMeter(s, v.Recipient)
	}
	g.readings = readingsOf(g.account, v.Device, v.Payer)
	if len(g.ids) > 0 {
		g.found, err = tx.Meters(g.ids)
	}
	return g, err
}

// wait is how long no check is compared, because other services have had all guesses of the account.
// A verification that would not be compared in any case is told so by Check.
func (g guessMeters) wait(l Limits, s *Service, v *Verification, now time.Time) (wait time.Duration) {
	if g.account == 0 || v.Payer != 0 || v.StatusAt(now) != Pending {
		return 0
	}
	_, wait = l.accountGuesses(g.of(g.account).guesses(), v.CodeLength, s.PSD2Enabled, 1, now)
	return wait
}

// wrong counts a wrong code.
func (g guessMeters) wrong(tx Tx, l Limits, v *Verification, now time.Time) {
	now = now.Truncate(time.Millisecond)
	switch {
	case v.Payer != 0:
		if m := g.of(v.Payer); m != nil { // else it is known no longer
			g.put(tx, &Meter{ID: v.Payer, Log: logged(m.Log, l.DeviceGuesses, now), EndsAt: m.EndsAt})
		}
	case g.account != 0:
		guesses := g.of(g.account).guesses()
		guesses.Guessed(now, MaxGuesses*l.AccountGuesses)
		g.put(tx, guesses.meter(g.account, now))
	}
}

// approved forgives what was guessed before, and makes the device known.
func (g guessMeters) approved(tx Tx, v *Verification, now time.Time) {
	now = now.Truncate(time.Millisecond)
	if guesses := g.of(g.account).guesses(); guesses.Failed > 0 {
		guesses.forgive()
		g.put(tx, guesses.meter(g.account, now))
	}
	if v.Device != 0 {
		g.put(tx, &Meter{ID: v.Device, EndsAt: now.Add(knownFor)})
	}
}
