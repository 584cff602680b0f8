package world

import (
	"strings"

	"github.com/verifyd/verifyd/internal/verify"
)

// Settings are those of a service, by the names that the API answers with; verifyd's own, which it answers in
// headers, are a table of theirs. An empty text clears what may be null.
type Settings struct {
	FriendlyName             *string `toml:"friendly_name"`
	CodeLength               *int    `toml:"code_length"`
	LookupEnabled            *bool   `toml:"lookup_enabled"`
	SkipSMSToLandlines       *bool   `toml:"skip_sms_to_landlines"`
	DTMFInputRequired        *bool   `toml:"dtmf_input_required"`
	TTSName                  *string `toml:"tts_name"`
	PSD2Enabled              *bool   `toml:"psd2_enabled"`
	DoNotShareWarningEnabled *bool   `toml:"do_not_share_warning_enabled"`
	CustomCodeEnabled        *bool   `toml:"custom_code_enabled"`
	DefaultTemplateSID       *string `toml:"default_template_sid"`
	VerifyEventSubscription  *bool   `toml:"verify_event_subscription_enabled"`

	Push struct {
		IncludeDate      *bool   `toml:"include_date"`
		APNCredentialSID *string `toml:"apn_credential_sid"`
		FCMCredentialSID *string `toml:"fcm_credential_sid"`
	} `toml:"push"`
	TOTP struct {
		Issuer     *string `toml:"issuer"`
		TimeStep   *int    `toml:"time_step"`
		CodeLength *int    `toml:"code_length"`
		Skew       *int    `toml:"skew"`
	} `toml:"totp"`
	WhatsApp struct {
		MessagingServiceSID *string `toml:"msg_service_sid"`
		From                *string `toml:"from"`
	} `toml:"whatsapp"`
	Passkeys struct {
		RelyingParty struct {
			ID      *string  `toml:"id"`
			Name    *string  `toml:"name"`
			Origins []string `toml:"origins"`
		} `toml:"relying_party"`
		AuthenticatorAttachment *string `toml:"authenticator_attachment"`
		DiscoverableCredentials *string `toml:"discoverable_credentials"`
		UserVerification        *string `toml:"user_verification"`
	} `toml:"passkeys"`
	Verifyd struct {
		DisabledChannels []string `toml:"disabled_channels"`
		Fallback         []string `toml:"fallback"`
		FallbackAfter    *int     `toml:"fallback_after"` // seconds
		CodeTTL          *int     `toml:"code_ttl"`       // seconds
		MaxSends         *int     `toml:"max_sends"`
		MaxChecks        *int     `toml:"max_checks"`
	} `toml:"verifyd"`
}

func (s *Settings) params() verify.ServiceParams {
	return verify.ServiceParams{
		FriendlyName:             s.FriendlyName,
		CodeLength:               s.CodeLength,
		LookupEnabled:            s.LookupEnabled,
		SkipSMSToLandlines:       s.SkipSMSToLandlines,
		DTMFInputRequired:        s.DTMFInputRequired,
		TTSName:                  s.TTSName,
		PSD2Enabled:              s.PSD2Enabled,
		DoNotShareWarningEnabled: s.DoNotShareWarningEnabled,
		CustomCodeEnabled:        s.CustomCodeEnabled,
		DefaultTemplateSID:       s.DefaultTemplateSID,
		VerifyEventSubscription:  s.VerifyEventSubscription,

		PushIncludeDate:      s.Push.IncludeDate,
		PushAPNCredentialSID: s.Push.APNCredentialSID,
		PushFCMCredentialSID: s.Push.FCMCredentialSID,

		TOTPIssuer:     s.TOTP.Issuer,
		TOTPTimeStep:   s.TOTP.TimeStep,
		TOTPCodeLength: s.TOTP.CodeLength,
		TOTPSkew:       s.TOTP.Skew,

		WhatsAppMessagingServiceSID: s.WhatsApp.MessagingServiceSID,
		WhatsAppFrom:                s.WhatsApp.From,

		PasskeysRelyingPartyID:          s.Passkeys.RelyingParty.ID,
		PasskeysRelyingPartyName:        s.Passkeys.RelyingParty.Name,
		PasskeysOrigins:                 list(s.Passkeys.RelyingParty.Origins),
		PasskeysAuthenticatorAttachment: s.Passkeys.AuthenticatorAttachment,
		PasskeysDiscoverableCredentials: s.Passkeys.DiscoverableCredentials,
		PasskeysUserVerification:        s.Passkeys.UserVerification,

		DisabledChannels: list(s.Verifyd.DisabledChannels),
		Fallback:         list(s.Verifyd.Fallback),
		FallbackAfter:    s.Verifyd.FallbackAfter,
		CodeTTL:          s.Verifyd.CodeTTL,
		MaxSends:         s.Verifyd.MaxSends,
		MaxChecks:        s.Verifyd.MaxChecks,
	}
}

// list is a list as the API takes it; nil is not sent.
func list(values []string) *string {
	if values == nil {
		return nil
	}
	return new(strings.Join(values, ","))
}
