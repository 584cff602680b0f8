package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// serviceParams are the parameters of a create and an update, those that begin with Verifyd being
// ours (docs/compatibility.md).
type serviceParams struct {
	FriendlyName             *string `form:"FriendlyName"`
	CodeLength               *int    `form:"CodeLength"`
	LookupEnabled            *bool   `form:"LookupEnabled"`
	SkipSMSToLandlines       *bool   `form:"SkipSmsToLandlines"`
	DTMFInputRequired        *bool   `form:"DtmfInputRequired"`
	TTSName                  *string `form:"TtsName"`
	PSD2Enabled              *bool   `form:"Psd2Enabled"`
	DoNotShareWarningEnabled *bool   `form:"DoNotShareWarningEnabled"`
	CustomCodeEnabled        *bool   `form:"CustomCodeEnabled"`
	DefaultTemplateSID       *string `form:"DefaultTemplateSid"`
	VerifyEventSubscription  *bool   `form:"VerifyEventSubscriptionEnabled"`

	PushIncludeDate      *bool   `form:"Push.IncludeDate"`
	PushAPNCredentialSID *string `form:"Push.ApnCredentialSid"`
	PushFCMCredentialSID *string `form:"Push.FcmCredentialSid"`

	TOTPIssuer     *string `form:"Totp.Issuer"`
	TOTPTimeStep   *int    `form:"Totp.TimeStep"`
	TOTPCodeLength *int    `form:"Totp.CodeLength"`
	TOTPSkew       *int    `form:"Totp.Skew"`

	WhatsAppMessagingServiceSID *string `form:"Whatsapp.MsgServiceSid"`
	WhatsAppFrom                *string `form:"Whatsapp.From"`

	PasskeysRelyingPartyID          *string `form:"Passkeys.RelyingParty.Id"`
	PasskeysRelyingPartyName        *string `form:"Passkeys.RelyingParty.Name"`
	PasskeysOrigins                 *string `form:"Passkeys.RelyingParty.Origins"`
	PasskeysAuthenticatorAttachment *string `form:"Passkeys.AuthenticatorAttachment"`
	PasskeysDiscoverableCredentials *string `form:"Passkeys.DiscoverableCredentials"`
	PasskeysUserVerification        *string `form:"Passkeys.UserVerification"`

	DisabledChannels *string `form:"Verifyd.DisabledChannels"`
	Fallback         *string `form:"Verifyd.Fallback"`

	FallbackAfter *int `form:"Verifyd.FallbackAfter"`

	CodeTTL   *int `form:"Verifyd.CodeTtl"`
	MaxSends  *int `form:"Verifyd.MaxSends"`
	MaxChecks *int `form:"Verifyd.MaxChecks"`
}

// serviceForm is a form with the parameters of a service under the names that are published. Twilio's
// tutorial spells those of the relying party with a small letter at the end.
func serviceForm(form url.Values) url.Values {
	for _, name := range []string{"Id", "Name", "Origins"} {
		const party = "Passkeys.RelyingParty."
		if values, sent := form[party+strings.ToLower(name)]; sent && !form.Has(party+name) {
			form[party+name] = values
		}
	}
	return form
}

func (a *API) createService(r *request) (response, error) {
	var p serviceParams
	if err := decode(serviceForm(r.form), &p); err != nil {
		return response{}, err
	}
	s, err := a.engine.CreateService(r.ctx, r.account, verify.ServiceParams(p))
	if err != nil {
		return response{}, err
	}
	return serviceResponse(http.StatusCreated, s, r.base), nil
}

