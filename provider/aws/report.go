package aws

import (
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// event is what the Message of a notification holds.
type event struct {
	EventType      string          `json:"eventType"`
	EventTimestamp int64           `json:"eventTimestamp"` // in milliseconds
	MessageID      httpsend.Scalar `json:"messageId"`
	MCC            httpsend.Scalar `json:"mcc"`
	MNC            httpsend.Scalar `json:"mnc"`
	Price          httpsend.Scalar `json:"totalMessagePrice"`
	CarrierFee     httpsend.Scalar `json:"totalCarrierFee"`
}

// readReport reads a call of the topic, which confirms its subscription by itself.
func (p *Provider) readReport(r *http.Request, body []byte) ([]provider.Report, error) {
	text, ok, err := p.topic.Message(r.Context(), body)
	if err != nil || !ok {
		return nil, err
	}
	return readEvent([]byte(text))
}

// readEvent reads an event. Queued, sent, and accepted by the carrier (TEXT_SUCCESSFUL) are not
// reported.
func readEvent(text []byte) ([]provider.Report, error) {
	var e event
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, errors.New("the message is not that of an event")
	}
	report := provider.Report{ID: httpsend.ID(string(e.MessageID)), Price: e.price()}
	class, failed := failures[e.EventType]
	switch {
	case report.ID == "":
		return nil, nil
	case failed:
		report.State, report.Class, report.Code = provider.Failed, class, e.EventType
	case e.EventType == "TEXT_DELIVERED":
		report.State = provider.Delivered
	default:
		return nil, nil
	}
	report.MCC, report.MNC = httpreport.Network(string(e.MCC + e.MNC))
	if e.EventTimestamp > 0 {
		report.At = time.UnixMilli(e.EventTimestamp).UTC()
	}
	return []provider.Report{report}, nil
}

// price is that of the message and the carrier's fee, in dollars.
func (e event) price() provider.Price {
	sum := new(big.Rat)
	for _, part := range []httpsend.Scalar{e.Price, e.CarrierFee} {
		if amount, ok := new(big.Rat).SetString(httpsend.Price(string(part), "USD").Amount); ok {
			sum.Add(sum, amount)
		}
	}
	if sum.Sign() == 0 {
		return provider.Price{}
	}
	return httpsend.Price(sum.FloatString(8), "USD")
}
