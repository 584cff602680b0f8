package msg91

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// prove can only ask where the call comes from: MSG91 signs nothing, and the secret of the URL has to
// do.
func (p *Provider) prove(r *http.Request, _ []byte) error { return p.networks.Prove(r) }

// failures are the status of a report, from memory. 1 is delivered; others are not reported, because
// they may be states on the way.
var failures = httpsend.Table(map[provider.Class]string{
	provider.BadRecipient: "9 17",  // do-not-disturb, blocked
	provider.BadRequest:   "16 25", // rejected
	provider.Temporary:    "2",
})

// batch is one of the array that a call brings: a flow that was started, and the people in it.
type batch struct {
	RequestID httpsend.Scalar `json:"requestId"`
	Report    []struct {
		Status httpsend.Scalar `json:"status"`
	} `json:"report"`
}

// readReports reads a call: JSON, alone or in the field "data" of a form.
func readReports(r *http.Request, body []byte) ([]provider.Report, error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errors.New("the form is not well formed")
		}
		body = []byte(form.Get("data"))
	}
	var batches []batch
	if err := json.Unmarshal(body, &batches); err != nil {
		return nil, errors.New("the body is not that of a delivery report")
	}
	var all []provider.Report
	for _, b := range batches {
		id := httpsend.ID(string(b.RequestID))
		if id == "" || len(b.Report) == 0 || b.Report[0].Status == "" {
			continue
		}
		code := httpsend.ID(string(b.Report[0].Status)) // we start a flow for one person
		if class, failed := failures[code]; failed {
			all = append(all, provider.Report{ID: id, State: provider.Failed, Code: code, Class: class})
		} else if code == "1" {
			all = append(all, provider.Report{ID: id, State: provider.Delivered})
		}
	}
	return all, nil
}
