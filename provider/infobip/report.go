package infobip

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

// prove asks for the name and password of the subscription. Where it has none, the secret of the
// URL has to do: Infobip signs nothing by itself.
func (p *Provider) prove(r *http.Request, _ []byte) error {
	if err := p.networks.Prove(r); err != nil {
		return err
	}
	if p.password == "" {
		return nil
	}
	user, password, _ := r.BasicAuth()
	if !httpreport.EqualSecret(user, p.username) || !httpreport.EqualSecret(password, p.password) {
		return httpreport.ErrProof
	}
	return nil
}

// reports is the body of a call.
type reports struct {
	Results []result `json:"results"`
}

type result struct {
	MessageID    httpsend.Scalar `json:"messageId"`
	DoneAt       string          `json:"doneAt"`
	MCCMNC       httpsend.Scalar `json:"mccMnc"`
	SMSCount     int64           `json:"smsCount"`
	MessageCount int64           `json:"messageCount"`
	Price        struct {
		PerMessage httpsend.Scalar `json:"pricePerMessage"`
		Currency   httpsend.Scalar `json:"currency"`
	} `json:"price"`
	Status status `json:"status"`
	Error  struct {
		ID httpsend.Scalar `json:"id"`
	} `json:"error"`
}

var groups = map[string]provider.ReportState{
	"DELIVERED":     provider.Delivered,
	"UNDELIVERABLE": provider.Failed,
	"EXPIRED":       provider.Failed,
	"REJECTED":      provider.Failed,
}

// readReports reads a call. What is pending is not reported.
func readReports(_ *http.Request, body []byte) ([]provider.Report, error) {
	var read reports
	if err := json.Unmarshal(body, &read); err != nil {
		return nil, errors.New("the body is not that of a delivery report")
	}
	var all []provider.Report
	for _, r := range read.Results {
		report := provider.Report{ID: httpsend.ID(string(r.MessageID)), State: groups[r.Status.GroupName], At: clock(r.DoneAt), Price: r.price()}
		if report.ID == "" || report.State == 0 {
			continue
		}
		report.MCC, report.MNC = httpreport.Network(string(r.MCCMNC))
		if report.State == provider.Failed {
			report.Class, report.Code = r.failure()
		}
		all = append(all, report)
	}
	return all, nil
}

// failure is the class of the error, or of the status where there is no error.
func (r result) failure() (provider.Class, string) {
	byStatus := provider.Temporary
	if r.Status.GroupName == "REJECTED" {
		byStatus = provider.BadRequest
	}
	byStatus = statuses.Of(string(r.Status.ID), byStatus)
	if r.Error.ID == "" || r.Error.ID == "0" {
		return byStatus, httpsend.ID(string(r.Status.ID))
	}
	return handset.Of(string(r.Error.ID), byStatus), httpsend.ID(string(r.Error.ID))
}

// price is that of all parts.
func (r result) price() provider.Price {
	one := httpsend.Price(string(r.Price.PerMessage), string(r.Price.Currency))
	parts := max(r.SMSCount, r.MessageCount)
	each, ok := new(big.Rat).SetString(one.Amount)
	if !ok || parts <= 1 {
		return one
	}
	return httpsend.Price(each.Mul(each, big.NewRat(parts, 1)).FloatString(8), one.Currency)
}

// clock reads the time in both of the forms that are in use.
func clock(text string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.000-0700", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
