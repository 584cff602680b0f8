package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// deliveryFilters choose from the list of deliveries.
type deliveryFilters struct {
	WebhookSID string `form:"WebhookSid"`
	Status     string `form:"Status"`
}

// listDeliveries is no call of Twilio's: it lists what webhooks and the sink of events were told, newest
// first.
func (a *API) listDeliveries(r *request) (response, error) {
	query, page, err := readPage(r.query)
	if err != nil {
		return response{}, err
	}
	var p deliveryFilters
	if err := decode(r.query, &p); err != nil {
		return response{}, err
	}
	if p.WebhookSID != "" && !sid.Valid(sid.Webhook, p.WebhookSID) {
		return response{}, &verify.Error{Code: verify.CodeInvalidParameter, Param: "WebhookSid"}
	}
	switch verify.EventState(p.Status) {
	case "", verify.EventQueued, verify.EventDelivered, verify.EventFailed, verify.EventDropped:
	default:
		return response{}, &verify.Error{Code: verify.CodeInvalidParameter, Param: "Status"}
	}
	deliveries, err := a.engine.EventDeliveries(r.ctx,
		verify.EventQuery{AccountSID: r.account, WebhookSID: p.WebhookSID, State: verify.EventState(p.Status)}, page)
	if err != nil {
		return response{}, err
	}
	deliveries, m := cutPage(query, "deliveries", filtered[deliveryFilters](r.base+"/Verifyd/Deliveries", r.query), deliveries,
		func(d verify.EventDelivery) string { return d.SID })
	list := make([]deliveryBody, 0, len(deliveries))
	for i := range deliveries {
		list = append(list, deliveryJSON(&deliveries[i], r.base))
	}
	return response{status: http.StatusOK, body: deliveryList{list, m}}, nil
}

func (a *API) fetchDelivery(r *request) (response, error) {
	d, err := a.engine.EventDelivery(r.ctx, r.account, r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: deliveryJSON(d, r.base)}, nil
}

// resendDelivery has an event delivered again.
func (a *API) resendDelivery(r *request) (response, error) {
	d, err := a.engine.ResendEvent(r.ctx, r.account, r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusAccepted, body: deliveryJSON(d, r.base)}, nil
}

type deliveryList struct {
	Deliveries []deliveryBody `json:"deliveries"`
	Meta       meta           `json:"meta"`
}

type deliveryBody struct {
	SID         string            `json:"sid"`
	AccountSID  string            `json:"account_sid"`
	ServiceSID  string            `json:"service_sid"`
	WebhookSID  *string           `json:"webhook_sid"`
	EventType   string            `json:"event_type"`
	UUID        string            `json:"uuid"`
	Status      verify.EventState `json:"status"`
	Tries       []tryBody         `json:"tries"`
	DateCreated string            `json:"date_created"`
	DateUpdated string            `json:"date_updated"`
	URL         string            `json:"url"`
}

type tryBody struct {
	Date         string  `json:"date"`
	Milliseconds int     `json:"milliseconds"`
	Code         *int    `json:"code"`
	Error        *string `json:"error"`
}

func deliveryJSON(d *verify.EventDelivery, base string) deliveryBody {
	body := deliveryBody{
		SID:         d.SID,
		AccountSID:  d.AccountSID,
		ServiceSID:  d.ServiceSID,
		EventType:   d.EventType,
		UUID:        d.UUID,
		Status:      d.State,
		Tries:       make([]tryBody, 0, len(d.Tries)),
		DateCreated: timestamp(d.CreatedAt),
		DateUpdated: timestamp(d.UpdatedAt),
		URL:         base + "/Verifyd/Deliveries/" + d.SID,
	}
	if d.WebhookSID != "" {
		body.WebhookSID = &d.WebhookSID
	}
	for i := range d.Tries {
		try := &d.Tries[i]
		shown := tryBody{Date: timestamp(try.At), Milliseconds: try.Milli}
		if try.Code != 0 {
			shown.Code = &try.Code
		}
		if try.Error != "" {
			shown.Error = &try.Error
		}
		body.Tries = append(body.Tries, shown)
	}
	return body
}
