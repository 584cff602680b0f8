package africastalking

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// prove can only ask where the call comes from: Africa's Talking signs nothing, and the secret of the
// URL has to do.
func (p *Provider) prove(r *http.Request, _ []byte) error { return p.networks.Prove(r) }

var states = map[string]provider.ReportState{
	"Success":  provider.Delivered,
	"Rejected": provider.Failed,
	"Failed":   provider.Failed,
}

// readReport reads a call. Sent, Submitted and Buffered are not reported.
func readReport(_ *http.Request, body []byte) ([]provider.Report, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the form is not well formed")
	}
	report := provider.Report{ID: httpsend.ID(form.Get("id")), State: states[form.Get("status")]}
	if report.ID == "" || report.State == 0 {
		return nil, nil
	}
	report.MCC, report.MNC = httpreport.Network(form.Get("networkCode"))
	if report.State == provider.Failed {
		report.Code = httpsend.ID(form.Get("failureReason"))
		report.Class = failures.Of(report.Code, provider.Temporary)
	}
	return []provider.Report{report}, nil
}
