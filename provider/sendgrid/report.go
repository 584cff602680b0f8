package sendgrid

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// ofRecipient is the field of an error that speaks of the address: "personalizations.0.to.0.email".
var ofRecipient = regexp.MustCompile(`^personalizations\.[0-9]+\.to\b`)

// drops are the reasons of an event "dropped", https://www.twilio.com/docs/sendgrid/for-developers/
// tracking-events/event: SendGrid did not send at all. Others are BadRequest. An address that bounced,
// or is none, is so for everybody; one that unsubscribed did so from this account.
var drops = map[string]provider.Class{
	"Bounced Address":                   provider.BadRecipient,
	"Invalid":                           provider.BadRecipient,
	"Unsubscribed Address":              provider.BadRequest,
	"Spam Reporting Address":            provider.BadRequest,
	"Spam Content":                      provider.BadRequest,
	"Invalid SMTPAPI header":            provider.BadRequest,
	"Recipient List over Package Quota": provider.BadRequest,
}

// prove checks the signature of https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/
// getting-started-event-webhook-security-features. The official library leaves the time alone.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if p.publicKey == nil {
		return errors.New("public_key is not set")
	}
	timestamp := r.Header.Get("X-Twilio-Email-Event-Webhook-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || !httpreport.Recent(time.Unix(seconds, 0), p.now()) {
		return httpreport.ErrProof
	}
	signature, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Twilio-Email-Event-Webhook-Signature"))
	if err != nil {
		return httpreport.ErrProof
	}
	sum := sha256.Sum256(append([]byte(timestamp), body...))
	if !ecdsa.VerifyASN1(p.publicKey, sum[:], signature) {
		return httpreport.ErrProof
	}
	return nil
}

// event is one of the batch that a call brings.
type event struct {
	Event     string          `json:"event"`
	Type      string          `json:"type"` // of a bounce: "bounce" or "blocked"
	Status    httpsend.Scalar `json:"status"`
	Reason    string          `json:"reason"`
	Timestamp int64           `json:"timestamp"`
	MessageID httpsend.Scalar `json:"sg_message_id"`
	Key       httpsend.Scalar `json:"verifyd_key"`
}

// readEvents reads a call. Processed and deferred are on the way, and what people do with a mail is
// theirs: neither is reported.
func readEvents(_ *http.Request, body []byte) ([]provider.Report, error) {
	var batch []event
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, errors.New("the body is not that of an event webhook")
	}
	var all []provider.Report
	for _, e := range batch {
		if report, ok := e.report(); ok {
			all = append(all, report)
		}
	}
	return all, nil
}

func (e event) report() (r provider.Report, ok bool) {
	if r.Key = httpsend.ID(string(e.Key)); r.Key == "" {
		// "14c5d75ce93.dfd.64b469.filter0001…": what stands before the first dot is the X-Message-Id.
		before, _, _ := strings.Cut(string(e.MessageID), ".")
		r.ID = httpsend.ID(before)
	}
	switch e.Event {
	case "delivered":
		r.State = provider.Delivered
	case "bounce", "blocked":
		r.State, r.Code = provider.Failed, httpsend.ID(string(e.Status))
		r.Class = email.Class(string(e.Status), otherwise[e.Event == "blocked" || e.Type == "blocked"])
	case "dropped":
		r.State, r.Code, r.Class = provider.Failed, "dropped", provider.BadRequest
		if class, known := drops[e.Reason]; known {
			r.Code, r.Class = "dropped: "+e.Reason, class
		}
	default:
		return r, false
	}
	if e.Timestamp > 0 {
		r.At = time.Unix(e.Timestamp, 0).UTC()
	}
	return r, r.ID != "" || r.Key != ""
}

// otherwise is the class of a bounce without a status, by whether it was a block: a block passes.
var otherwise = map[bool]provider.Class{true: provider.Temporary, false: provider.BadRequest}
