package vonage

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// The Messages API carries what the SMS API does not, RCS for one. It answers with honest statuses.

// text is the request of https://developer.vonage.com/en/api/messages.
type text struct {
	MessageType string `json:"message_type"`
	Channel     string `json:"channel"`
	To          string `json:"to"`
	From        string `json:"from"`
	Text        string `json:"text"`
	TTL         int    `json:"ttl"` // in seconds
	ClientRef   string `json:"client_ref"`
	WebhookURL  string `json:"webhook_url,omitempty"`
}

// sendRCS posts one text.
func (p *Provider) sendRCS(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	from := m.From
	if from == "" {
		from = p.rcsFrom
	}
	if from == "" {
		return provider.Accepted{}, &provider.Error{Class: provider.BadRequest, Detail: "there is no sender for rcs: set rcs_from"}
	}
	return p.sender.Send(ctx, httpsend.Request{
		URL:    p.messages,
		Header: http.Header{"Authorization": {p.authorization}, "Content-Type": {"application/json"}, "Accept": {"application/json"}},
		Body: httpsend.JSON(text{
			MessageType: "text", Channel: "rcs", To: strings.TrimPrefix(m.To, "+"), From: from, Text: m.Text, ClientRef: m.Key,
			TTL: int(p.sender.Life(m, 20*time.Second, 10*time.Minute).Seconds()), WebhookURL: p.reportURL,
		}),
	}, m, readMessage)
}

// readMessage gives either the acceptance or the error that an answer means. There are no codes: the
// status decides.
func readMessage(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read struct {
		ID     httpsend.Scalar `json:"message_uuid"`
		Title  httpsend.Scalar `json:"title"`
		Detail httpsend.Scalar `json:"detail"`
	}
	_ = json.Unmarshal(a.Body, &read) // fields of another type are taken as absent
	if a.OK() {
		return provider.Accepted{ID: httpsend.ID(string(read.ID))}, nil
	}
	httpsend.Codes(nil).Refine(refusal, "", strings.Trim(string(read.Title)+": "+string(read.Detail), ": "))
	return provider.Accepted{}, refusal
}

// messageStates are the states of a message of the Messages API; submitted is on its way.
var messageStates = map[string]provider.ReportState{
	"delivered":     provider.Delivered,
	"read":          provider.Read,
	"rejected":      provider.Failed,
	"undeliverable": provider.Failed,
}

// readStatus reads a status webhook of the Messages API; ok is false for a receipt of the SMS API.
func readStatus(body []byte) (reports []provider.Report, ok bool) {
	var read struct {
		ID        httpsend.Scalar `json:"message_uuid"`
		Status    httpsend.Scalar `json:"status"`
		Timestamp httpsend.Scalar `json:"timestamp"`
		Error     struct {
			Title httpsend.Scalar `json:"title"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &read) // fields of another type are taken as absent
	if read.ID == "" {
		return nil, false
	}
	report := provider.Report{ID: httpsend.ID(string(read.ID)), State: messageStates[string(read.Status)]}
	if report.ID == "" || report.State == 0 {
		return nil, true
	}
	if at, err := time.Parse(time.RFC3339, string(read.Timestamp)); err == nil {
		report.At = at
	}
	if report.State == provider.Failed {
		report.Code, report.Class = httpsend.ID(string(read.Error.Title)), provider.Temporary
	}
	return []provider.Report{report}, true
}
