package verify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/sid"
)

// Service is one application's way to verify: its name in the messages, the shape of its codes.
type Service struct {
	SID        string // VA…
	AccountSID string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	ServiceSettings
}

// ServiceSettings is what a customer may choose (core reference, section 2.2). A nil pointer is
// Twilio's null.
type ServiceSettings struct {
	FriendlyName             string
	CodeLength               int // digits, 4 to 10
	LookupEnabled            bool
	SkipSMSToLandlines       bool
	DTMFInputRequired        bool
	TTSName                  *string
	PSD2Enabled              bool
	DoNotShareWarningEnabled bool
	CustomCodeEnabled        bool
	DefaultTemplateSID       *string
	VerifyEventSubscription  bool
	Push                     PushSettings
	TOTP                     TOTPSettings
	WhatsApp                 WhatsAppSettings
	Passkeys                 PasskeySettings

	// Ours, see docs/compatibility.md: what Twilio's console has switches for, and what its support
	// changes on request.
	DisabledChannels []Channel     // refused with 60223
	Fallback         []Channel     // tried one after the other, see fallback.go; nil for none
	FallbackAfter    time.Duration // without a receipt and without the code, 0 for never; whole seconds
	CodeTTL          time.Duration // 2 minutes to 24 hours, default 10 minutes
	MaxSends         int           // per verification, 1 to 10, default 5
	MaxChecks        int           // per verification, 1 to 10, default 5
}

// PushSettings is the service's `push`.
type PushSettings struct {
	IncludeDate      bool
	APNCredentialSID *string // CR…
	FCMCredentialSID *string // CR…
}

// TOTPSettings is the service's `totp`. All are null until one is set.
type TOTPSettings struct {
	Issuer     *string
	TimeStep   *int // seconds, 20 to 60
	CodeLength *int // digits, 3 to 8
	Skew       *int // steps, 0 to 2
}

// whatsAppAddress is what stands before the number of a sender on WhatsApp.
const whatsAppAddress = "whatsapp:"

// WhatsAppSettings is the service's `whatsapp`.
type WhatsAppSettings struct {
	MessagingServiceSID *string // MG…
	From                *string // whatsapp:+E164
}

// PasskeySettings is the service's `passkeys`.
type PasskeySettings struct {
	RelyingPartyID          *string
	RelyingPartyName        *string
	Origins                 []string // nil is null
	AuthenticatorAttachment *string
	DiscoverableCredentials *string
	UserVerification        *string
}

// The bounds of what a service may choose.
const (
	DefaultCodeLength = 6
	DefaultCodeTTL    = 10 * time.Minute
	MinCodeTTL        = 2 * time.Minute
	MaxCodeTTL        = 24 * time.Hour
	DefaultMaxSends   = 5
	DefaultMaxChecks  = 5
	// MaxTries bounds MaxSends and MaxChecks. Ten guesses at a code of six digits are right once in
	// 100,000.
	MaxTries = 10
)

// ServiceParams are the parameters of a create or an update; nil means "not sent". An empty string
// clears what may be null.
type ServiceParams struct {
	FriendlyName             *string
	CodeLength               *int
	LookupEnabled            *bool
	SkipSMSToLandlines       *bool
	DTMFInputRequired        *bool
	TTSName                  *string
	PSD2Enabled              *bool
	DoNotShareWarningEnabled *bool
	CustomCodeEnabled        *bool
	DefaultTemplateSID       *string
	VerifyEventSubscription  *bool

	PushIncludeDate      *bool
	PushAPNCredentialSID *string
	PushFCMCredentialSID *string

	TOTPIssuer     *string
	TOTPTimeStep   *int
	TOTPCodeLength *int
	TOTPSkew       *int

	WhatsAppMessagingServiceSID *string
	WhatsAppFrom                *string

	PasskeysRelyingPartyID          *string
	PasskeysRelyingPartyName        *string
	PasskeysOrigins                 *string // comma-separated
	PasskeysAuthenticatorAttachment *string
	PasskeysDiscoverableCredentials *string
	PasskeysUserVerification        *string

	DisabledChannels *string // comma-separated
	Fallback         *string // comma-separated

	FallbackAfter *int // seconds

	CodeTTL   *int // seconds
	MaxSends  *int
	MaxChecks *int
}

