package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/verify"
)

type messagingParams struct {
	Country             *string `form:"Country"`
	MessagingServiceSID *string `form:"MessagingServiceSid"`
}

type messagingServiceParams struct {
	MessagingServiceSID *string `form:"MessagingServiceSid"`
}

func (a *API) createMessagingConfiguration(r *request) (response, error) {
	var p messagingParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	c, err := a.engine.CreateMessagingConfiguration(r.ctx, r.account, r.vars.get("ServiceSid"), p.Country, p.MessagingServiceSID)
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: messagingJSON(c, r.base)}, nil
}

func (a *API) fetchMessagingConfiguration(r *request) (response, error) {
	c, err := a.engine.MessagingConfiguration(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Country"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: messagingJSON(c, r.base)}, nil
}

func (a *API) updateMessagingConfiguration(r *request) (response, error) {
	var p messagingServiceParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	c, err := a.engine.UpdateMessagingConfiguration(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Country"), p.MessagingServiceSID)
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: messagingJSON(c, r.base)}, nil
}

func (a *API) deleteMessagingConfiguration(r *request) (response, error) {
	if err := a.engine.DeleteMessagingConfiguration(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Country")); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

func (a *API) listMessagingConfigurations(r *request) (response, error) {
	query, page, err := readPage(r.query)
	if err != nil {
		return response{}, err
	}
	service := r.vars.get("ServiceSid")
	records, err := a.engine.MessagingConfigurations(r.ctx, r.account, service, page)
	if err != nil {
		return response{}, err
	}
	records, m := cutPage(query, "messaging_configurations", r.base+"/Services/"+service+"/MessagingConfigurations", records,
		func(c verify.MessagingConfiguration) string { return c.Country })
	list := make([]messagingBody, 0, len(records))
	for i := range records {
		list = append(list, messagingJSON(&records[i], r.base))
	}
	return response{status: http.StatusOK, body: messagingList{list, m}}, nil
}

type messagingList struct {
	MessagingConfigurations []messagingBody `json:"messaging_configurations"`
	Meta                    meta            `json:"meta"`
}

// messagingBody has no SID: the country is its key.
type messagingBody struct {
	AccountSID          string `json:"account_sid"`
	ServiceSID          string `json:"service_sid"`
	Country             string `json:"country"`
	MessagingServiceSID string `json:"messaging_service_sid"`
	DateCreated         string `json:"date_created"`
	DateUpdated         string `json:"date_updated"`
	URL                 string `json:"url"`
}

func messagingJSON(c *verify.MessagingConfiguration, base string) messagingBody {
	return messagingBody{
		AccountSID:          c.AccountSID,
		ServiceSID:          c.ServiceSID,
		Country:             c.Country,
		MessagingServiceSID: c.MessagingServiceSID,
		DateCreated:         timestamp(c.CreatedAt),
		DateUpdated:         timestamp(c.UpdatedAt),
		URL:                 base + "/Services/" + c.ServiceSID + "/MessagingConfigurations/" + c.Country,
	}
}
