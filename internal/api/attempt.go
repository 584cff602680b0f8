package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// attemptQuery are the filters of the list.
type attemptQuery struct {
	DateCreatedAfter  string `form:"DateCreatedAfter"`
	DateCreatedBefore string `form:"DateCreatedBefore"`
	To                string `form:"ChannelData.To"`
	DestinationPrefix string
	Country           string `form:"Country"`
	Channel           string `form:"Channel"`
	ServiceSID        string `form:"VerifyServiceSid"`
	VerificationSID   string `form:"VerificationSid"`
	Status            string `form:"Status"`
}

// summaryQuery are the filters of the summary.
type summaryQuery struct {
	DateCreatedAfter  string `form:"DateCreatedAfter"`
	DateCreatedBefore string `form:"DateCreatedBefore"`
	To                string
	DestinationPrefix string `form:"DestinationPrefix"`
	Country           string `form:"Country"`
	Channel           string `form:"Channel"`
	ServiceSID        string `form:"VerifyServiceSid"`
	VerificationSID   string
	Status            string
}

func (a *API) listAttempts(r *request) (response, error) {
	place, page, err := readPage(r.query)
	if err != nil {
		return response{}, err
	}
	page.Size = place.size // the engine knows by itself whether there is more
	var q attemptQuery
	if err := decode(r.query, &q); err != nil {
		return response{}, err
	}
	p, err := a.engine.Attempts(r.ctx, r.account, verify.AttemptQuery(q), page)
	if err != nil {
		return response{}, err
	}
	list := make([]attemptBody, 0, len(p.Attempts))
	for i := range p.Attempts {
		list = append(list, attemptJSON(&p.Attempts[i], r.base, a.engine.Now()))
	}
	return response{status: http.StatusOK, body: attemptList{list, place.describe("attempts", filtered[attemptQuery](r.base+"/Attempts", r.query), p.Next)}}, nil
}

func (a *API) fetchAttempt(r *request) (response, error) {
	attempt, err := a.engine.Attempt(r.ctx, r.account, r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: attemptJSON(attempt, r.base, a.engine.Now())}, nil
}

func (a *API) fetchAttemptsSummary(r *request) (response, error) {
	var q summaryQuery
	if err := decode(r.query, &q); err != nil {
		return response{}, err
	}
	n, err := a.engine.AttemptSummary(r.ctx, r.account, verify.AttemptQuery(q))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: summaryBody{n.Made, n.Converted, n.Made - n.Converted, n.Rate(), r.base + "/Attempts/Summary"}}, nil
}

type summaryBody struct {
	Total       int    `json:"total_attempts"`
	Converted   int    `json:"total_converted"`
	Unconverted int    `json:"total_unconverted"`
	Rate        string `json:"conversion_rate_percentage"`
	URL         string `json:"url"`
}

type attemptList struct {
	Attempts []attemptBody `json:"attempts"`
	Meta     meta          `json:"meta"`
}

type attemptBody struct {
	SID              string     `json:"sid"`
	AccountSID       string     `json:"account_sid"`
	ServiceSID       string     `json:"service_sid"`
	VerificationSID  string     `json:"verification_sid"`
	DateCreated      string     `json:"date_created"`
	DateUpdated      string     `json:"date_updated"`
	ConversionStatus string     `json:"conversion_status"`
	Channel          string     `json:"channel"`
	Price            *priceBody `json:"price"`
	ChannelData      any        `json:"channel_data"`
	URL              string     `json:"url"`
}

type priceBody struct {
	Value    string `json:"value"`
	Currency string `json:"currency"` // in small letters
}

// channelData is what an attempt on any channel has to say of itself.
type channelData struct {
	VerificationSID string  `json:"verification_sid"`
	To              string  `json:"to"`
	Status          string  `json:"status"` // confirmed, unconfirmed, expired
	ErrorCode       *string `json:"error_code"`
	Country         *string `json:"country"`
	CodeLength      int     `json:"code_length"`
	Locale          *string `json:"locale"`
	MCC             *string `json:"mcc"`
	MNC             *string `json:"mnc"`
	Carrier         *string `json:"carrier"`
}

type messageData struct {
	channelData
	MessageStatus string `json:"message_status"`
}

type callData struct {
	channelData
	CallStatus string `json:"call_status"`
}

// messageStatus and callStatus are the API's words for what is known of an attempt. Of one that was
// handed over and whose outcome nobody knows, they say what is likelier.
var (
	messageStatus = map[verify.AttemptState]string{
		verify.AttemptQueued:      "queued",
		verify.AttemptSent:        "sent",
		verify.AttemptUnknown:     "sent",
		verify.AttemptDelivered:   "delivered",
		verify.AttemptRead:        "read",
		verify.AttemptUndelivered: "undelivered",
		verify.AttemptFailed:      "failed",
		verify.AttemptDropped:     "canceled",
	}
	callStatus = map[verify.AttemptState]string{
		verify.AttemptQueued:      "queued",
		verify.AttemptSent:        "in-progress",
		verify.AttemptUnknown:     "in-progress",
		verify.AttemptDelivered:   "completed",
		verify.AttemptRead:        "completed",
		verify.AttemptUndelivered: "failed",
		verify.AttemptFailed:      "failed",
		verify.AttemptDropped:     "canceled",
	}
)

func attemptJSON(a *verify.Attempt, base string, now time.Time) attemptBody {
	b := attemptBody{
		SID:              a.SID,
		AccountSID:       a.AccountSID,
		ServiceSID:       a.ServiceSID,
		VerificationSID:  a.VerificationSID,
		DateCreated:      timestamp(a.CreatedAt),
		DateUpdated:      timestamp(a.UpdatedAt),
		ConversionStatus: string(a.Conversion()),
		Channel:          a.Channel.AttemptName(),
		URL:              base + "/Attempts/" + a.SID,
	}
	if a.Price != "" {
		b.Price = &priceBody{a.Price, strings.ToLower(a.Currency)}
	}
	data := channelData{
		VerificationSID: a.VerificationSID,
		To:              a.To,
		Status:          "unconfirmed",
		ErrorCode:       nullable(a.ErrorCode),
		Country:         nullable(a.Country),
		CodeLength:      a.CodeLength,
		Locale:          nullable(a.Locale),
		MCC:             nullable(a.MCC),
		MNC:             nullable(a.MNC),
		Carrier:         nullable(a.Carrier),
	}
	switch {
	case a.Converted:
		data.Status = "confirmed"
	case !now.Before(a.ExpiresAt):
		data.Status = "expired"
	}
	if a.Channel == verify.Call {
		b.ChannelData = callData{data, callStatus[a.State]}
	} else {
		b.ChannelData = messageData{data, messageStatus[a.State]}
	}
	return b
}
