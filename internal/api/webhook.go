package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/verify"
)

type webhookParams struct {
	FriendlyName *string  `form:"FriendlyName"`
	EventTypes   []string `form:"EventTypes"`
	WebhookURL   *string  `form:"WebhookUrl"`
	Status       *string  `form:"Status"`
	Version      *string  `form:"Version"`
}

func (a *API) createWebhook(r *request) (response, error) {
	var p webhookParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	w, err := a.engine.CreateWebhook(r.ctx, r.account, r.vars.get("ServiceSid"), verify.WebhookParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: webhookJSON(w, r.base)}, nil
}

func (a *API) listWebhooks(r *request) (response, error) {
	query, page, err := readFactorsPage(r.query)
	if err != nil {
		return response{}, err
	}
	service := r.vars.get("ServiceSid")
	hooks, err := a.engine.Webhooks(r.ctx, r.account, service, page)
	if err != nil {
		return response{}, err
	}
	hooks, m := cutPage(query, "webhooks", r.base+"/Services/"+service+"/Webhooks", hooks,
		func(w verify.Webhook) string { return w.SID })
	list := make([]webhookBody, 0, len(hooks))
	for i := range hooks {
		list = append(list, webhookJSON(&hooks[i], r.base))
	}
	return response{status: http.StatusOK, body: webhookList{list, m}}, nil
}

func (a *API) fetchWebhook(r *request) (response, error) {
	w, err := a.engine.Webhook(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: webhookJSON(w, r.base)}, nil
}

func (a *API) updateWebhook(r *request) (response, error) {
	var p webhookParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	w, err := a.engine.UpdateWebhook(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid"), verify.WebhookParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: webhookJSON(w, r.base)}, nil
}

func (a *API) deleteWebhook(r *request) (response, error) {
	if err := a.engine.DeleteWebhook(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid")); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

type webhookList struct {
	Webhooks []webhookBody `json:"webhooks"`
	Meta     meta          `json:"meta"`
}

type webhookBody struct {
	URL           string                `json:"url"`
	SID           string                `json:"sid"`
	AccountSID    string                `json:"account_sid"`
	ServiceSID    string                `json:"service_sid"`
	FriendlyName  string                `json:"friendly_name"`
	EventTypes    []verify.EventType    `json:"event_types"`
	WebhookMethod string                `json:"webhook_method"`
	WebhookURL    string                `json:"webhook_url"`
	Status        verify.WebhookStatus  `json:"status"`
	Version       verify.WebhookVersion `json:"version"`
	DateCreated   string                `json:"date_created"`
	DateUpdated   string                `json:"date_updated"`
}

func webhookJSON(w *verify.Webhook, base string) webhookBody {
	return webhookBody{
		URL:           base + "/Services/" + w.ServiceSID + "/Webhooks/" + w.SID,
		SID:           w.SID,
		AccountSID:    w.AccountSID,
		ServiceSID:    w.ServiceSID,
		FriendlyName:  w.FriendlyName,
		EventTypes:    w.EventTypes,
		WebhookMethod: http.MethodPost,
		WebhookURL:    w.URL,
		Status:        w.Status,
		Version:       w.Version,
		DateCreated:   timestamp(w.CreatedAt),
		DateUpdated:   timestamp(w.UpdatedAt),
	}
}