// CreateService makes a service.
func (e *Engine) CreateService(ctx context.Context, accountSID string, p ServiceParams) (*Service, error) {
	serviceSID, err := sid.New(sid.Service, e.Now(), e.Random)
	if err != nil {
		return nil, err
	}
	return e.ImportService(ctx, accountSID, serviceSID, p)
}

// ImportService creates a service under the SID (VA…) that an application knows it by already. It is
// ErrExists where some account has it.
func (e *Engine) ImportService(ctx context.Context, accountSID, serviceSID string, p ServiceParams) (*Service, error) {
	if p.FriendlyName == nil {
		return nil, missing("FriendlyName")
	}
	if !sid.Valid(sid.Service, serviceSID) {
		return nil, fmt.Errorf("%q is no SID of a service", serviceSID)
	}
	now := e.Now()
	s := &Service{
		SID:        serviceSID,
		AccountSID: accountSID,
		CreatedAt:  now,
		UpdatedAt:  now,
		ServiceSettings: ServiceSettings{
			CodeLength:        DefaultCodeLength,
			DTMFInputRequired: true,
			CodeTTL:           DefaultCodeTTL,
			MaxSends:          DefaultMaxSends,
			MaxChecks:         DefaultMaxChecks,
		},
	}
	if err := s.apply(p); err != nil {
		return nil, err
	}
	if err := e.checkFallback(s); err != nil {
		return nil, err
	}
	err := e.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Service(serviceSID); vacant(err) != nil {
			return vacant(err)
		}
		if err := checkDefaultTemplate(tx, s); err != nil {
			return err
		}
		tx.PutService(s)
		return nil
	})
	return s, err
}

// Service fetches a service.
func (e *Engine) Service(ctx context.Context, accountSID, serviceSID string) (*Service, error) {
	s, err := e.directory.service(ctx, accountSID, serviceSID)
	if errors.Is(err, ErrNotFound) {
		return nil, &Error{Code: CodeNotFound}
	}
	return s, err
}

// UpdateService changes what was sent and leaves the rest. It affects verifications that start
// afterwards.
func (e *Engine) UpdateService(ctx context.Context, accountSID, serviceSID string, p ServiceParams) (*Service, error) {
	var s *Service
	err := e.Store.Update(ctx, func(tx Tx) (err error) {
		if s, err = ownService(tx, accountSID, serviceSID); err != nil {
			return err
		}
		if err := s.apply(p); err != nil {
			return err
		}
		if p.Fallback != nil {
			if err := e.checkFallback(s); err != nil {
				return err
			}
		}
		if p.DefaultTemplateSID != nil {
			if err := checkDefaultTemplate(tx, s); err != nil {
				return err
			}
		}
		s.UpdatedAt = e.Now()
		tx.PutService(s)
		return nil
	})
	return s, err
}

// CleanUp is the kind of the jobs that remove what a deleted service left, its entities with all that is
// below them (see factor.Cleaner).
const CleanUp = "cleanup"

// cleanUpDelay is how long after its deletion a service's entities are removed. Until then other
// nodes may still have the service in their memory and make some (see Store.ConfigVersion).
const cleanUpDelay = time.Minute

// DeleteService removes a service and everything below it.
func (e *Engine) DeleteService(ctx context.Context, accountSID, serviceSID string) error {
	return e.Store.Update(ctx, func(tx Tx) error {
		s, err := ownService(tx, accountSID, serviceSID)
		if err != nil {
			return err
		}
		tx.DeleteService(s.SID)
		tx.Enqueue(Job{ID: sid.Key(s.SID), Kind: CleanUp, Ref: s.SID, Due: e.Now().Add(cleanUpDelay)})
		return nil
	})
}

// Services lists an account's services, newest first.
func (e *Engine) Services(ctx context.Context, accountSID string, page Page) ([]Service, error) {
	var list []Service
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Services(accountSID, page)
		return err
	})
	return list, err
}

func ownService(tx Tx, accountSID, serviceSID string) (*Service, error) {
	s, err := tx.Service(serviceSID)
	if errors.Is(err, ErrNotFound) || err == nil && s.AccountSID != accountSID {
		return nil, &Error{Code: CodeNotFound}
	}
	return s, err
}

