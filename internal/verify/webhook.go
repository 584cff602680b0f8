package verify

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/jsonparam"
	"github.com/verifyd/verifyd/internal/sid"
)

// Webhook is a URL of the application that a service tells about its factors and challenges.
type Webhook struct {
	SID          string // YW…
	ServiceSID   string
	AccountSID   string
	FriendlyName string
	EventTypes   []EventType
	URL          string
	Status       WebhookStatus
	Version      WebhookVersion
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// WebhookStatus says whether a webhook is told of anything.
type WebhookStatus string

// The states, as the API spells them.
const (
	WebhookEnabled  WebhookStatus = "enabled"
	WebhookDisabled WebhookStatus = "disabled"
)

// WebhookVersion says what a webhook is told.
type WebhookVersion string

// The versions, as the API spells them.
const (
	WebhookV1 WebhookVersion = "v1"
	WebhookV2 WebhookVersion = "v2"
)

// The bounds of webhooks. Twilio publishes none.
const (
	// maxWebhooks is how many a service may have: every event costs a row and a call for each.
	maxWebhooks   = 20
	maxWebhookURL = 2048
)

// WebhookParams are the parameters of a webhook (factors reference, section 6.1); nil means "not sent".
type WebhookParams struct {
	FriendlyName *string
	EventTypes   []string // one each, or one JSON array of them
	WebhookURL   *string
	Status       *string
	Version      *string
}

// CreateWebhook makes a webhook of a service.
func (e *Engine) CreateWebhook(ctx context.Context, accountSID, serviceSID string, p WebhookParams) (*Webhook, error) {
	s, err := e.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	switch {
	case p.FriendlyName == nil || *p.FriendlyName == "":
		return nil, missing("FriendlyName")
	case p.EventTypes == nil:
		return nil, missing("EventTypes")
	case p.WebhookURL == nil || *p.WebhookURL == "":
		return nil, missing("WebhookUrl")
	}
	now := e.Now()
	w := &Webhook{
		ServiceSID: s.SID, AccountSID: s.AccountSID, Status: WebhookEnabled, Version: WebhookV2,
		CreatedAt: now, UpdatedAt: now,
	}
	if err := w.change(p); err != nil {
		return nil, err
	}
	if w.SID, err = sid.New(sid.Webhook, now, e.Random); err != nil {
		return nil, err
	}
	err = e.Store.Update(ctx, func(tx Tx) error {
		if _, err := ownService(tx, accountSID, serviceSID); err != nil { // it may have gone meanwhile
			return err
		}
		have, err := tx.Webhooks(s.SID, Page{Size: maxWebhooks})
		if err != nil {
			return err
		}
		if len(have) >= maxWebhooks {
			return &Error{Code: CodeInvalidRequest, Param: "WebhookUrl", Text: "A Service has 20 Webhooks at most"}
		}
		tx.PutWebhook(w)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// change takes over what was sent. Nothing is changed where it returns an error.
func (w *Webhook) change(p WebhookParams) error {
	next := *w
	if p.FriendlyName != nil {
		if next.FriendlyName = *p.FriendlyName; !WebhookNames.Holds(utf8.RuneCountInString(next.FriendlyName)) {
			return refuse("FriendlyName")
		}
	}
	if p.EventTypes != nil {
		var ok bool
		if next.EventTypes, ok = readEventTypes(p.EventTypes); !ok {
			return refuse("EventTypes")
		}
	}
	if p.WebhookURL != nil {
		if next.URL = *p.WebhookURL; !validWebhookURL(next.URL) {
			return refuse("WebhookUrl")
		}
	}
	if text, given := sent(p.Status); given {
		if next.Status = WebhookStatus(strings.ToLower(text)); next.Status != WebhookEnabled && next.Status != WebhookDisabled {
			return refuse("Status")
		}
	}
	if text, given := sent(p.Version); given {
		if next.Version = WebhookVersion(strings.ToLower(text)); next.Version != WebhookV1 && next.Version != WebhookV2 {
			return refuse("Version")
		}
	}
	*w = next
	return nil
}

// readEventTypes reads a list of types, which stay in their order; one that stands twice counts once.
func readEventTypes(values []string) ([]EventType, bool) {
	if len(values) == 1 && strings.HasPrefix(strings.TrimSpace(values[0]), "[") {
		list, err := jsonparam.Array(values[0])
		if err != nil {
			return nil, false
		}
		values = nil
		for _, item := range list {
			text, isText := item.(string)
			if !isText {
				return nil, false
			}
			values = append(values, text)
		}
	}
	var list []EventType
	for _, v := range values {
		kind := EventType(strings.ToLower(strings.TrimSpace(v)))
		if !slices.Contains(eventTypes, kind) {
			return nil, false
		}
		if !slices.Contains(list, kind) {
			list = append(list, kind)
		}
	}
	return list, len(list) > 0
}

// validWebhookURL accepts an absolute http or https URL. What its host is, is seen when it is called.
// A name and a password have no place in it: they would be shown with it.
func validWebhookURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxWebhookURL {
		return false
	}
	return (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && !strings.Contains(text, "#")
}

// UpdateWebhook changes what was sent. The event types are replaced as a whole.
func (e *Engine) UpdateWebhook(ctx context.Context, accountSID, serviceSID, webhookSID string, p WebhookParams) (*Webhook, error) {
	s, err := e.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var w *Webhook
	err = e.Store.Update(ctx, func(tx Tx) (err error) {
		if w, err = findWebhook(tx, s, webhookSID); err != nil {
			return err
		}
		if err := w.change(p); err != nil {
			return err
		}
		w.UpdatedAt = e.Now()
		tx.PutWebhook(w)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// DeleteWebhook removes a webhook. What it was to be told and was not yet, it is not told.
func (e *Engine) DeleteWebhook(ctx context.Context, accountSID, serviceSID, webhookSID string) error {
	s, err := e.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return err
	}
	return e.Store.Update(ctx, func(tx Tx) error {
		w, err := findWebhook(tx, s, webhookSID)
		if err != nil {
			return err
		}
		tx.DeleteWebhook(w.SID)
		return nil
	})
}

// Webhook fetches a webhook.
func (e *Engine) Webhook(ctx context.Context, accountSID, serviceSID, webhookSID string) (*Webhook, error) {
	s, err := e.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var w *Webhook
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		w, err = findWebhook(tx, s, webhookSID)
		return err
	})
	return w, err
}

// Webhooks lists the webhooks of a service, newest first.
func (e *Engine) Webhooks(ctx context.Context, accountSID, serviceSID string, page Page) ([]Webhook, error) {
	s, err := e.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var list []Webhook
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Webhooks(s.SID, page)
		return err
	})
	return list, err
}

func findWebhook(tx Tx, s *Service, webhookSID string) (*Webhook, error) {
	w, err := tx.Webhook(webhookSID)
	if errors.Is(err, ErrNotFound) || err == nil && w.ServiceSID != s.SID {
		return nil, &Error{Code: CodeNotFound}
	}
	return w, err
}

// sent takes an optional parameter. One that is empty counts as not sent.
func sent(p *string) (value string, given bool) {
	if p == nil || *p == "" {
		return "", false
	}
	return *p, true
}
