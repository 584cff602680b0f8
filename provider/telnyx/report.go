package telnyx

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// prove checks the signature of https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if p.publicKey == nil {
		return errors.New("public_key is not set")
	}
	timestamp := r.Header.Get("Telnyx-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || !httpreport.Recent(time.Unix(seconds, 0), p.now()) {
		return httpreport.ErrProof
	}
	signature, err := base64.StdEncoding.DecodeString(r.Header.Get("Telnyx-Signature-Ed25519"))
	if err != nil || !ed25519.Verify(p.publicKey, append([]byte(timestamp+"|"), body...), signature) {
		return httpreport.ErrProof
	}
	return nil
}

// event is the body of a webhook.
type event struct {
	Data struct {
		EventType  string `json:"event_type"`
		OccurredAt string `json:"occurred_at"`
		Payload    struct {
			ID httpsend.Scalar `json:"id"`
			To []struct {
				Status string `json:"status"`
			} `json:"to"`
			Cost   cost          `json:"cost"`
			Errors []vendorError `json:"errors"`
		} `json:"payload"`
	} `json:"data"`
}

var states = map[string]provider.ReportState{
	"delivered":       provider.Delivered,
	"delivery_failed": provider.Failed,
	"sending_failed":  provider.Failed,
}

// readReport reads a webhook. Message.sent and an unconfirmed delivery are not reported, nor are
// texts that people send.
func (p *Provider) readReport(r *http.Request, body []byte) ([]provider.Report, error) {
	// A call and a text have fields of one name and different kinds: to is a number here and a list there.
	var kind struct {
		Data struct {
			EventType string `json:"event_type"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &kind); err != nil {
		return nil, errors.New("the body is not that of a webhook")
	}
	if strings.HasPrefix(kind.Data.EventType, "call.") {
		return p.readCall(r.Context(), body)
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, errors.New("the body is not that of a webhook")
	}
	payload := e.Data.Payload
	if e.Data.EventType != "message.finalized" || len(payload.To) == 0 {
		return nil, nil
	}
	report := provider.Report{ID: httpsend.ID(string(payload.ID)), State: states[payload.To[0].Status], Price: payload.Cost.price()}
	if report.ID == "" || report.State == 0 {
		return nil, nil
	}
	if at, err := time.Parse(time.RFC3339, e.Data.OccurredAt); err == nil {
		report.At = at.UTC()
	}
	if report.State == provider.Failed {
		report.Class = provider.Temporary
		if len(payload.Errors) > 0 {
			report.Code = httpsend.ID(string(payload.Errors[0].Code))
			report.Class = codes.Of(report.Code, provider.Temporary)
		}
	}
	return []provider.Report{report}, nil
}
