package sinch

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// prove checks the signature of body, nonce and time. Plans for SMS sign nothing until Sinch turns it
// on: without a secret, the secret of the URL has to do.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if err := p.networks.Prove(r); err != nil {
		return err
	}
	if _, ok := ofCall(body); ok {
		return p.proveCall(r, body)
	}
	if p.webhookSecret == "" {
		return nil
	}
	nonce, timestamp := r.Header.Get("X-Sinch-Webhook-Signature-Nonce"), r.Header.Get("X-Sinch-Webhook-Signature-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	mac := httpreport.MAC(sha256.New, p.webhookSecret, string(body), ".", nonce, ".", timestamp)
	if err != nil || !httpreport.Recent(time.Unix(seconds, 0), p.now()) ||
		!httpreport.EqualBase64(mac, r.Header.Get("X-Sinch-Webhook-Signature")) {
		return httpreport.ErrProof
	}
	return nil
}

// report is the body of a call for one recipient.
type report struct {
	Type     string          `json:"type"`
	BatchID  httpsend.Scalar `json:"batch_id"`
	Code     httpsend.Scalar `json:"code"`
	Status   string          `json:"status"`
	At       string          `json:"at"`
	Operator httpsend.Scalar `json:"operator"`
}

var states = map[string]provider.ReportState{
	"Delivered": provider.Delivered,
	"Aborted":   provider.Failed,
	"Cancelled": provider.Failed,
	"Rejected":  provider.Failed,
	"Deleted":   provider.Failed,
	"Failed":    provider.Failed,
	"Expired":   provider.Failed,
}

// readReport reads a call. Queued, Dispatched and Unknown are not reported.
func (p *Provider) readReport(_ *http.Request, body []byte) ([]provider.Report, error) {
	if e, ok := ofCall(body); ok {
		return p.readCall(e), nil
	}
	var read report
	if err := json.Unmarshal(body, &read); err != nil {
		return nil, errors.New("the body is not that of a delivery report")
	}
	out := provider.Report{ID: httpsend.ID(string(read.BatchID)), State: states[read.Status]}
	if out.ID == "" || out.State == 0 || read.Type != "recipient_delivery_report_sms" {
		return nil, nil
	}
	if at, err := time.Parse(time.RFC3339, read.At); err == nil {
		out.At = at.UTC()
	}
	out.MCC, out.MNC = httpreport.Network(string(read.Operator))
	if out.State == provider.Failed {
		otherwise := provider.Temporary
		if read.Status == "Deleted" {
			otherwise = provider.BadRecipient
		}
		out.Code = httpsend.ID(string(read.Code))
		out.Class = failures.Of(out.Code, otherwise)
	}
	return []provider.Report{out}, nil
}
