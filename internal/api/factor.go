package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// factorParams are the parameters of a new factor, those of all types together.
type factorParams struct {
	FriendlyName *string `form:"FriendlyName"`
	FactorType   *string `form:"FactorType"`
	Metadata     *string `form:"Metadata"`

	BindingSecret *string `form:"Binding.Secret"`
	totpParams

	BindingAlg       *string `form:"Binding.Alg"`
	BindingPublicKey *string `form:"Binding.PublicKey"`
	pushParams
}

// pushParams are the parameters of an application on a handset.
type pushParams struct {
	AppID                *string `form:"Config.AppId"`
	NotificationPlatform *string `form:"Config.NotificationPlatform"`
	NotificationToken    *string `form:"Config.NotificationToken"`
	SDKVersion           *string `form:"Config.SdkVersion"`
}

// totpParams are the parameters of an authenticator app.
type totpParams struct {
	Alg        *string `form:"Config.Alg"`
	TimeStep   *int    `form:"Config.TimeStep"`
	CodeLength *int    `form:"Config.CodeLength"`
	Skew       *int    `form:"Config.Skew"`
}

type factorUpdateParams struct {
	AuthPayload  *string `form:"AuthPayload"`
	FriendlyName *string `form:"FriendlyName"`
	totpParams
	pushParams
}

// decodeFactors decodes the parameters of this half of the API, which has a code of its own for
// those that cannot be read.
func decodeFactors(form url.Values, dst any) error {
	err := decode(form, dst)
	if refused, ok := errors.AsType[*verify.Error](err); ok {
		return &verify.Error{Code: verify.CodeInvalidRequest, Param: refused.Param}
	}
	return err
}

// readFactorsPage is readPage with the codes of this half of the API. Push libraries for iOS send
// pageToken.
func readFactorsPage(query url.Values) (pageQuery, verify.Page, error) {
	if query.Get("PageToken") == "" && query.Get("pageToken") != "" {
		query.Set("PageToken", query.Get("pageToken"))
	}
	q, page, err := readPage(query)
	if refused, ok := errors.AsType[*verify.Error](err); ok {
		code := verify.CodeInvalidPageSize
		if refused.Param == "PageToken" {
			code = verify.CodeInvalidPageToken
		}
		return q, page, &verify.Error{Code: code}
	}
	return q, page, err
}

func (a *API) createFactor(r *request) (response, error) {
	var p factorParams
	if err := decodeFactors(r.form, &p); err != nil {
		return response{}, err
	}
	f, err := a.factors.CreateFactor(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), factor.Params{
		FriendlyName:     p.FriendlyName,
		FactorType:       p.FactorType,
		Metadata:         p.Metadata,
		BindingSecret:    p.BindingSecret,
		TOTPParams:       factor.TOTPParams(p.totpParams),
		BindingAlg:       p.BindingAlg,
		BindingPublicKey: p.BindingPublicKey,
		PushParams:       factor.PushParams(p.pushParams),
		Grant:            r.grant,
	})
	if err != nil {
		return response{}, err
	}
	body, err := a.factorJSON(f.Factor, r.base)
	if err != nil {
		return response{}, err
	}
	body.Binding, body.Options = bindingJSON(f), null
	return response{status: http.StatusCreated, body: body}, nil
}

func (a *API) fetchFactor(r *request) (response, error) {
	f, err := a.factors.Factor(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return a.factorOK(f, r.base)
}

// factorOK is a factor as an answer.
func (a *API) factorOK(f *factor.Factor, base string) (response, error) {
	body, err := a.factorJSON(f, base)
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: body}, nil
}

func (a *API) updateFactor(r *request) (response, error) {
	var p factorUpdateParams
	if err := decodeFactors(r.form, &p); err != nil {
		return response{}, err
	}
	f, err := a.factors.UpdateFactor(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), r.vars.get("Sid"), factor.Update{
		AuthPayload:  p.AuthPayload,
		FriendlyName: p.FriendlyName,
		TOTPParams:   factor.TOTPParams(p.totpParams),
		PushParams:   factor.PushParams(p.pushParams),
	})
	if err != nil {
		return response{}, err
	}
	return a.factorOK(f, r.base)
}

