package verify

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/sid"
)

// StartVerification sends a code, or sends the pending one again.
//
// While a verification of (service, To) is open, a start is a resend: same SID, same code, perhaps
// another channel. The refusals come in the order of the core reference, section 15, and a refused
// start leaves no trace: nothing is spent of any limit.
func (e *Engine) StartVerification(ctx context.Context, accountSID, serviceSID string, p StartParams) (*Verification, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	w, err := p.read(s)
	if err == nil {
		err = e.chooseTemplate(ctx, s, w)
	}
	if err == nil {
		err = e.chooseRoute(ctx, s, w)
	}
	if err != nil {
		return nil, err
	}
	w.setFallback(s)
	meters, err := e.metersOf(ctx, s, w.rateLimits)
	if err != nil {
		return nil, err
	}
	w.sends, w.device = e.sendMeter(s, w), e.deviceMeter(s, w)
	many, err := e.manyServices(ctx, s)
	if err != nil {
		return nil, err
	}
	if many {
		w.account = e.accountMeter(s, w.recipient)
	}
	leave, err := e.inFlight.enter(ctx, s.SID+w.recipient, e.Limits.InFlight)
	if err != nil {
		return nil, err
	}
	defer leave()
	if w.blocked, err = e.blocked(ctx, s, w); err != nil {
		return nil, err
	}
	if s.LookupEnabled {
		// A lookup may cost money, so nobody gets one who is refused anyway.
		err := e.Store.View(ctx, func(tx Tx) error {
			_, err := e.admit(tx, s, w, meters, e.Now())
			return err
		})
		if err != nil {
			return nil, err
		}
		e.lookUp(ctx, w)
	}
	var v *Verification
	send := e.newSend(w.channel)
	defer send.GiveUp()
	err = e.Store.Update(ctx, func(tx Tx) error {
		now := e.Now()
		in, err := e.admit(tx, s, w, meters, now)
		if err != nil {
			return err
		}
		put := tx.PutVerification
		w.options.After, w.options.CustomCode = "", false
		if v, err = e.resent(tx, s, in, w, now); err != nil {
			return err
		}
		if v != nil {
			if err = e.mayResend(v, s, now); err == nil {
				w.options.After, err = sentBy(tx, v, w.channel)
			}
			v.joinedBy(w.device)
		} else {
			put = tx.AddVerification
			w.options.CustomCode = w.CustomCode != ""
			v, err = e.newVerification(s, w, now, in)
		}
		if err == nil {
			err = w.unfitLine(s)
		}
		if err != nil {
			return err
		}
		v.remember(in.history)
		a, err := e.attempt(v, s, w, now)
		if err != nil {
			return err
		}
		put(v)
		for _, m := range in.counted {
			in.meters.put(tx, m)
		}
		if err := e.announce(tx, s, v, a, now); err != nil {
			return err
		}
		return send.add(tx, v, a)
	})
	if err != nil {
		return nil, err
	}
	send.Begin()
	return v, nil
}

// admission is what a start that is neither over a limit nor blocked finds.
type admission struct {
	before  *Verification // the recipient's current one, nil if there is none
	history History       // with this start
	meters  readings
	counted []*Meter // with this start
	// account are the wrong codes in all services, device are those that a known device may yet make.
	account Guesses
	device  int
}

// admit reads what there is of a recipient, and refuses the start if a limit is reached or its country
// is blocked. It writes nothing.
func (e *Engine) admit(tx Tx, s *Service, w *wish, meters meters, now time.Time) (in admission, err error) {
	now = now.Truncate(time.Millisecond) // as stores keep it
	ids := append(make([]int64, 0, len(meters)+3), w.sends.id, w.device, w.account)
	for i := range meters {
		ids = append(ids, meters[i].id)
	}
	in.meters = readingsOf(ids...)
	if in.before, in.meters.found, err = tx.CurrentAndMeters(s.SID, w.recipient, in.meters.ids); err != nil {
		return in, err
	}
	if in.counted, err = meters.spend(in.meters, now); err != nil {
		return in, err
	}
	if in.before != nil {
		in.history = in.before.History
	}
	in.account, in.device = in.meters.of(w.account).guesses(), e.deviceGuesses(in.meters.of(w.device), now)
	if w.forgive {
		in.history.forgive()
		if in.account.Failed > 0 {
			in.account.forgive()
			in.counted = append(in.counted, in.account.meter(w.account, now))
		}
	}
	if err := e.Limits.start(&in.history, now); err != nil {
		return in, err
	}
	if w.blocked != nil {
		return in, w.blocked
	}
	sent, err := w.sends.spend(tx, s, w, in.meters.of(w.sends.id), now)
	if sent != nil {
		in.counted = append(in.counted, sent)
	}
	return in, err
}

