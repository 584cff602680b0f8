package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/verify"
)

// Apply makes what a world wants and an account has not, and changes what is otherwise there. Where it fails,
// what came before stays applied; it can be applied again.
func (w *World) Apply(ctx context.Context, e *verify.Engine, accountSID string) error {
	for _, t := range w.Templates {
		_, err := e.ImportTemplate(ctx, accountSID, t.SID, t.content)
		if errors.Is(err, verify.ErrExists) {
			err = fmt.Errorf("sid: %q is there under another SID, or another template under this one", t.content.Name)
		}
		if err != nil {
			return fmt.Errorf("[[template]] %s: %w", t.SID, told(err, "file"))
		}
	}
	for i := range w.Services {
		if err := w.Services[i].apply(ctx, e, accountSID); err != nil {
			return fmt.Errorf("[[service]] %s: %w", w.Services[i].SID, err)
		}
	}
	return nil
}

func (s *Service) apply(ctx context.Context, e *verify.Engine, accountSID string) error {
	_, err := e.ImportService(ctx, accountSID, s.SID, s.params())
	if errors.Is(err, verify.ErrExists) {
		_, err = e.UpdateService(ctx, accountSID, s.SID, s.params())
	}
	if refused, ok := errors.AsType[*verify.Error](err); ok && refused.Code == verify.CodeNotFound {
		return errors.New("sid: another account has this service")
	}
	if err != nil {
		return told(err, "sid")
	}
	at := place{e, factor.NewEngine(e), accountSID, s.SID}
	for i := range s.RateLimits {
		if err := at.rateLimit(ctx, &s.RateLimits[i]); err != nil {
			return fmt.Errorf("[[service.rate_limit]] %q: %w", s.RateLimits[i].UniqueName, err)
		}
	}
	for _, m := range s.Messaging {
		if err := at.messaging(ctx, m); err != nil {
			return fmt.Errorf("[[service.messaging_configuration]] %q: %w", m.Country, err)
		}
	}
	for _, entity := range s.Entities {
		if err := at.entity(ctx, entity); err != nil {
			return fmt.Errorf("[[service.entity]] %q: %w", entity.Identity, err)
		}
	}
	// The last, because nobody is told of what a world makes.
	for _, h := range s.Webhooks {
		if err := at.webhook(ctx, h); err != nil {
			return fmt.Errorf("[[service.webhook]] %q: %w", h.FriendlyName, err)
		}
	}
	return nil
}

// place is a service in which things are made.
type place struct {
	engine           *verify.Engine
	factors          *factor.Engine
	account, service string
}

// everything is the page of a whole list that is short.
var everything = verify.Page{Size: 1000}

func (p place) rateLimit(ctx context.Context, l *RateLimit) error {
	params := verify.RateLimitParams{UniqueName: &l.UniqueName, Description: l.Description}
	_, err := p.engine.CreateRateLimit(ctx, p.account, p.service, params)
	if is(err, verify.CodeRateLimitExists) {
		err = nil
		if l.Description != nil {
			_, err = p.engine.UpdateRateLimit(ctx, p.account, p.service, l.UniqueName, params)
		}
	}
	if err != nil {
		return told(err, "unique_name")
	}
	for _, b := range l.Buckets {
		if err := p.bucket(ctx, l.UniqueName, b); err != nil {
			return fmt.Errorf("[[service.rate_limit.bucket]] of %d seconds: %w", b.Interval, told(err, "interval"))
		}
	}
	return nil
}

func (p place) bucket(ctx context.Context, limit string, b Bucket) error {
	params := verify.BucketParams{Max: &b.Max, Interval: &b.Interval}
	_, err := p.engine.CreateBucket(ctx, p.account, p.service, limit, params)
	if !is(err, verify.CodeBucketExists) {
		return err
	}
	_, all, err := p.engine.Buckets(ctx, p.account, p.service, limit, everything)
	if err != nil {
		return err
	}
	for _, known := range all {
		if known.Interval == time.Duration(b.Interval)*time.Second && known.Max != b.Max {
			_, err = p.engine.UpdateBucket(ctx, p.account, p.service, limit, known.SID, params)
		}
	}
	return err
}

func (p place) messaging(ctx context.Context, m Messaging) error {
	known, err := p.engine.MessagingConfiguration(ctx, p.account, p.service, m.Country)
	switch {
	case is(err, verify.CodeNotFound):
		_, err = p.engine.CreateMessagingConfiguration(ctx, p.account, p.service, &m.Country, &m.MessagingServiceSID)
	case err == nil && known.MessagingServiceSID != m.MessagingServiceSID:
		_, err = p.engine.UpdateMessagingConfiguration(ctx, p.account, p.service, m.Country, &m.MessagingServiceSID)
	}
	return told(err, "country")
}

