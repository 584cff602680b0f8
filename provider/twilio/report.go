package twilio

import (
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// prove checks X-Twilio-Signature, https://www.twilio.com/docs/usage/webhooks/webhooks-security.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if p.reportURL == nil {
		return errors.New("report_url is not set")
	}
	u := httpreport.PublicURL(p.reportURL, r)
	params := ""
	if digest := u.Query().Get("bodySHA256"); digest != "" {
		sum := sha256.Sum256(body)
		if !httpreport.EqualHex(sum[:], digest) {
			return httpreport.ErrProof
		}
	} else {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return httpreport.ErrProof
		}
		params = sortedParams(form)
	}
	got := r.Header.Get("X-Twilio-Signature")
	for _, candidate := range withAndWithoutPort(u) {
		if httpreport.EqualBase64(httpreport.MAC(sha1.New, p.authToken, candidate, params), got) {
			return nil
		}
	}
	return httpreport.ErrProof
}

// sortedParams are the names and values, one after the other; of a name that stands several times,
// each value once.
func sortedParams(form url.Values) string {
	var b strings.Builder
	for _, name := range sortedNames(form) {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			b.WriteString(name)
			b.WriteString(value)
		}
	}
	return b.String()
}

func sortedNames(form url.Values) []string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// withAndWithoutPort is u in both forms, because Twilio signs now the one and now the other.
func withAndWithoutPort(u *url.URL) []string {
	bare, ported := *u, *u
	bare.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	ported.Host = bare.Host + ":" + map[string]string{"https": "443", "http": "80"}[u.Scheme]
	if u.Port() != "" {
		ported.Host = u.Host
	}
	return []string{bare.String(), ported.String()}
}

var states = map[string]provider.ReportState{
	"delivered":   provider.Delivered,
	"read":        provider.Read,
	"failed":      provider.Failed,
	"undelivered": provider.Failed,
}

// readReport reads a status callback. Queued, sending and sent are not reported.
func (p *Provider) readReport(r *http.Request, body []byte) ([]provider.Report, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the form is not well formed")
	}
	if form.Has("CallSid") {
		return p.readCall(r, form)
	}
	report := provider.Report{ID: httpsend.ID(form.Get("MessageSid")), State: states[form.Get("MessageStatus")]}
	if report.ID == "" || report.State == 0 {
		return nil, nil
	}
	if report.State == provider.Failed {
		report.Code = httpsend.ID(form.Get("ErrorCode"))
		report.Class = failures.Of(report.Code, provider.Temporary)
	}
	return []provider.Report{report}, nil
}