// resent is the verification that a start sends again, nil if there has to be a new one: then the
// one before is ended, as far as it is not over. Of one whose end was announced when its checks were spent
// nothing more is told.
func (e *Engine) resent(tx Tx, s *Service, in admission, w *wish, now time.Time) (*Verification, error) {
	before, ended := in.before, false
	switch {
	case before == nil:
		return nil, nil
	case !before.Open(now):
		ended = before.Expire(now)
	case before.Status == Pending && w.otherTransaction(before):
		// A code belongs to one amount and payee (RTS article 5): it must not be sent again under
		// others.
		before.Replace(now)
		ended = true
	case before.Status == MaxAttemptsReached && (w.forgive || in.device > 0):
		before.Replace(now)
	default:
		return before, nil
	}
	before.Forget()
	tx.PutVerification(before)
	if ended {
		return nil, e.announce(tx, s, before, nil, now)
	}
	return nil, nil
}

// sentBy is the provider of a verification's last send, if that was by a channel: its code did not come
// back, so the next one goes another way (channels reference, section 10.2). "" if there was none.
func sentBy(tx Tx, v *Verification, c Channel) (string, error) {
	if len(v.Sends) == 0 {
		return "", nil
	}
	last := v.Sends[len(v.Sends)-1]
	if last.Channel != c {
		return "", nil
	}
	a, err := tx.PeekAttempt(last.AttemptSID)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return a.Provider, nil
}

// mayResend is the refusal of another send, nil if there is none.
func (e *Engine) mayResend(v *Verification, s *Service, now time.Time) error {
	wait := v.ExpiresAt.Sub(now)
	switch v.MaySend() {
	case TriesSpent:
		if _, longer := e.Limits.guesses(v.History.Guesses, s.CodeLength, s.PSD2Enabled, 1, now); longer > wait {
			wait = longer
		}
		return &Error{Code: CodeMaxChecks, RetryAfter: wait, Verification: v}
	case SendsSpent:
		return &Error{Code: CodeMaxSends, RetryAfter: wait, Verification: v}
	default:
		return nil
	}
}

// newVerification makes a verification. It takes no more checks than a known device has guesses left, or
// else than are left to its recipient; if none are left, the start is refused.
func (e *Engine) newVerification(s *Service, w *wish, now time.Time, in admission) (*Verification, error) {
	verificationSID, err := sid.New(sid.Verification, now, e.Random)
	if err != nil {
		return nil, err
	}
	code := w.CustomCode
	if code == "" && e.ChooseCode != nil {
		code = e.ChooseCode(w.to)
	}
	if code == "" {
		if code, err = otp.Generate(s.CodeLength, e.Random); err != nil {
			return nil, err
		}
	}
	checks, payer := min(in.device, s.MaxChecks), w.device
	if checks == 0 {
		inService, wait := e.Limits.guesses(in.history.Guesses, len(code), s.PSD2Enabled, s.MaxChecks, now)
		inAccount, longer := e.Limits.accountGuesses(in.account, len(code), s.PSD2Enabled, s.MaxChecks, now)
		if checks, payer = min(inService, inAccount), 0; checks == 0 {
			return nil, &Error{Code: CodeMaxChecks, RetryAfter: max(wait, longer)}
		}
	}
	return &Verification{
		SID:        verificationSID,
		ServiceSID: s.SID,
		AccountSID: s.AccountSID,
		To:         w.to,
		Recipient:  w.recipient,
		Country:    w.country,
		Status:     Pending,
		MaxSends:   s.MaxSends,
		MaxChecks:  checks,
		CodeLength: len(code),
		CodeMAC:    e.Keys.MAC(keyring.PasscodeMAC, verificationSID, code, w.amount, w.payee),
		CodeSealed: e.Keys.Seal(keyring.PasscodeSeal, code, verificationSID),
		Amount:     w.amount,
		Payee:      w.payee,
		Line:       w.line,
		CreatedAt:  now,
		UpdatedAt:  now,
		ExpiresAt:  now.Add(s.CodeTTL),
		Current:    true,
		Device:     w.device,
		Payer:      payer,
	}, nil
}

// attempt makes the next send of v and records it there.
func (e *Engine) attempt(v *Verification, s *Service, w *wish, now time.Time) (*Attempt, error) {
	attemptSID, err := sid.New(sid.Attempt, now, e.Random)
	if err != nil {
		return nil, err
	}
	v.Sends = slices.Clip(v.Sends)
	v.Send(w.channel, attemptSID, now)
	var line Line
	if w.line != nil {
		line = *w.line
	}
	return &Attempt{
		SID:             attemptSID,
		VerificationSID: v.SID,
		ServiceSID:      s.SID,
		AccountSID:      s.AccountSID,
		Channel:         w.channel,
		To:              v.To,
		Country:         v.Country,
		CodeLength:      v.CodeLength,
		CreatedAt:       now,
		UpdatedAt:       now,
		ExpiresAt:       v.ExpiresAt,
		Locale:          w.locale,
		Brand:           w.brand,
		Options:         w.options,
		State:           AttemptQueued,
		Carrier:         line.Carrier,
		MCC:             line.MCC,
		MNC:             line.MNC,
	}, nil
}
