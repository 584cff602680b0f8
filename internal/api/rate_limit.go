package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/verify"
)

type rateLimitParams struct {
	UniqueName  *string `form:"UniqueName"`
	Description *string `form:"Description"`
}

type descriptionParams struct {
	Description *string `form:"Description"`
}

func (a *API) createRateLimit(r *request) (response, error) {
	var p rateLimitParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	l, err := a.engine.CreateRateLimit(r.ctx, r.account, r.vars.get("ServiceSid"), verify.RateLimitParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: rateLimitJSON(l, r.base)}, nil
}

func (a *API) listRateLimits(r *request) (response, error) {
	query, page, err := readPage(r.query)
	if err != nil {
		return response{}, err
	}
	service := r.vars.get("ServiceSid")
	limits, err := a.engine.RateLimits(r.ctx, r.account, service, page)
	if err != nil {
		return response{}, err
	}
	limits, m := cutPage(query, "rate_limits", r.base+"/Services/"+service+"/RateLimits", limits,
		func(l verify.RateLimit) string { return l.SID })
	list := make([]rateLimitBody, 0, len(limits))
	for i := range limits {
		list = append(list, rateLimitJSON(&limits[i], r.base))
	}
	return response{status: http.StatusOK, body: rateLimitList{list, m}}, nil
}

func (a *API) fetchRateLimit(r *request) (response, error) {
	l, err := a.engine.RateLimit(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: rateLimitJSON(l, r.base)}, nil
}

func (a *API) updateRateLimit(r *request) (response, error) {
	var p descriptionParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	l, err := a.engine.UpdateRateLimit(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid"),
		verify.RateLimitParams{Description: p.Description})
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: rateLimitJSON(l, r.base)}, nil
}

func (a *API) deleteRateLimit(r *request) (response, error) {
	if err := a.engine.DeleteRateLimit(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid")); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

type rateLimitList struct {
	RateLimits []rateLimitBody `json:"rate_limits"`
	Meta       meta            `json:"meta"`
}

type rateLimitBody struct {
	SID         string            `json:"sid"`
	ServiceSID  string            `json:"service_sid"`
	AccountSID  string            `json:"account_sid"`
	UniqueName  string            `json:"unique_name"`
	Description *string           `json:"description"`
	DateCreated string            `json:"date_created"`
	DateUpdated string            `json:"date_updated"`
	URL         string            `json:"url"`
	Links       rateLimitLinkBody `json:"links"`
}

type rateLimitLinkBody struct {
	Buckets string `json:"buckets"`
}

func rateLimitJSON(l *verify.RateLimit, base string) rateLimitBody {
	url := base + "/Services/" + l.ServiceSID + "/RateLimits/" + l.SID
	return rateLimitBody{
		SID:         l.SID,
		ServiceSID:  l.ServiceSID,
		AccountSID:  l.AccountSID,
		UniqueName:  l.UniqueName,
		Description: l.Description,
		DateCreated: timestamp(l.CreatedAt),
		DateUpdated: timestamp(l.UpdatedAt),
		URL:         url,
		Links:       rateLimitLinkBody{Buckets: url + "/Buckets"},
	}
}