func (a *API) deleteFactor(r *request) (response, error) {
	err := a.factors.DeleteFactor(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

func (a *API) listFactors(r *request) (response, error) {
	query, page, err := readFactorsPage(r.query)
	if err != nil {
		return response{}, err
	}
	factors, err := a.factors.Factors(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), page)
	if err != nil {
		return response{}, err
	}
	url := entityURL(r.base, r.vars.get("ServiceSid"), r.vars.get("Identity")) + "/Factors"
	factors, m := cutPage(query, "factors", url, factors, func(f factor.Factor) string { return f.SID })
	list := make([]factorBody, 0, len(factors))
	for i := range factors {
		body, err := a.factorJSON(&factors[i], r.base)
		if err != nil {
			return response{}, err
		}
		list = append(list, body)
	}
	return response{status: http.StatusOK, body: factorList{list, m}}, nil
}

type factorList struct {
	Factors []factorBody `json:"factors"`
	Meta    meta         `json:"meta"`
}

// factorBody is a factor. Binding and Options are there at its making alone, and then may be null.
type factorBody struct {
	SID          string            `json:"sid"`
	AccountSID   string            `json:"account_sid"`
	ServiceSID   string            `json:"service_sid"`
	EntitySID    string            `json:"entity_sid"`
	Identity     string            `json:"identity"`
	Binding      any               `json:"binding,omitempty"`
	Options      any               `json:"options,omitempty"`
	DateCreated  string            `json:"date_created"`
	DateUpdated  string            `json:"date_updated"`
	FriendlyName string            `json:"friendly_name"`
	Status       string            `json:"status"`
	FactorType   string            `json:"factor_type"`
	Config       any               `json:"config"`
	Metadata     map[string]string `json:"metadata"`
	URL          string            `json:"url"`
}

// null is a value that omitempty does not leave out.
var null = json.RawMessage("null")

type totpBindingBody struct {
	Secret string `json:"secret"`
	URI    string `json:"uri"`
}

type totpConfigBody struct {
	Alg        string `json:"alg"`
	Skew       int    `json:"skew"`
	CodeLength int    `json:"code_length"`
	TimeStep   int    `json:"time_step"`
}

type pushBindingBody struct {
	Alg       string `json:"alg"`
	PublicKey string `json:"public_key"`
}

// pushConfigBody is the configuration of a push factor. The published examples leave credential_sid out;
// the libraries for Android and iOS cannot do without it.
type pushConfigBody struct {
	SDKVersion           string  `json:"sdk_version"`
	AppID                string  `json:"app_id"`
	NotificationPlatform string  `json:"notification_platform"`
	NotificationToken    *string `json:"notification_token"`
	CredentialSID        string  `json:"credential_sid"`
}

func (a *API) factorJSON(f *factor.Factor, base string) (factorBody, error) {
	config, err := a.configJSON(f)
	return factorBody{
		SID:          f.SID,
		AccountSID:   f.AccountSID,
		ServiceSID:   f.ServiceSID,
		EntitySID:    f.EntitySID,
		Identity:     f.Identity,
		DateCreated:  timestamp(f.CreatedAt),
		DateUpdated:  timestamp(f.UpdatedAt),
		FriendlyName: f.FriendlyName,
		Status:       string(f.Status),
		FactorType:   string(f.Type),
		Config:       config,
		Metadata:     f.Metadata,
		URL:          entityURL(base, f.ServiceSID, f.Identity) + "/Factors/" + f.SID,
	}, err
}

// configJSON is the configuration of a factor as its type shows it.
func (a *API) configJSON(f *factor.Factor) (any, error) {
	switch {
	case f.Config.TOTP != nil:
		return totpConfigBody(*f.Config.TOTP), nil
	case f.Config.Push != nil:
		push := f.Config.Push
		body := pushConfigBody{push.SDKVersion, push.AppID, string(push.Platform), nil, f.CredentialSID}
		token, err := a.factors.NotificationToken(f)
		if token != "" {
			body.NotificationToken = &token
		}
		return body, err
	case f.Config.Passkey != nil:
		return passkeyConfigJSON(f.Config.Passkey), nil
	default:
		return null, nil
	}
}

// bindingJSON is what a new factor is bound to, as its type shows it.
func bindingJSON(f *factor.NewFactor) any {
	switch {
	case f.TOTP != nil:
		return totpBindingBody(*f.TOTP)
	case f.Config.Push != nil:
		return pushBindingBody{"ES256", f.Config.Push.PublicKey}
	default:
		return null
	}
}
