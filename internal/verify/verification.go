package verify

import (
	"time"
)

// Verification is one person's proof of one address: a code that was sent there and is to come
// back.
type Verification struct {
	SID        string // VE…
	ServiceSID string
	AccountSID string
	// To is the address that every message of this verification goes to: E.164, or an e-mail
	// address as it was first given.
	To string
	// Recipient is the form of To that is unique: two spellings of an e-mail address are one
	// recipient. See mailaddr.Parse.
	Recipient string
	Country   string // ISO 3166-1 alpha-2, "" for e-mail
	// Channel is that of the latest send.
	Channel   Channel
	Status    Status
	Sends     []Send // oldest first
	Checks    int    // codes compared
	MaxSends  int
	MaxChecks int
	// CodeLength is in characters.
	CodeLength int
	// CodeMAC and CodeSealed are the code, to compare and to send again. Both are wiped when the
	// verification ends.
	CodeMAC    []byte
	CodeSealed []byte
	Amount     string // PSD2, "" for null
	Payee      string
	Line       *Line // as it was looked up for the first send; nil if it was not
	CreatedAt  time.Time
	UpdatedAt  time.Time
	ExpiresAt  time.Time
	// Current says that this is the recipient's latest verification in its service. Exactly one
	// is, until it is forgotten.
	Current bool
	// History goes from one verification of a recipient to the next.
	History History
	// HeldUntil keeps the verification the current one for the sake of its history, even if its own
	// time was up long ago. Zero is not at all.
	HeldUntil time.Time
	// Device is the meter of the device that all starts of this verification name, 0 if they name
	// none or several. An approval makes it known.
	Device int64
	// Payer is the meter of the known device that began this verification: its wrong codes are
	// counted there. 0 is the history.
	Payer int64
}

// Send is one message of a verification.
type Send struct {
	At         time.Time
	Channel    Channel
	AttemptSID string
}

// Status is the state of a verification; the lifecycle is drawn in doc.go.
type Status string

// The states, as the API spells them. Replaced is ours and shows as canceled.
const (
	Pending            Status = "pending"
	Approved           Status = "approved"
	Canceled           Status = "canceled"
	MaxAttemptsReached Status = "max_attempts_reached"
	Expired            Status = "expired"
	Replaced           Status = "replaced"
)

// remembered is how long a verification stays the current one of its recipient after its time is
// up: as long as a 404 can say why.
const remembered = time.Hour

// StatusAt is the status at a time: what is pending is expired when its time is up, whether or not
// the sweep has come by.
func (v *Verification) StatusAt(now time.Time) Status {
	if v.Status == Pending && !now.Before(v.ExpiresAt) {
		return Expired
	}
	return v.Status
}

// Open reports whether the verification takes the place of a new one: it is pending, or it is out
// of checks and its time is not up. A start must not get around the limit of checks.
func (v *Verification) Open(now time.Time) bool {
	return now.Before(v.ExpiresAt) && (v.Status == Pending || v.Status == MaxAttemptsReached)
}

// Reason says why the verification is not found, at a time at which it is not.
func (v *Verification) Reason(now time.Time) Reason {
	switch v.StatusAt(now) {
	case Approved:
		return ReasonApproved
	case Canceled:
		return ReasonCanceled
	case MaxAttemptsReached:
		return ReasonMaxAttempts
	case Replaced:
		return ReasonReplaced
	default:
		return ReasonExpired
	}
}

// SendOutcome is the answer of MaySend.
type SendOutcome int

// The outcomes of a wish to send.
const (
	MaySend    SendOutcome = iota + 1
	SendsSpent             // 60203
	TriesSpent             // 60202: the checks are spent, and until its time is up nothing new starts
)

// MaySend says whether an open verification may send again.
func (v *Verification) MaySend() SendOutcome {
	switch {
	case v.Status == MaxAttemptsReached:
		return TriesSpent
	case len(v.Sends) >= v.MaxSends:
		return SendsSpent
	default:
		return MaySend
	}
}

// Send records a message. It does not extend the verification's life: the ten minutes count from
// the first send.
func (v *Verification) Send(channel Channel, attemptSID string, now time.Time) {
	v.Sends = append(v.Sends, Send{At: now, Channel: channel, AttemptSID: attemptSID})
	v.Channel = channel
	v.UpdatedAt = now
}

// CheckOutcome is the result of a check.
type CheckOutcome int

// The outcomes of a check.
const (
	CodeRight   CheckOutcome = iota + 1
	CodeWrong                // counted; the answer still says pending, even for the last one
	ChecksSpent              // not compared: 60202
	NotPending               // not compared: 404
)

// Check compares a code, if the verification still takes one. The comparison is the caller's,
// because it needs keys; it is made at most once, and only if a check is left.
func (v *Verification) Check(matches func(mac []byte) bool, now time.Time) CheckOutcome {
	if !v.Open(now) {
		return NotPending
	}
	if v.Status == MaxAttemptsReached || v.Checks >= v.MaxChecks {
		return ChecksSpent
	}
	v.Checks++
	v.UpdatedAt = now
	if matches(v.CodeMAC) {
		v.end(Approved)
		return CodeRight
	}
	if v.Payer == 0 {
		v.History.Guessed(now, MaxGuesses)
		v.remember(v.History)
	}
	if v.Checks >= v.MaxChecks {
		v.end(MaxAttemptsReached)
	}
	return CodeWrong
}

// Approve ends a pending verification by the customer's word. It reports whether it did.
func (v *Verification) Approve(now time.Time) bool {
	if v.StatusAt(now) != Pending {
		return false
	}
	v.UpdatedAt = now
	v.end(Approved)
	return true
}

// Cancel ends an open verification and frees its recipient. It reports whether it did.
func (v *Verification) Cancel(now time.Time) bool {
	if !v.Open(now) {
		return false
	}
	v.UpdatedAt = now
	v.end(Canceled)
	return true
}

// Replace ends a pending verification because another one takes its place.
func (v *Verification) Replace(now time.Time) {
	v.UpdatedAt = now
	v.end(Replaced)
}

// Expire ends a verification whose time is up. It changes nothing else, and reports whether it did.
func (v *Verification) Expire(now time.Time) bool {
	if v.Status != Pending || v.StatusAt(now) != Expired {
		return false
	}
	v.end(Expired)
	return true
}

// Forget makes room for the recipient's next verification.
func (v *Verification) Forget() { v.Current = false }

// remember goes on with a history.
func (v *Verification) remember(h History) {
	v.History = h
	v.HeldUntil = h.heldUntil()
}

// end wipes the code: a verification that is over has none. An approval says who it was that
// guessed wrong before.
func (v *Verification) end(status Status) {
	v.Status = status
	if status == Approved {
		v.History.forgive()
		v.remember(v.History)
	}
	v.CodeMAC, v.CodeSealed = nil, nil
}
