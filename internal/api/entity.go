package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/factor"
)

type entityParams struct {
	Identity *string `form:"Identity"`
}

func (a *API) createEntity(r *request) (response, error) {
	var p entityParams
	if err := decodeFactors(r.form, &p); err != nil {
		return response{}, err
	}
	e, err := a.factors.CreateEntity(r.ctx, r.account, r.vars.get("ServiceSid"), p.Identity)
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: entityJSON(e, r.base)}, nil
}

func (a *API) fetchEntity(r *request) (response, error) {
	e, err := a.factors.Entity(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: entityJSON(e, r.base)}, nil
}

func (a *API) deleteEntity(r *request) (response, error) {
	if err := a.factors.DeleteEntity(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity")); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

func (a *API) listEntities(r *request) (response, error) {
	query, page, err := readFactorsPage(r.query)
	if err != nil {
		return response{}, err
	}
	entities, err := a.factors.Entities(r.ctx, r.account, r.vars.get("ServiceSid"), page)
	if err != nil {
		return response{}, err
	}
	url := r.base + "/Services/" + r.vars.get("ServiceSid") + "/Entities"
	entities, m := cutPage(query, "entities", url, entities, func(e factor.Entity) string { return e.SID })
	list := make([]entityBody, 0, len(entities))
	for i := range entities {
		list = append(list, entityJSON(&entities[i], r.base))
	}
	return response{status: http.StatusOK, body: entityList{list, m}}, nil
}

type entityList struct {
	Entities []entityBody `json:"entities"`
	Meta     meta         `json:"meta"`
}

type entityBody struct {
	SID         string         `json:"sid"`
	Identity    string         `json:"identity"`
	AccountSID  string         `json:"account_sid"`
	ServiceSID  string         `json:"service_sid"`
	DateCreated string         `json:"date_created"`
	DateUpdated string         `json:"date_updated"`
	URL         string         `json:"url"`
	Links       entityLinkBody `json:"links"`
}

type entityLinkBody struct {
	Factors    string `json:"factors"`
	NewFactors string `json:"new_factors"`
	Challenges string `json:"challenges"`
}

func entityJSON(e *factor.Entity, base string) entityBody {
	url := entityURL(base, e.ServiceSID, e.Identity)
	return entityBody{
		SID:         e.SID,
		Identity:    e.Identity,
		AccountSID:  e.AccountSID,
		ServiceSID:  e.ServiceSID,
		DateCreated: timestamp(e.CreatedAt),
		DateUpdated: timestamp(e.UpdatedAt),
		URL:         url,
		Links: entityLinkBody{
			Factors:    url + "/Factors",
			NewFactors: url + "/Factors",
			Challenges: url + "/Challenges",
		},
	}
}

// entityURL is the URL of an entity. An identity has nothing in it that a path would encode.
func entityURL(base, serviceSID, identity string) string {
	return base + "/Services/" + serviceSID + "/Entities/" + identity
}
