package factor

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// Notification tells a handset that there is a challenge. It is made with the challenge, or when the
// application asks for another one; a worker hands it to the platform.
type Notification struct {
	SID          string // NT…
	ChallengeSID string
	FactorSID    string
	EntitySID    string
	Identity     string
	ServiceSID   string
	AccountSID   string
	// TTL is how long the platform keeps it for a handset that is off.
	TTL   time.Duration
	State NotificationState
	// Provider is who took it last, under the ID that it gave; ErrorCode is the platform's own code of
	// the last failure, and ErrorClass its class.
	Provider   string
	ProviderID string
	ErrorCode  string
	ErrorClass string
	HandOvers  int
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// NotificationState is what became of a notification.
type NotificationState string

// The states.
const (
	NotificationQueued  NotificationState = "queued"
	NotificationSent    NotificationState = "sent"    // the platform has it
	NotificationFailed  NotificationState = "failed"  // given up
	NotificationDropped NotificationState = "dropped" // there was no reason to send it any more, or nobody to
)

// ToHandset is the kind of the jobs that carry notifications.
const ToHandset = "push"

const (
	maxResends             = 3 // of a challenge (error page 60309)
	defaultNotificationTTL = 300
	// shortestDelivery is how long a notification is tried to be handed over, however short it is to
	// be kept by the platform.
	shortestDelivery = 10 * time.Second
)

// Notify has the handset of a pending challenge told once more. ttl is in seconds, nil for the default.
// The refusals come in the order of the factors reference, section 13.
func (e *Engine) Notify(ctx context.Context, accountSID, serviceSID, identity, challengeSID string, ttl *int) (*Notification, error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	seconds := defaultNotificationTTL
	if ttl != nil {
		seconds = *ttl
	}
	out := e.newSend()
	defer out.GiveUp()
	var n *Notification
	err = e.update(ctx, func(tx Tx) error {
		out.Reset()
		now := e.verify.Now()
		c, err := findChallenge(tx, s, identity, challengeSID)
		if err != nil {
			return err
		}
		if !NotificationTTLs.Holds(seconds) {
			return refuse("Ttl")
		}
		if why := c.closed(now); why == AnswerTwice || why == AnswerTooLate {
			return why.refusal()
		}
		if c.FactorType != Push {
			return refuse("ChallengeSid")
		}
		f, err := tx.Factor(c.FactorSID)
		if errors.Is(err, verify.ErrNotFound) { // its challenges have expired with it
			return &verify.Error{Code: CodeChallengeExpired}
		}
		if err != nil {
			return err
		}
		if f.Config.Push.Platform == NoPlatform {
			return &verify.Error{Code: CodeNoPlatform}
		}
		if c.Resends >= maxResends {
			return &verify.Error{Code: CodeTooManyNotices}
		}
		c.Resends++
		tx.PutChallenge(c)
		n, err = out.notify(tx, s, f, c, time.Duration(seconds)*time.Second, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	out.Begin()
	return n, nil
}

// send is a notification on its way from the operation that wants it to the worker.
type send struct {
	engine *Engine
	*verify.Reservation
}

// newSend reserves a place, if there is one.
func (e *Engine) newSend() *send { return &send{e, e.verify.Reserve(ToHandset)} }

// notify leaves a notification with the commit. Where the platform has said that it does not know the
// handset, it is dropped at once.
func (out *send) notify(tx Tx, s *verify.Service, f *Factor, c *Challenge, ttl time.Duration, now time.Time) (*Notification, error) {
	n := &Notification{
		ChallengeSID: c.SID, FactorSID: f.SID, EntitySID: f.EntitySID, Identity: f.Identity, ServiceSID: f.ServiceSID, AccountSID: f.AccountSID,
		TTL: ttl, State: NotificationQueued, CreatedAt: now, UpdatedAt: now,
	}
	var err error
	if n.SID, err = sid.New(sid.Notification, now, out.engine.verify.Random); err != nil {
		return nil, err
	}
	if f.Config.Push.Unreachable {
		n.State = NotificationDropped
		tx.AddNotification(n)
		return n, nil
	}
	tx.AddNotification(n)
	job := verify.Job{ID: sid.Key(n.SID), Kind: ToHandset, Ref: n.SID, Due: now}
	return n, out.Enqueue(tx, job, func(j *verify.Job) (err error) {
		j.Push, err = out.engine.pushDeliveryOf(s, f, c, n)
		return err
	})
}

// notifyOfNew tells the handset of a challenge that was made just now, if it can be told.
func (out *send) notifyOfNew(tx Tx, s *verify.Service, f *Factor, c *Challenge, now time.Time) error {
	if f.Type != Push || f.Config.Push.Platform == NoPlatform || f.Config.Push.Unreachable {
		return nil
	}
	_, err := out.notify(tx, s, f, c, defaultNotificationTTL*time.Second, now)
	return err
}

// PushDelivery is a notification with what a worker needs to carry it out.
type PushDelivery struct {
	Notification *Notification
	Challenge    *Challenge
	Platform     Platform
	AppID        string
	Token        string // under which the platform knows the handset
	// CredentialSID is the credential of the platform that the service names, "" if it names none.
	CredentialSID string
	Brand         string    // the service's friendly name
	Deadline      time.Time // after which the handset need not be told any more

	tokenSealed []byte // tells whether the token has changed meanwhile
}

// PushDelivery reads a notification that is to be sent. ok is false if there is no reason to any more:
// the challenge was answered or has expired, the factor is gone, or its handset cannot be told.
func (e *Engine) PushDelivery(ctx context.Context, notificationSID string) (d PushDelivery, ok bool, err error) {
	var f *Factor
	var s *verify.Service
	err = e.view(ctx, func(tx Tx) (err error) {
		d = PushDelivery{}
		if d.Notification, err = tx.Notification(notificationSID); err != nil {
			return err
		}
		if d.Challenge, err = tx.Challenge(d.Notification.ChallengeSID); err != nil {
			return err
		}
		if f, err = tx.Factor(d.Notification.FactorSID); err != nil {
			return err
		}
		s, err = tx.Service(f.ServiceSID)
		return err
	})
	if errors.Is(err, verify.ErrNotFound) {
		return d, false, nil
	}
	if err != nil {
		return d, false, err
	}
	now, app := e.verify.Now(), f.Config.Push
	if d.Notification.State != NotificationQueued || d.Challenge.StatusAt(now) != ChallengePending ||
		app.Platform == NoPlatform || app.Unreachable {
		return d, false, nil
	}
	d, err = e.pushDeliveryOf(s, f, d.Challenge, d.Notification)
	return d, err == nil && now.Before(d.Deadline), err
}

func (e *Engine) pushDeliveryOf(s *verify.Service, f *Factor, c *Challenge, n *Notification) (PushDelivery, error) {
	app, credential := f.Config.Push, s.Push.FCMCredentialSID
	if app.Platform == APN {
		credential = s.Push.APNCredentialSID
	}
	d := PushDelivery{
		Notification: n, Challenge: c, Platform: app.Platform, AppID: app.AppID, Brand: s.FriendlyName, tokenSealed: f.SecretSealed,
		Deadline: n.CreatedAt.Add(max(n.TTL, shortestDelivery)),
	}
	if c.ExpiresAt.Before(d.Deadline) {
		d.Deadline = c.ExpiresAt
	}
	if credential != nil {
		d.CredentialSID = *credential
	}
	var err error
	d.Token, err = e.NotificationToken(f)
	return d, err
}

// PushResult is what became of one turn of a notification.
type PushResult struct {
	State      NotificationState // NotificationQueued if it is to be tried again
	RetryAt    time.Time         // when, if State is NotificationQueued
	Provider   string
	ProviderID string
	ErrorCode  string
	ErrorClass string
	HandOvers  int // providers that were given it in this turn
	// Unreachable says that the platform does not know the handset any more.
	Unreachable bool
}

// RecordPush writes what became of a notification and finishes or defers its job, in one commit. A
// handset that is not known any more is remembered, unless it has brought another token meanwhile.
func (e *Engine) RecordPush(ctx context.Context, job verify.Job, d PushDelivery, r PushResult) error {
	return e.update(ctx, func(tx Tx) error {
		now, n := e.verify.Now(), *d.Notification
		n.State, n.UpdatedAt, n.HandOvers = r.State, now, n.HandOvers+r.HandOvers
		n.ErrorCode, n.ErrorClass, n.ProviderID = r.ErrorCode, r.ErrorClass, r.ProviderID
		if r.Provider != "" {
			n.Provider = r.Provider
		}
		tx.PutNotification(&n)
		if r.State == NotificationQueued {
			tx.DeferJob(job, r.RetryAt)
		} else {
			tx.FinishJob(job)
		}
		if !r.Unreachable {
			return nil
		}
		f, err := tx.Factor(n.FactorSID)
		if errors.Is(err, verify.ErrNotFound) {
			return nil
		}
		if err != nil || !bytes.Equal(f.SecretSealed, d.tokenSealed) {
			return err
		}
		app := *f.Config.Push
		app.Unreachable = true
		f.Config.Push, f.UpdatedAt = &app, now
		tx.PutFactor(f)
		return nil
	})
}

// DropPush finishes the job of a notification that there is no reason to send any more. n is nil if it
// is gone.
func (e *Engine) DropPush(ctx context.Context, job verify.Job, n *Notification) error {
	return e.update(ctx, func(tx Tx) error {
		if n != nil && n.State == NotificationQueued {
			next := *n
			next.State, next.UpdatedAt = NotificationDropped, e.verify.Now()
			tx.PutNotification(&next)
		}
		tx.FinishJob(job)
		return nil
	})
}
