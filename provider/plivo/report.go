package plivo

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// prove checks X-Plivo-Signature-V2, https://www.plivo.com/docs/messaging/concepts/signature-validation:
// the URL without its query, and a nonce. A subaccount's report is signed by the main account too. What
// is of a call is told a code, and has to be signed whole.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if p.reportURL == nil {
		return errors.New("report_url is not set")
	}
	if form, err := url.ParseQuery(string(body)); err == nil && ofCall(r, form) {
		return p.proveCall(r, form)
	}
	bare := *p.reportURL
	bare.RawQuery = ""
	nonce := r.Header.Get("X-Plivo-Signature-V2-Nonce")
	mac := httpreport.MAC(sha256.New, p.authToken, bare.String(), nonce)
	if nonce == "" || !httpreport.EqualBase64(mac, r.Header.Get("X-Plivo-Signature-V2")) &&
		!httpreport.EqualBase64(mac, r.Header.Get("X-Plivo-Signature-Ma-V2")) {
		return httpreport.ErrProof
	}
	return nil
}

var states = map[string]provider.ReportState{
	"delivered":   provider.Delivered,
	"read":        provider.Read,
	"undelivered": provider.Failed,
	"failed":      provider.Failed,
	"rejected":    provider.Failed,
}

// readReport reads a callback. Queued and sent are not reported. A part reports for the whole message.
func (p *Provider) readReport(r *http.Request, body []byte) ([]provider.Report, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the form is not well formed")
	}
	if ofCall(r, form) {
		return p.readCall(r, form), nil
	}
	id := form.Get("ParentMessageUUID") // of a part
	if id == "" {
		id = form.Get("MessageUUID")
	}
	report := provider.Report{ID: httpsend.ID(id), State: states[form.Get("Status")], Price: httpsend.Price(form.Get("TotalAmount"), "USD")}
	if report.ID == "" || report.State == 0 {
		return nil, nil
	}
	report.MCC, report.MNC = httpreport.Network(form.Get("MCC") + form.Get("MNC"))
	if report.State == provider.Failed {
		report.Code = httpsend.ID(form.Get("ErrorCode"))
		report.Class = failures.Of(report.Code, provider.Temporary)
	}
	return []provider.Report{report}, nil
}
