package journal

import (
	"context"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// Watch is a store whose commits are told of.
func (j *Journal) Watch(store verify.Store) verify.Store { return watched{store, j} }

type watched struct {
	verify.Store
	journal *Journal
}

// Update implements verify.Store. fn may run more than once; the last run is what was committed.
func (s watched) Update(ctx context.Context, fn func(verify.Tx) error) error {
	var written []change
	err := s.Store.Update(ctx, factor.InTx(func(tx factor.Tx) error {
		written = nil
		return fn(watchedTx{tx, &written})
	}))
	if err != nil {
		return err
	}
	for _, c := range written {
		if c.sid != "" {
			s.journal.pending(c.sid, c.waits, c.end)
		}
		s.journal.Add(c.kind, c.what)
	}
	return nil
}

// change is something that a transaction wrote.
type change struct {
	kind string
	what any
	// Of something that expires: until when it waits, if it does.
	sid   string
	waits bool
	end   ending
}

// watchedTx notes what is written. What is noted is copied at once: the engine may change it later.
type watchedTx struct {
	factor.Tx
	written *[]change
}

func (tx watchedTx) note(kind string, what any) {
	*tx.written = append(*tx.written, change{kind: kind, what: what})
}

type verification struct {
	SID     string        `json:"sid"`
	Service string        `json:"service_sid"`
	To      string        `json:"to"`
	Channel string        `json:"channel"`
	Status  verify.Status `json:"status"`
	Sends   int           `json:"sends"`
	Checks  int           `json:"checks"`
	Expires string        `json:"expires_at"`
}

// verification notes a verification. Whoever ends one whose time is up, it is Expire that tells of it.
func (tx watchedTx) verification(v *verify.Verification) {
	if v.Status == verify.Expired {
		return
	}
	what := verification{v.SID, v.ServiceSID, v.To, string(v.Channel), v.Status, len(v.Sends), v.Checks, stamp(v.ExpiresAt)}
	*tx.written = append(*tx.written, change{kind: "verification", what: what, sid: v.SID, waits: v.Status == verify.Pending, end: ending{v.ServiceSID, v.ExpiresAt}})
}

func (tx watchedTx) AddVerification(v *verify.Verification) {
	tx.Tx.AddVerification(v)
	tx.verification(v)
}

func (tx watchedTx) PutVerification(v *verify.Verification) {
	tx.Tx.PutVerification(v)
	tx.verification(v)
}

type attempt struct {
	SID          string              `json:"sid"`
	Verification string              `json:"verification_sid"`
	To           string              `json:"to"`
	Channel      string              `json:"channel"`
	State        verify.AttemptState `json:"state"`
	Provider     string              `json:"provider"`
	ErrorCode    string              `json:"error_code"`
	HandOvers    int                 `json:"hand_overs"`
}

func (tx watchedTx) attempt(a *verify.Attempt) {
	tx.note("attempt", attempt{a.SID, a.VerificationSID, a.To, string(a.Channel), a.State, a.Provider, a.ErrorCode, a.HandOvers})
}

func (tx watchedTx) AddAttempt(a *verify.Attempt) {
	tx.Tx.AddAttempt(a)
	tx.attempt(a)
}

func (tx watchedTx) PutAttempt(a *verify.Attempt) {
	tx.Tx.PutAttempt(a)
	tx.attempt(a)
}

type factorState struct {
	SID      string `json:"sid"`
	Service  string `json:"service_sid"`
	Identity string `json:"identity"`
	Type     string `json:"factor_type"`
	Status   string `json:"status"`
}

func (tx watchedTx) factor(f *factor.Factor, status string) {
	tx.note("factor", factorState{f.SID, f.ServiceSID, f.Identity, string(f.Type), status})
}

func (tx watchedTx) AddFactor(f *factor.Factor) {
	tx.Tx.AddFactor(f)
	tx.factor(f, string(f.Status))
}

func (tx watchedTx) PutFactor(f *factor.Factor) {
	tx.Tx.PutFactor(f)
	tx.factor(f, string(f.Status))
}

func (tx watchedTx) DeleteFactor(f *factor.Factor) {
	tx.Tx.DeleteFactor(f)
	tx.factor(f, "deleted")
}

type challenge struct {
	SID      string                 `json:"sid"`
	Factor   string                 `json:"factor_sid"`
	Identity string                 `json:"identity"`
	Status   factor.ChallengeStatus `json:"status"`
}

func (tx watchedTx) challenge(c *factor.Challenge) {
	what := challenge{c.SID, c.FactorSID, c.Identity, c.Status}
	*tx.written = append(*tx.written, change{kind: "challenge", what: what, sid: c.SID, waits: c.Status == factor.ChallengePending, end: ending{c.ServiceSID, c.ExpiresAt}})
}

func (tx watchedTx) AddChallenge(c *factor.Challenge) {
	tx.Tx.AddChallenge(c)
	tx.challenge(c)
}

func (tx watchedTx) PutChallenge(c *factor.Challenge) {
	tx.Tx.PutChallenge(c)
	tx.challenge(c)
}

type delivery struct {
	SID      string            `json:"sid"`
	Webhook  string            `json:"webhook_sid"`
	Event    string            `json:"event_type"`
	State    verify.EventState `json:"state"`
	Failures int               `json:"failures"`
}

func (tx watchedTx) delivery(d *verify.EventDelivery) {
	tx.note("webhook", delivery{d.SID, d.WebhookSID, d.EventType, d.State, d.Failures})
}

func (tx watchedTx) AddEventDelivery(d *verify.EventDelivery) {
	tx.Tx.AddEventDelivery(d)
	tx.delivery(d)
}

func (tx watchedTx) PutEventDelivery(d *verify.EventDelivery) {
	tx.Tx.PutEventDelivery(d)
	tx.delivery(d)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