func (p place) entity(ctx context.Context, wanted Entity) error {
	_, err := p.factors.CreateEntity(ctx, p.account, p.service, &wanted.Identity)
	if err != nil && !is(err, factor.CodeEntityExists) {
		return told(err, "identity")
	}
	for i := range wanted.Factors {
		if err := p.factor(ctx, wanted.Identity, &wanted.Factors[i]); err != nil {
			return fmt.Errorf("[[service.entity.factor]] %q: %w", wanted.Factors[i].FriendlyName, told(err, "friendly_name"))
		}
	}
	return nil
}

// factor makes an authenticator app's factor, in the place of one with its name and another secret.
func (p place) factor(ctx context.Context, identity string, wanted *Factor) error {
	before, err := p.factors.Factors(ctx, p.account, p.service, identity, everything)
	if err != nil {
		return err
	}
	var same []factor.Factor // those of its name
	for _, f := range before {
		if f.Type == factor.TOTP && f.FriendlyName == wanted.FriendlyName {
			same = append(same, f)
		}
	}
	made, err := p.factors.CreateFactor(ctx, p.account, p.service, identity, factor.Params{
		FriendlyName: &wanted.FriendlyName, FactorType: new(string(factor.TOTP)), BindingSecret: &wanted.Secret,
		TOTPParams: factor.TOTPParams{Alg: wanted.Alg, TimeStep: wanted.TimeStep, CodeLength: wanted.CodeLength, Skew: wanted.Skew},
	})
	switch {
	case is(err, factor.CodeFactorExists) && len(same) == 1:
		return p.prove(ctx, identity, &same[0], wanted)
	case is(err, factor.CodeFactorExists):
		return errors.New("secret: another factor of the identity has it")
	case err != nil:
		return err
	}
	for _, f := range same {
		if err := p.factors.DeleteFactor(ctx, p.account, p.service, identity, f.SID); err != nil {
			return err
		}
	}
	return p.prove(ctx, identity, made.Factor, wanted)
}

// prove verifies a factor as its app would, with the earliest code that is taken: those that come after it,
// the present one among them unless the factor has no skew, are good for a challenge.
func (p place) prove(ctx context.Context, identity string, f *factor.Factor, wanted *Factor) error {
	if !wanted.Verified || f.Status == factor.Verified {
		return nil
	}
	c := f.Config.TOTP
	rule := otp.TOTP{Hash: c.Alg, Step: time.Duration(c.TimeStep) * time.Second, Digits: c.CodeLength, Skew: c.Skew}
	code := rule.Code(wanted.secret, p.engine.Now().Add(-time.Duration(c.Skew)*rule.Step))
	got, err := p.factors.UpdateFactor(ctx, p.account, p.service, identity, f.SID, factor.Update{AuthPayload: &code})
	if err == nil && got.Status != factor.Verified {
		err = errors.New("secret: another factor of this name has another one, and is not verified")
	}
	return err
}

func (p place) webhook(ctx context.Context, wanted Webhook) error {
	params := verify.WebhookParams{FriendlyName: &wanted.FriendlyName, EventTypes: wanted.EventTypes, WebhookURL: &wanted.URL}
	all, err := p.engine.Webhooks(ctx, p.account, p.service, everything)
	if err != nil {
		return err
	}
	for _, known := range all {
		if known.FriendlyName == wanted.FriendlyName {
			_, err := p.engine.UpdateWebhook(ctx, p.account, p.service, known.SID, params)
			return told(err, "webhook_url")
		}
	}
	_, err = p.engine.CreateWebhook(ctx, p.account, p.service, params)
	return told(err, "webhook_url")
}

func is(err error, code verify.Code) bool {
	refused, ok := errors.AsType[*verify.Error](err)
	return ok && refused.Code == code
}

// told is a refusal with the key that it is about; where it names no parameter, it is about the given one.
func told(err error, key string) error {
	refused, ok := errors.AsType[*verify.Error](err)
	if !ok {
		return err
	}
	reason := refused.Text
	switch {
	case reason != "":
	case refused.Code == verify.CodeMissingParameter:
		reason = "is missing"
	case refused.Param != "":
		reason = "the API does not take this value"
	default:
		reason = "the API refuses it"
	}
	if refused.Param != "" {
		key = keyOf(refused.Param)
	}
	return fmt.Errorf("%s: %s (error %d, docs/compatibility.md)", key, reason, refused.Code)
}

// keyOf is the key of a parameter of the API: totp.time_step of Totp.TimeStep.
func keyOf(param string) string {
	param = strings.TrimPrefix(strings.TrimPrefix(param, "Config."), "Binding.") // of a factor, whose keys are flat
	var key strings.Builder
	for i, r := range param {
		if unicode.IsUpper(r) && i > 0 && param[i-1] != '.' {
			key.WriteByte('_')
		}
		key.WriteRune(unicode.ToLower(r))
	}
	return key.String()
}
