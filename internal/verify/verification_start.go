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
// start leaves no trace.
func (e *Engine) StartVerification(ctx context.Context, accountSID, serviceSID string, p StartParams) (*Verification, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	w, err := p.read(s, e.Routed)
	if err != nil {
		return nil, err
	}
	if err := e.mayGo(ctx, s, w); err != nil {
		return nil, err
	}
	if err := e.lookUp(ctx, s, w); err != nil {
		return nil, err
	}
	var v *Verification
	var refused error
	send := e.newSend(w.channel)
	defer send.giveUp()
	err = e.Store.Update(ctx, func(tx Tx) error {
		now := e.Now()
		refused = nil
		before, err := tx.CurrentVerification(s.SID, w.recipient)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		switch {
		case before == nil:
		case !before.Open(now):
			before.Expire(now)
			before.Forget()
			tx.PutVerification(before)
			before = nil
		case before.Status == Pending && w.otherTransaction(before):
			// A code belongs to one amount and payee (RTS article 5): it must not be sent again
			// under others.
			before.Replace(now)
			before.Forget()
			tx.PutVerification(before)
			before = nil
		}
		if before != nil {
			v = before
			if refused = mayResend(v, now); refused != nil {
				return nil
			}
			a, err := e.attempt(v, s, w, now)
			if err != nil {
				return err
			}
			tx.PutVerification(v)
			return send.add(tx, v, a)
		}
		if v, err = e.newVerification(s, w, now); err != nil {
			return err
		}
		a, err := e.attempt(v, s, w, now)
		if err != nil {
			return err
		}
		tx.AddVerification(v)
		return send.add(tx, v, a)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	send.begin()
	return v, nil
}

// mayResend is the refusal of another send, nil if there is none.
func mayResend(v *Verification, now time.Time) error {
	switch v.MaySend() {
	case TriesSpent:
		return &Error{Code: CodeMaxChecks, RetryAfter: v.ExpiresAt.Sub(now), Verification: v}
	case SendsSpent:
		return &Error{Code: CodeMaxSends, RetryAfter: v.ExpiresAt.Sub(now), Verification: v}
	default:
		return nil
	}
}

func (e *Engine) newVerification(s *Service, w *wish, now time.Time) (*Verification, error) {
	verificationSID, err := sid.New(sid.Verification, now, e.Random)
	if err != nil {
		return nil, err
	}
	code := w.CustomCode
	if code == "" {
		if code, err = otp.Generate(s.CodeLength, e.Random); err != nil {
			return nil, err
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
		MaxChecks:  s.MaxChecks,
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
