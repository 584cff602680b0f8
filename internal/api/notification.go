package api

import (
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
)

type notificationParams struct {
	TTL *int `form:"Ttl"`
}

func (a *API) createNotification(r *request) (response, error) {
	var p notificationParams
	if err := decodeFactors(r.form, &p); err != nil {
		return response{}, err
	}
	n, err := a.factors.Notify(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), r.vars.get("ChallengeSid"), p.TTL)
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: notificationJSON(n)}, nil
}

type notificationBody struct {
	SID          string `json:"sid"`
	AccountSID   string `json:"account_sid"`
	ServiceSID   string `json:"service_sid"`
	EntitySID    string `json:"entity_sid"`
	Identity     string `json:"identity"`
	ChallengeSID string `json:"challenge_sid"`
	DateCreated  string `json:"date_created"`
	Priority     string `json:"priority"`
	TTL          int    `json:"ttl"`
}

func notificationJSON(n *factor.Notification) notificationBody {
	return notificationBody{
		SID:          n.SID,
		AccountSID:   n.AccountSID,
		ServiceSID:   n.ServiceSID,
		EntitySID:    n.EntitySID,
		Identity:     n.Identity,
		ChallengeSID: n.ChallengeSID,
		DateCreated:  timestamp(n.CreatedAt),
		Priority:     "high",
		TTL:          int(n.TTL / time.Second),
	}
}
