package verify

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/mailaddr"
	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/sid"
)

// CheckParams are the parameters of a check (core reference, section 4). nil means "not sent".
type CheckParams struct {
	To              *string
	VerificationSID *string // wins over To
	Code            *string
	Amount, Payee   string
}

// CheckVerification compares a code with the one that was sent. The outcome says whether it was
// right; a wrong one is counted and is no error. The verification is as it is after the check.
func (e *Engine) CheckVerification(ctx context.Context, accountSID, serviceSID string, p CheckParams) (*Verification, CheckOutcome, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, 0, err
	}
	target, err := p.target()
	if err != nil {
		return nil, 0, err
	}
	if p.Code == nil || !validCheck(*p.Code) {
		return nil, 0, invalid("Code")
	}
	if s.PSD2Enabled && (p.Amount == "" || p.Payee == "") {
		return nil, 0, &Error{Code: CodePSD2Incomplete}
	}
	if !s.PSD2Enabled {
		p.Amount, p.Payee = "", ""
	}

	var v *Verification
	var got CheckOutcome
	now := e.Now()
	many, err := e.manyServices(ctx, s)
	if err != nil {
		return nil, 0, err
	}
	err = e.Store.Update(ctx, func(tx Tx) error {
		now = e.Now()
		if v, err = find(tx, s, target); err != nil {
			return err // nothing to count
		}
		charged, err := e.guessMeters(tx, s, v, many)
		if err != nil {
			return err
		}
		if wait := charged.wait(e.Limits, s, v, now); wait > 0 {
			return &Error{Code: CodeMaxChecks, RetryAfter: wait, Verification: v} // not compared
		}
		got = v.Check(func(mac []byte) bool {
			return e.Keys.MatchesMAC(mac, keyring.PasscodeMAC, v.SID, *p.Code, p.Amount, p.Payee)
		}, now)
		if got == CodeRight || got == CodeWrong {
			tx.PutVerification(v) // a wrong code must be counted, so it commits
		}
		switch got {
		case CodeWrong:
			charged.wrong(tx, e.Limits, v, now)
		case CodeRight:
			charged.approved(tx, v, now)
			convert(tx, v)
		}
		if got == CodeRight || v.Status == MaxAttemptsReached && got == CodeWrong {
			return e.announce(tx, s, v, nil, now)
		}
		return nil
	})
	if err != nil {
		return nil, 0, target.refusal(err)
	}
	switch got { // only now, after the commit
	case ChecksSpent:
		return nil, got, &Error{Code: CodeMaxChecks, RetryAfter: v.ExpiresAt.Sub(now), Verification: v}
	case NotPending:
		return nil, got, &Error{Code: CodeNotFound, Reason: v.Reason(now)}
	}
	return v, got, nil
}

// validCheck holds a code that came back against the bounds of what can have been sent. Anything
// else is refused before it counts, as Twilio does.
func validCheck(code string) bool {
	return Passcodes.Holds(utf8.RuneCountInString(code))
}

// target names a verification: by SID, or by the address it went to.
type target struct {
	sid       string
	recipient string
	asSent    string // To as it was sent, to be judged only if nothing is found
}

func (p CheckParams) target() (target, error) {
	switch {
	case p.VerificationSID != nil && *p.VerificationSID != "":
		if !sid.Valid(sid.Verification, *p.VerificationSID) {
			return target{}, invalid("VerificationSid")
		}
		return target{sid: *p.VerificationSID}, nil
	case p.To != nil && *p.To != "":
		return byAddress(*p.To), nil
	default:
		return target{}, &Error{Code: CodeNoTarget}
	}
}

// byAddress is the target of a telephone number or an e-mail address. Whether a number exists is
// looked up only if no verification is found under it: what was started was valid, and
// libphonenumber costs more than everything else in a check.
func byAddress(to string) target {
	if _, recipient, ok := mailaddr.Parse(to); ok {
		return target{recipient: recipient, asSent: to}
	}
	return target{recipient: restorePlus(to), asSent: to}
}

// refusal is what a search that ended in err is answered with.
func (t target) refusal(err error) error {
	if refused, ok := errors.AsType[*Error](err); !ok || refused.Code != CodeNotFound || t.asSent == "" {
		return err
	}
	if _, _, isMail := mailaddr.Parse(t.asSent); isMail {
		return err
	}
	if _, valid := phone.Parse(restorePlus(t.asSent)); !valid {
		return &Error{Code: CodeInvalidParameter, Param: "To", Value: t.asSent}
	}
	return err
}

// find reads the verification that a target names. One of another account never existed.
func find(tx Tx, s *Service, t target) (*Verification, error) {
	var v *Verification
	var err error
	if t.sid != "" {
		v, err = tx.Verification(t.sid)
	} else {
		v, err = tx.CurrentVerification(s.SID, t.recipient)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, &Error{Code: CodeNotFound, Reason: ReasonNeverExisted}
	case err != nil:
		return nil, err
	case v.AccountSID != s.AccountSID:
		return nil, &Error{Code: CodeNotFound, Reason: ReasonNeverExisted}
	case v.ServiceSID != s.SID:
		return nil, &Error{Code: CodeNotFound, Reason: ReasonOtherService}
	default:
		return v, nil
	}
}

// serviceInPath is the service that a path names. A text that cannot be a service SID is refused
// as Twilio refuses it, with a parameter that has no name.
func (e *Engine) serviceInPath(ctx context.Context, accountSID, serviceSID string) (*Service, error) {
	if !sid.Valid(sid.Service, serviceSID) {
		return nil, &Error{Code: CodeInvalidParameter, Param: "(null)"}
	}
	return e.Service(ctx, accountSID, serviceSID)
}
