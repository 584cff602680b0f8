package api

import (
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/internal/verify"
)

// The paths below /v2/Verifyd are ours; Twilio has its own settings of this kind in its console.

type geographyParams struct {
	ServiceSID string `form:"ServiceSid"`
	Channel    string `form:"Channel"` // separated by commas, as Country
	Country    string `form:"Country"`
	Permission string `form:"Permission"`
}

func (a *API) fetchGeography(r *request) (response, error) {
	g, err := a.engine.Geography(r.ctx, r.account)
	if err != nil {
		return response{}, err
	}
	return geographyResponse(g, r.base), nil
}

// updateGeography takes the account's own token alone: whoever steals a key of a backend must not be
// able to open the countries that make stolen keys pay.
func (a *API) updateGeography(r *request) (response, error) {
	if !r.token {
		return response{}, &verify.Error{Code: verify.CodeAccessDenied}
	}
	var p geographyParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	g, err := a.engine.ChangeGeography(r.ctx, r.account, verify.GeoChange{
		ServiceSID: p.ServiceSID, Channels: commaList(p.Channel), Countries: commaList(p.Country), Permission: p.Permission,
	})
	if err != nil {
		return response{}, err
	}
	return geographyResponse(g, r.base), nil
}

func commaList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

type geographyBody struct {
	Rules []geoRuleBody `json:"rules"`
	URL   string        `json:"url"`
}

type geoRuleBody struct {
	ServiceSID *string `json:"service_sid"`
	Channel    *string `json:"channel"`
	Country    *string `json:"country"`
	Permission string  `json:"permission"`
}

func geographyResponse(g verify.Geography, base string) response {
	rules := make([]geoRuleBody, 0, len(g))
	for _, r := range g {
		permission := verify.Deny
		if r.Allowed {
			permission = verify.Allow
		}
		rules = append(rules, geoRuleBody{nullable(r.ServiceSID), nullable(string(r.Channel)), nullable(r.Country), permission})
	}
	return response{status: http.StatusOK, body: geographyBody{rules, base + "/Verifyd/Geography"}}
}