func (a *API) fetchService(r *request) (response, error) {
	s, err := a.engine.Service(r.ctx, r.account, r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return serviceResponse(http.StatusOK, s, r.base), nil
}

func (a *API) updateService(r *request) (response, error) {
	var p serviceParams
	if err := decode(serviceForm(r.form), &p); err != nil {
		return response{}, err
	}
	s, err := a.engine.UpdateService(r.ctx, r.account, r.vars.get("Sid"), verify.ServiceParams(p))
	if err != nil {
		return response{}, err
	}
	return serviceResponse(http.StatusOK, s, r.base), nil
}

func (a *API) deleteService(r *request) (response, error) {
	if err := a.engine.DeleteService(r.ctx, r.account, r.vars.get("Sid")); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

func (a *API) listServices(r *request) (response, error) {
	query, page, err := readPage(r.query)
	if err != nil {
		return response{}, err
	}
	services, err := a.engine.Services(r.ctx, r.account, page)
	if err != nil {
		return response{}, err
	}
	services, m := cutPage(query, "services", r.base+"/Services", services, func(s verify.Service) string { return s.SID })
	list := make([]serviceBody, 0, len(services))
	for i := range services {
		list = append(list, serviceJSON(&services[i], r.base))
	}
	return response{status: http.StatusOK, body: serviceList{list, m}}, nil
}

// serviceResponse is a service with our own settings in headers, so that the body stays Twilio's.
func serviceResponse(status int, s *verify.Service, base string) response {
	h := http.Header{}
	h.Set("Verifyd-Code-Ttl", strconv.Itoa(int(s.CodeTTL/time.Second)))
	h.Set("Verifyd-Max-Sends", strconv.Itoa(s.MaxSends))
	h.Set("Verifyd-Max-Checks", strconv.Itoa(s.MaxChecks))
	for name, channels := range map[string][]verify.Channel{"Verifyd-Disabled-Channels": s.DisabledChannels, "Verifyd-Fallback": s.Fallback} {
		if len(channels) > 0 {
			h.Set(name, strings.Join(words(channels), ","))
		}
	}
	if s.FallbackAfter > 0 {
		h.Set("Verifyd-Fallback-After", strconv.Itoa(int(s.FallbackAfter/time.Second)))
	}
	return response{status: status, header: h, body: serviceJSON(s, base)}
}

type serviceList struct {
	Services []serviceBody `json:"services"`
	Meta     meta          `json:"meta"`
}

type serviceBody struct {
	SID                      string          `json:"sid"`
	AccountSID               string          `json:"account_sid"`
	FriendlyName             string          `json:"friendly_name"`
	CodeLength               int             `json:"code_length"`
	LookupEnabled            bool            `json:"lookup_enabled"`
	PSD2Enabled              bool            `json:"psd2_enabled"`
	SkipSMSToLandlines       bool            `json:"skip_sms_to_landlines"`
	DTMFInputRequired        bool            `json:"dtmf_input_required"`
	TTSName                  *string         `json:"tts_name"`
	DoNotShareWarningEnabled bool            `json:"do_not_share_warning_enabled"`
	CustomCodeEnabled        bool            `json:"custom_code_enabled"`
	Push                     pushBody        `json:"push"`
	TOTP                     totpBody        `json:"totp"`
	WhatsApp                 whatsAppBody    `json:"whatsapp"`
	Passkeys                 passkeysBody    `json:"passkeys"`
	DefaultTemplateSID       *string         `json:"default_template_sid"`
	VerifyEventSubscription  bool            `json:"verify_event_subscription_enabled"`
	DateCreated              string          `json:"date_created"`
	DateUpdated              string          `json:"date_updated"`
	URL                      string          `json:"url"`
	Links                    serviceLinkBody `json:"links"`
}

type pushBody struct {
	IncludeDate      bool    `json:"include_date"`
	APNCredentialSID *string `json:"apn_credential_sid"`
	FCMCredentialSID *string `json:"fcm_credential_sid"`
}

type totpBody struct {
	Issuer     *string `json:"issuer"`
	TimeStep   *int    `json:"time_step"`
	CodeLength *int    `json:"code_length"`
	Skew       *int    `json:"skew"`
}

type whatsAppBody struct {
	MessagingServiceSID *string `json:"msg_service_sid"`
	From                *string `json:"from"`
}

type passkeysBody struct {
	RelyingParty            relyingPartyBody `json:"relying_party"`
	AuthenticatorAttachment *string          `json:"authenticator_attachment"`
	DiscoverableCredentials *string          `json:"discoverable_credentials"`
	UserVerification        *string          `json:"user_verification"`
}

type relyingPartyBody struct {
	ID      *string  `json:"id"`
	Name    *string  `json:"name"`
	Origins []string `json:"origins"`
}

type serviceLinkBody struct {
	VerificationChecks      string `json:"verification_checks"`
	Verifications           string `json:"verifications"`
	RateLimits              string `json:"rate_limits"`
	MessagingConfigurations string `json:"messaging_configurations"`
	Entities                string `json:"entities"`
	Webhooks                string `json:"webhooks"`
	AccessTokens            string `json:"access_tokens"`
}

func serviceJSON(s *verify.Service, base string) serviceBody {
	url := base + "/Services/" + s.SID
	return serviceBody{
		SID:                      s.SID,
		AccountSID:               s.AccountSID,
		FriendlyName:             s.FriendlyName,
		CodeLength:               s.CodeLength,
		LookupEnabled:            s.LookupEnabled,
		PSD2Enabled:              s.PSD2Enabled,
		SkipSMSToLandlines:       s.SkipSMSToLandlines,
		DTMFInputRequired:        s.DTMFInputRequired,
		TTSName:                  s.TTSName,
		DoNotShareWarningEnabled: s.DoNotShareWarningEnabled,
		CustomCodeEnabled:        s.CustomCodeEnabled,
		Push:                     pushBody(s.Push),
		TOTP:                     totpBody(s.TOTP),
		WhatsApp:                 whatsAppBody(s.WhatsApp),
		Passkeys: passkeysBody{
			RelyingParty: relyingPartyBody{
				ID:      s.Passkeys.RelyingPartyID,
				Name:    s.Passkeys.RelyingPartyName,
				Origins: s.Passkeys.Origins,
			},
			AuthenticatorAttachment: s.Passkeys.AuthenticatorAttachment,
			DiscoverableCredentials: s.Passkeys.DiscoverableCredentials,
			UserVerification:        s.Passkeys.UserVerification,
		},
		DefaultTemplateSID:      s.DefaultTemplateSID,
		VerifyEventSubscription: s.VerifyEventSubscription,
		DateCreated:             timestamp(s.CreatedAt),
		DateUpdated:             timestamp(s.UpdatedAt),
		URL:                     url,
		Links: serviceLinkBody{
			VerificationChecks:      url + "/VerificationCheck",
			Verifications:           url + "/Verifications",
			RateLimits:              url + "/RateLimits",
			MessagingConfigurations: url + "/MessagingConfigurations",
			Entities:                url + "/Entities",
			Webhooks:                url + "/Webhooks",
			AccessTokens:            url + "/AccessTokens",
		},
	}
}
