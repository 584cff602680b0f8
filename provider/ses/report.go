package ses

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// refusals are the exceptions of https://docs.aws.amazon.com/ses/latest/APIReference-V2/
// API_SendEmail.html. Others are judged by the status. None speaks of the address: SES learns of it
// later.
var refusals = httpsend.Table(map[provider.Class]string{
	provider.BadRequest: "AccountSuspendedException BadRequestException MailFromDomainNotVerifiedException MessageRejected NotFoundException SendingPausedException",
	provider.Throttled:  "LimitExceededException ThrottlingException TooManyRequestsException",
})

// bounces are the bounceType and bounceSubType of https://docs.aws.amazon.com/ses/latest/dg/
// event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-bounce-object.
// Others go by the status of the mail server, or are Temporary where that says nothing. The suppression
// list of the account holds complaints too, so it speaks of this account; that of SES (Suppressed) holds
// addresses that are dead for everybody.
var bounces = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "Permanent/NoEmail Permanent/Suppressed",
	provider.BadRequest:   "Permanent/OnAccountSuppressionList Transient/AttachmentRejected Transient/ContentRejected Transient/MessageTooLarge",
	provider.Temporary:    "Transient/General Transient/MailboxFull Undetermined/Undetermined",
})

// event is what the Message of a notification holds.
type event struct {
	EventType        string `json:"eventType"`
	NotificationType string `json:"notificationType"` // of a topic of an identity, without a configuration set
	Mail             struct {
		MessageID httpsend.Scalar `json:"messageId"`
	} `json:"mail"`
	Bounce struct {
		Type       string `json:"bounceType"`
		SubType    string `json:"bounceSubType"`
		Timestamp  string `json:"timestamp"`
		Recipients []struct {
			Status httpsend.Scalar `json:"status"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Delivery struct {
		Timestamp string `json:"timestamp"`
	} `json:"delivery"`
}

// readReport reads a call of the topic, which confirms its subscription by itself.
func (p *Provider) readReport(r *http.Request, body []byte) ([]provider.Report, error) {
	text, ok, err := p.topic.Message(r.Context(), body)
	if err != nil || !ok {
		return nil, err
	}
	return readEvent([]byte(text))
}

// readEvent reads an event. Sent and delayed are on the way, and what people do with a mail is theirs:
// neither is reported.
func readEvent(text []byte) ([]provider.Report, error) {
	var e event
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, errors.New("the message is not that of an event")
	}
	kind := e.EventType
	if kind == "" {
		kind = e.NotificationType
	}
	report := provider.Report{ID: httpsend.ID(string(e.Mail.MessageID))}
	when := ""
	switch {
	case report.ID == "":
		return nil, nil
	case kind == "Delivery":
		report.State, when = provider.Delivered, e.Delivery.Timestamp
	case kind == "Bounce":
		report.State, when = provider.Failed, e.Bounce.Timestamp
		report.Code, report.Class = e.bounce()
	case kind == "Reject": // a virus, SES says
		report.State, report.Code, report.Class = provider.Failed, kind, provider.BadRequest
	default:
		return nil, nil
	}
	if at, err := time.Parse(time.RFC3339, when); err == nil {
		report.At = at.UTC()
	}
	return []provider.Report{report}, nil
}

// bounce is what came back: "Permanent/General 5.1.1".
func (e event) bounce() (code string, class provider.Class) {
	code = e.Bounce.Type + "/" + e.Bounce.SubType
	class, known := bounces[code]
	if len(e.Bounce.Recipients) > 0 && e.Bounce.Recipients[0].Status != "" {
		status := string(e.Bounce.Recipients[0].Status)
		if code += " " + status; !known {
			class = email.Class(status, 0)
		}
	}
	if class == 0 {
		class = provider.Temporary
	}
	return httpsend.ID(code), class
}
