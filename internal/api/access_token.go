package api

import (
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
)

type accessTokenParams struct {
	Identity           *string `form:"Identity"`
	FactorType         *string `form:"FactorType"`
	FactorFriendlyName *string `form:"FactorFriendlyName"`
	TTL                *int    `form:"Ttl"`
}

func (a *API) createAccessToken(r *request) (response, error) {
	var p accessTokenParams
	if err := decodeFactors(r.form, &p); err != nil {
		return response{}, err
	}
	t, token, err := a.factors.CreateAccessToken(r.ctx, r.account, r.vars.get("ServiceSid"), factor.AccessTokenParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: accessTokenJSON(t, token, r.base)}, nil
}

func (a *API) fetchAccessToken(r *request) (response, error) {
	t, token, err := a.factors.AccessToken(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: accessTokenJSON(t, token, r.base)}, nil
}

type accessTokenBody struct {
	SID                string  `json:"sid"`
	AccountSID         string  `json:"account_sid"`
	ServiceSID         string  `json:"service_sid"`
	EntityIdentity     string  `json:"entity_identity"`
	FactorType         string  `json:"factor_type"`
	FactorFriendlyName *string `json:"factor_friendly_name"`
	TTL                int     `json:"ttl"`
	DateCreated        string  `json:"date_created"`
	Token              string  `json:"token"`
	URL                string  `json:"url"`
}

func accessTokenJSON(t *factor.AccessToken, token, base string) accessTokenBody {
	body := accessTokenBody{
		SID:            t.SID,
		AccountSID:     t.AccountSID,
		ServiceSID:     t.ServiceSID,
		EntityIdentity: t.Identity,
		FactorType:     string(t.FactorType),
		TTL:            int(t.TTL / time.Second),
		DateCreated:    timestamp(t.CreatedAt),
		Token:          token,
		URL:            base + "/Services/" + t.ServiceSID + "/AccessTokens/" + t.SID,
	}
	if t.FriendlyName != "" {
		body.FactorFriendlyName = &t.FriendlyName
	}
	return body
}
