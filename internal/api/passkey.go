package api

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

type passkeyParams struct {
	FriendlyName string              `json:"friendly_name"`
	Identity     string              `json:"identity"`
	Config       passkeyConfigParams `json:"config"`
}

type passkeyConfigParams struct {
	RelyingParty            *passkeyPartyBody `json:"relying_party"`
	AuthenticatorAttachment string            `json:"authenticator_attachment"`
	DiscoverableCredentials string            `json:"discoverable_credentials"`
	UserVerification        string            `json:"user_verification"`
}

type passkeyChallengeParams struct {
	Identity  string `json:"identity"`
	FactorSID string `json:"factor_sid"`
}

// memberCodes are the codes of members that are of the wrong type, by their path or its first part.
var memberCodes = map[string]verify.Code{
	"friendly_name":              factor.CodeNoDisplayName,
	"identity":                   factor.CodeInvalidIdentity,
	"factor_sid":                 factor.CodeInvalidFactorSID,
	"config":                     factor.CodeInvalidConfig,
	"id":                         factor.CodeInvalidID,
	"rawId":                      factor.CodeInvalidRawID,
	"authenticatorAttachment":    factor.CodeInvalidAttachment,
	"type":                       factor.CodeInvalidResponse,
	"response":                   factor.CodeInvalidResponse,
	"response.clientDataJSON":    factor.CodeInvalidClientData,
	"response.attestationObject": factor.CodeInvalidAttestation,
	"response.authenticatorData": factor.CodeInvalidAuthenticatorData,
	"response.signature":         factor.CodeInvalidSignature,
}

// decodeJSON fills the struct that dst points to. Unknown members are ignored.
func decodeJSON(body []byte, dst any) error {
	err := json.Unmarshal(body, dst)
	if err == nil {
		return nil
	}
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		first, _, _ := strings.Cut(mistyped.Field, ".")
		if code := cmp.Or(memberCodes[mistyped.Field], memberCodes[first]); code != 0 {
			return &verify.Error{Code: code}
		}
	}
	return badJSON
}

func (a *API) createPasskey(r *request) (response, error) {
	var p passkeyParams
	if err := decodeJSON(r.json, &p); err != nil {
		return response{}, err
	}
	f, err := a.factors.CreatePasskey(r.ctx, r.account, r.vars.get("ServiceSid"), factor.PasskeyParams{
		FriendlyName:            p.FriendlyName,
		Identity:                p.Identity,
		RelyingParty:            (*factor.RelyingParty)(p.Config.RelyingParty),
		AuthenticatorAttachment: p.Config.AuthenticatorAttachment,
		DiscoverableCredentials: p.Config.DiscoverableCredentials,
		UserVerification:        p.Config.UserVerification,
	})
	if err != nil {
		return response{}, err
	}
	body, err := a.factorJSON(f.Factor, r.base)
	if err != nil {
		return response{}, err
	}
	body.Binding, body.Options = null, creationOptions(f.Passkey)
	return response{status: http.StatusCreated, body: body}, nil
}

func (a *API) verifyPasskey(r *request) (response, error) {
	var p factor.PasskeyRegistration
	if err := decodeJSON(r.json, &p); err != nil {
		return response{}, err
	}
	f, err := a.factors.VerifyPasskey(r.ctx, r.account, r.vars.get("ServiceSid"), p)
	if err != nil {
		return response{}, err
	}
	return a.factorOK(f, r.base)
}

func (a *API) challengePasskey(r *request) (response, error) {
	var p passkeyChallengeParams
	if err := decodeJSON(r.json, &p); err != nil {
		return response{}, err
	}
	c, err := a.factors.ChallengePasskey(r.ctx, r.account, r.vars.get("ServiceSid"), factor.PasskeyChallengeParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: passkeyChallengeJSON(c, r.base, "/Passkeys/Challenges")}, nil
}

func (a *API) approvePasskey(r *request) (response, error) {
	var p factor.PasskeyProof
	if err := decodeJSON(r.json, &p); err != nil {
		return response{}, err
	}
	c, err := a.factors.ApprovePasskey(r.ctx, r.account, r.vars.get("ServiceSid"), p)
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: passkeyChallengeJSON(c, r.base, "/Passkeys/ApproveChallenge")}, nil
}

type passkeyConfigBody struct {
	RelyingParty            passkeyPartyBody `json:"relying_party"`
	AuthenticatorAttachment string           `json:"authenticator_attachment"`
	DiscoverableCredentials string           `json:"discoverable_credentials"`
	UserVerification        string           `json:"user_verification"`
}

type passkeyPartyBody struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Origins []string `json:"origins"`
}

func passkeyConfigJSON(c *factor.PasskeyConfig) passkeyConfigBody {
	return passkeyConfigBody{
		RelyingParty:            passkeyPartyBody(c.RelyingParty),
		AuthenticatorAttachment: c.AuthenticatorAttachment,
		DiscoverableCredentials: c.DiscoverableCredentials,
		UserVerification:        c.UserVerification,
	}
}

