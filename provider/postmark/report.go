package postmark

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// bounces are the TypeCode of a bounce, https://postmarkapp.com/developer/api/bounce-api#bounce-types.
// Others are Temporary.
var bounces = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "1 100000", // HardBounce, BadEmailAddress
	// SpamNotification, VirusNotification, ManuallyDeactivated, Unconfirmed, Blocked, SMTPApiError, DMARCPolicy:
	provider.BadRequest: "512 8192 100002 100003 100006 100007 100009",
	provider.Temporary:  "2 256 2048 4096", // Transient, DnsError, Unknown, SoftBounce
})

// answered are types that a mailbox wrote after it took the mail: a note of absence, a change of
// address, a question whether we are people, and what people do about lists.
var answered = map[httpsend.Scalar]bool{"16": true, "32": true, "64": true, "128": true, "16384": true, "100001": true}

// prove asks for the name and password that Postmark was given with the URL.
func (p *Provider) prove(r *http.Request, _ []byte) error {
	if p.password == "" {
		return errors.New("report_username and report_password are not set")
	}
	user, password, _ := r.BasicAuth()
	if !httpreport.EqualSecret(user, p.username) || !httpreport.EqualSecret(password, p.password) {
		return httpreport.ErrProof
	}
	return nil
}

// readEvent reads a webhook. Openings, clicks and complaints are not reported.
func readEvent(_ *http.Request, body []byte) ([]provider.Report, error) {
	var e struct {
		RecordType  string
		MessageID   httpsend.Scalar
		TypeCode    httpsend.Scalar
		DeliveredAt string
		BouncedAt   string
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, errors.New("the body is not that of a webhook")
	}
	report := provider.Report{ID: httpsend.ID(string(e.MessageID))}
	when := ""
	switch {
	case report.ID == "":
		return nil, nil
	case e.RecordType == "Delivery":
		report.State, when = provider.Delivered, e.DeliveredAt
	case e.RecordType == "Bounce" && !answered[e.TypeCode]:
		report.State, when = provider.Failed, e.BouncedAt
		report.Code = httpsend.ID(string(e.TypeCode))
		report.Class = bounces.Of(report.Code, provider.Temporary)
	default:
		return nil, nil
	}
	if at, err := time.Parse(time.RFC3339, when); err == nil {
		report.At = at.UTC()
	}
	return []provider.Report{report}, nil
}