var (
	friendlyName  = regexp.MustCompile(`^[\p{L}\p{M}0-9 _-]+$`)
	relyingParty  = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$`)
	originSchemes = []string{"https://", "http://localhost:", "android:apk-key-hash:", "ios:bundle-id:"}
)

// maxNameDigits keeps phone numbers out of names: four digits pass, five are refused, wherever
// they stand.
const maxNameDigits = 4

// validName holds a friendly name, or a custom one for a single message, against the rules of
// error page 60200.
func validName(name string) bool {
	length, digits := 0, 0
	for _, r := range name {
		length++
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return FriendlyNames.Holds(length) && digits <= maxNameDigits &&
		strings.TrimSpace(name) != "" && friendlyName.MatchString(name)
}

// apply takes over what was sent. It changes nothing where it returns an error.
func (s *Service) apply(p ServiceParams) error {
	next := s.ServiceSettings
	c := change{}

	c.text(&next.FriendlyName, p.FriendlyName, "FriendlyName", validName)
	c.number(&next.CodeLength, p.CodeLength, "CodeLength", CodeLengths)
	c.flag(&next.LookupEnabled, p.LookupEnabled)
	c.flag(&next.SkipSMSToLandlines, p.SkipSMSToLandlines)
	c.flag(&next.DTMFInputRequired, p.DTMFInputRequired)
	c.nullable(&next.TTSName, p.TTSName, "TtsName", shortText)
	c.flag(&next.PSD2Enabled, p.PSD2Enabled)
	c.flag(&next.DoNotShareWarningEnabled, p.DoNotShareWarningEnabled)
	c.flag(&next.CustomCodeEnabled, p.CustomCodeEnabled)
	c.nullable(&next.DefaultTemplateSID, p.DefaultTemplateSID, "DefaultTemplateSid", isSID(sid.Template))
	c.flag(&next.VerifyEventSubscription, p.VerifyEventSubscription)

	c.flag(&next.Push.IncludeDate, p.PushIncludeDate)
	c.nullable(&next.Push.APNCredentialSID, p.PushAPNCredentialSID, "Push.ApnCredentialSid", isSID(sid.PushCredential))
	c.nullable(&next.Push.FCMCredentialSID, p.PushFCMCredentialSID, "Push.FcmCredentialSid", isSID(sid.PushCredential))

	c.nullable(&next.TOTP.Issuer, p.TOTPIssuer, "Totp.Issuer", shortText)
	c.nullableNumber(&next.TOTP.TimeStep, p.TOTPTimeStep, "Totp.TimeStep", TOTPTimeSteps)
	c.nullableNumber(&next.TOTP.CodeLength, p.TOTPCodeLength, "Totp.CodeLength", TOTPCodeLengths)
	c.nullableNumber(&next.TOTP.Skew, p.TOTPSkew, "Totp.Skew", TOTPSkews)

	c.nullable(&next.WhatsApp.MessagingServiceSID, p.WhatsAppMessagingServiceSID, "Whatsapp.MsgServiceSid", isSID(sid.MessagingService))
	c.nullable(&next.WhatsApp.From, p.WhatsAppFrom, "Whatsapp.From", func(from string) bool {
		number, found := strings.CutPrefix(from, whatsAppAddress)
		_, valid := phone.Parse(number)
		return found && valid
	})

	c.nullable(&next.Passkeys.RelyingPartyID, p.PasskeysRelyingPartyID, "Passkeys.RelyingParty.Id", ValidRelyingPartyID)
	c.nullable(&next.Passkeys.RelyingPartyName, p.PasskeysRelyingPartyName, "Passkeys.RelyingParty.Name", shortText)
	c.origins(&next.Passkeys.Origins, p.PasskeysOrigins)
	c.nullable(&next.Passkeys.AuthenticatorAttachment, p.PasskeysAuthenticatorAttachment, "Passkeys.AuthenticatorAttachment", oneOf(PasskeyAttachments))
	c.nullable(&next.Passkeys.DiscoverableCredentials, p.PasskeysDiscoverableCredentials, "Passkeys.DiscoverableCredentials", oneOf(PasskeyPreferences))
	c.nullable(&next.Passkeys.UserVerification, p.PasskeysUserVerification, "Passkeys.UserVerification", oneOf(PasskeyPreferences))

	c.channels(&next.DisabledChannels, p.DisabledChannels, "Verifyd.DisabledChannels")
	c.channels(&next.Fallback, p.Fallback, "Verifyd.Fallback")
	after := int(next.FallbackAfter / time.Second)
	c.number(&after, p.FallbackAfter, "Verifyd.FallbackAfter", FallbackAfters)
	next.FallbackAfter = time.Duration(after) * time.Second
	ttl := int(next.CodeTTL / time.Second)
	c.number(&ttl, p.CodeTTL, "Verifyd.CodeTtl", CodeTTLs)
	next.CodeTTL = time.Duration(ttl) * time.Second
	c.number(&next.MaxSends, p.MaxSends, "Verifyd.MaxSends", Tries)
	c.number(&next.MaxChecks, p.MaxChecks, "Verifyd.MaxChecks", Tries)

	if c.err != nil {
		return c.err
	}
	s.ServiceSettings = next
	return nil
}

// change applies parameters one by one and keeps the first refusal.
type change struct{ err error }

func (c *change) refuse(param string) {
	if c.err == nil {
		c.err = invalid(param)
	}
}

func (c *change) flag(field *bool, sent *bool) {
	if sent != nil {
		*field = *sent
	}
}

func (c *change) number(field *int, sent *int, param string, r Range) {
	switch {
	case sent == nil:
	case !r.Holds(*sent):
		c.refuse(param)
	default:
		*field = *sent
	}
}

func (c *change) text(field *string, sent *string, param string, valid func(string) bool) {
	switch {
	case sent == nil:
	case !valid(*sent):
		c.refuse(param)
	default:
		*field = *sent
	}
}

// nullable is a text that an empty one sets back to null.
func (c *change) nullable(field **string, sent *string, param string, valid func(string) bool) {
	switch {
	case sent == nil:
	case *sent == "":
		*field = nil
	case !valid(*sent):
		c.refuse(param)
	default:
		*field = sent
	}
}

func (c *change) nullableNumber(field **int, sent *int, param string, r Range) {
	if sent == nil {
		return
	}
	var n int
	c.number(&n, sent, param, r)
	*field = &n
}

// channels is a list of which an empty one is null. Each stands in it once.
func (c *change) channels(field *[]Channel, sent *string, param string) {
	if sent == nil {
		return
	}
	var list []Channel
	for name := range strings.SplitSeq(*sent, ",") {
		channel := Channel(strings.TrimSpace(name))
		_, known := channelRules[channel]
		switch {
		case channel == "" || slices.Contains(list, channel):
		case !known:
			c.refuse(param)
			return
		default:
			list = append(list, channel)
		}
	}
	*field = list
}

func (c *change) origins(field *[]string, sent *string) {
	if sent == nil {
		return
	}
	var list []string
	for origin := range strings.SplitSeq(*sent, ",") {
		origin = strings.TrimSpace(origin)
		if origin == "" {
			continue
		}
		if len(list) == MaxOrigins || !ValidOrigin(origin) {
			c.refuse("Passkeys.RelyingParty.Origins")
			return
		}
		list = append(list, origin)
	}
	*field = list
}

// MaxOrigins bounds the origins of one relying party of passkeys.
const MaxOrigins = 50

// ValidOrigin reports whether pages and applications of an origin may ask for a passkey: https, the
// developer's own machine, an application of Android's or Apple's.
func ValidOrigin(origin string) bool {
	known := origin == "http://localhost" ||
		slices.ContainsFunc(originSchemes, func(scheme string) bool { return strings.HasPrefix(origin, scheme) })
	return known && OneLine(origin, Origins.Max)
}

// ValidRelyingPartyID reports whether a passkey may be for a site of that name: a domain.
func ValidRelyingPartyID(id string) bool {
	return RelyingPartyIDs.Holds(len(id)) && relyingParty.MatchString(id)
}

func isSID(prefix string) func(string) bool {
	return func(s string) bool { return sid.Valid(prefix, s) }
}

// shortText is free text of reasonable length without control characters.
func shortText(s string) bool { return OneLine(s, ShortTexts.Max) }

// AllServices lists every service of an account, newest first: for commands, which have no pages.
func (e *Engine) AllServices(ctx context.Context, accountSID string) ([]Service, error) {
	const size = 1000
	var all []Service
	for after := ""; ; after = all[len(all)-1].SID {
		list, err := e.Services(ctx, accountSID, Page{Size: size, After: after})
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if len(list) < size {
			return all, nil
		}
	}
}