// optionsBody is what a page gives to navigator.credentials, in the JSON form of Web Authentication
// Level 3, sections 5.4 and 5.5.
type optionsBody struct {
	PublicKey any `json:"publicKey"`
}

type creationBody struct {
	RP               creationPartyBody `json:"rp"`
	User             creationUserBody  `json:"user"`
	Challenge        string            `json:"challenge"`
	PubKeyCredParams []credentialParam `json:"pubKeyCredParams"`
	Timeout          int               `json:"timeout"` // milliseconds
	Exclude          []credentialBody  `json:"excludeCredentials"`
	Selection        authenticatorBody `json:"authenticatorSelection"`
	Attestation      string            `json:"attestation"`
}

type creationPartyBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type creationUserBody struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

type credentialParam struct {
	Type string `json:"type"`
	Alg  int    `json:"alg"`
}

type credentialBody struct {
	ID         string   `json:"id"`
	Type       string   `json:"type"`
	Transports []string `json:"transports,omitempty"`
}

type authenticatorBody struct {
	Attachment         string `json:"authenticatorAttachment,omitempty"`
	RequireResidentKey bool   `json:"requireResidentKey"`
	ResidentKey        string `json:"residentKey"`
	UserVerification   string `json:"userVerification"`
}

type requestBody struct {
	Challenge        string           `json:"challenge"`
	Timeout          int              `json:"timeout"` // milliseconds
	RPID             string           `json:"rpId"`
	Allow            []credentialBody `json:"allowCredentials"`
	UserVerification string           `json:"userVerification"`
}

func creationOptions(o *factor.PasskeyOptions) optionsBody {
	c := o.Config
	attachment := c.AuthenticatorAttachment
	if attachment == "any" {
		attachment = "" // which is how a browser is told
	}
	return optionsBody{creationBody{
		RP:               creationPartyBody{c.RelyingParty.ID, c.RelyingParty.Name},
		User:             creationUserBody{encodeText(o.User), o.UserName, o.UserName},
		Challenge:        encodeText(o.Challenge),
		PubKeyCredParams: []credentialParam{{publicKey, o.Algorithm}},
		Timeout:          int(o.Timeout.Milliseconds()),
		Exclude:          credentialsJSON(o.Exclude),
		Selection: authenticatorBody{
			Attachment:         attachment,
			RequireResidentKey: c.DiscoverableCredentials == "required",
			ResidentKey:        c.DiscoverableCredentials,
			UserVerification:   c.UserVerification,
		},
		Attestation: "none",
	}}
}

const publicKey = "public-key"

// encodeText is base64url without padding. Of the letters and digits of a SID it never makes - or _,
// which some pages cannot decode.
func encodeText(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func credentialsJSON(credentials []factor.PasskeyCredential) []credentialBody {
	list := make([]credentialBody, 0, len(credentials))
	for _, c := range credentials {
		list = append(list, credentialBody{c.ID, publicKey, c.Transports})
	}
	return list
}

// passkeyChallengeBody is a challenge as the endpoints of passkeys show it. Whom it is about is empty,
// and not null, until that is known.
type passkeyChallengeBody struct {
	SID             string      `json:"sid"`
	AccountSID      string      `json:"account_sid"`
	ServiceSID      string      `json:"service_sid"`
	EntitySID       string      `json:"entity_sid"`
	Identity        string      `json:"identity"`
	FactorSID       string      `json:"factor_sid"`
	DateCreated     string      `json:"date_created"`
	DateUpdated     string      `json:"date_updated"`
	DateResponded   *string     `json:"date_responded"`
	ExpirationDate  *string     `json:"expiration_date"`
	Status          string      `json:"status"`
	RespondedReason string      `json:"responded_reason"`
	Details         any         `json:"details"`
	HiddenDetails   any         `json:"hidden_details"`
	Metadata        any         `json:"metadata"`
	FactorType      string      `json:"factor_type"`
	URL             string      `json:"url"`
	Links           any         `json:"links"`
	Options         optionsBody `json:"options"`
}

func passkeyChallengeJSON(c *factor.PasskeyChallenge, base, path string) passkeyChallengeBody {
	body := passkeyChallengeBody{
		SID:             c.SID,
		AccountSID:      c.AccountSID,
		ServiceSID:      c.ServiceSID,
		Identity:        c.Identity,
		FactorSID:       c.FactorSID,
		DateCreated:     timestamp(c.CreatedAt),
		DateUpdated:     timestamp(c.UpdatedAt),
		DateResponded:   timestampOrNull(c.RespondedAt),
		Status:          string(c.Status),
		RespondedReason: "none",
		FactorType:      string(c.FactorType),
		URL:             base + "/Services/" + c.ServiceSID + path,
		Options: optionsBody{requestBody{
			Challenge:        encodeText(c.Request.Challenge),
			Timeout:          int(c.Request.Timeout.Milliseconds()),
			RPID:             c.Request.RelyingParty.ID,
			Allow:            credentialsJSON(c.Request.Allow),
			UserVerification: c.Request.UserVerification,
		}},
	}
	if c.FactorSID != "" { // the published answer to an identity alone has the identity alone
		body.EntitySID = c.EntitySID
	}
	return body
}
