package rcs

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// maxSetUp is more than the call has by which Google makes sure of a webhook.
const maxSetUp = 4 << 10

// ServeReport takes the events of the webhook, and the one call by which Google makes sure of it: that one
// brings the client token and a secret, and wants the secret back
// (https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks).
func (p *Provider) ServeReport(w http.ResponseWriter, r *http.Request) {
	start, err := io.ReadAll(io.LimitReader(r.Body, maxSetUp))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	var setUp struct {
		ClientToken string `json:"clientToken"`
		Secret      string `json:"secret"`
	}
	if json.Unmarshal(start, &setUp) == nil && setUp.ClientToken != "" && r.Method == http.MethodPost {
		if !httpreport.EqualSecret(setUp.ClientToken, p.clientToken) {
			http.Error(w, "not proved", http.StatusForbidden)
			return
		}
		// Text, and never looked into, so that no browser takes a secret for a page.
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		io.WriteString(w, setUp.Secret)
		return
	}
	rest := r.Body
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), rest), rest}
	p.reports.ServeHTTP(w, r)
}

// readData is what a call carries, as the bytes that are signed.
func readData(body []byte) ([]byte, bool) {
	var call struct {
		Message struct {
			Data string `json:"data"`
		} `json:"message"`
	}
	if json.Unmarshal(body, &call) != nil || call.Message.Data == "" {
		return nil, false
	}
	data, err := base64.StdEncoding.DecodeString(call.Message.Data)
	return data, err == nil
}

// prove checks X-Goog-Signature, which is of the data and not of the body around it.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if p.clientToken == "" {
		return errNoToken
	}
	data, ok := readData(body)
	if !ok || !httpreport.EqualBase64(httpreport.MAC(sha512.New, p.clientToken, string(data)), r.Header.Get("X-Goog-Signature")) {
		return httpreport.ErrProof
	}
	return nil
}

// event is a UserEvent or a ServerEvent, as far as it is about a message of ours.
type event struct {
	EventType httpsend.Scalar `json:"eventType"`
	MessageID httpsend.Scalar `json:"messageId"`
	AgentID   httpsend.Scalar `json:"agentId"`
	SendTime  httpsend.Scalar `json:"sendTime"`
}

// states are what the types of events say. A message that Google could not take back may arrive yet.
var states = map[string]provider.ReportState{
	"DELIVERED":                    provider.Delivered,
	"READ":                         provider.Read,
	"TTL_EXPIRATION_REVOKED":       provider.Failed,
	"TTL_EXPIRATION_REVOKE_FAILED": provider.NotRevoked,
}

// readReports reads a call. The webhook of a partner is called for all its agents, and with what people
// write: neither is reported.
func (p *Provider) readReports(_ *http.Request, body []byte) ([]provider.Report, error) {
	data, ok := readData(body)
	var e event
	if !ok || json.Unmarshal(data, &e) != nil {
		return nil, errors.New("the data is not that of an event")
	}
	report := provider.Report{ID: httpsend.ID(string(e.MessageID)), State: states[string(e.EventType)]}
	if report.ID == "" || report.State == 0 || trimDomain(string(e.AgentID)) != p.agent {
		return nil, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, string(e.SendTime)); err == nil {
		report.At = at
	}
	if report.State == provider.Failed || report.State == provider.NotRevoked {
		report.Code = string(e.EventType)
	}
	if report.State == provider.Failed {
		report.Class = provider.Temporary
	}
	return []provider.Report{report}, nil
}
