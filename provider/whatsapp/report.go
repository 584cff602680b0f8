package whatsapp

import (
	"crypto/sha256"
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

// prove checks X-Hub-Signature-256, https://developers.facebook.com/docs/graph-api/webhooks/
// getting-started. It is of the bytes: Meta writes umlauts as escapes, and a body that was parsed
// and written again has another signature.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if p.appSecret == "" {
		return errors.New("app_secret is not set")
	}
	signature, ok := strings.CutPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
	if !ok || !httpreport.EqualHex(httpreport.MAC(sha256.New, p.appSecret, string(body)), signature) {
		return httpreport.ErrProof
	}
	return nil
}

// webhook is the body of a call: batches of updates.
type webhook struct {
	Entry []struct {
		Changes []struct {
			Value struct {
				Statuses []status `json:"statuses"`
			} `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

type status struct {
	ID        httpsend.Scalar `json:"id"`
	Status    string          `json:"status"`
	Timestamp httpsend.Scalar `json:"timestamp"`
	Errors    []struct {
		Code httpsend.Scalar `json:"code"`
	} `json:"errors"`
}

var states = map[string]provider.ReportState{
	"delivered": provider.Delivered,
	"read":      provider.Read,
	"failed":    provider.Failed,
}

// readReports reads a call. Sent is not reported, nor is what people write to the business.
func readReports(_ *http.Request, body []byte) ([]provider.Report, error) {
	var read webhook
	if err := json.Unmarshal(body, &read); err != nil {
		return nil, errors.New("the body is not that of a webhook")
	}
	var all []provider.Report
	for _, entry := range read.Entry {
		for _, change := range entry.Changes {
			for _, s := range change.Value.Statuses {
				if report, ok := s.report(); ok {
					all = append(all, report)
				}
			}
		}
	}
	return all, nil
}

func (s status) report() (provider.Report, bool) {
	report := provider.Report{ID: httpsend.ID(string(s.ID)), State: states[s.Status]}
	if report.ID == "" || report.State == 0 {
		return report, false
	}
	if seconds, err := strconv.ParseUint(string(s.Timestamp), 10, 36); err == nil {
		report.At = time.Unix(int64(seconds), 0).UTC()
	}
	if report.State == provider.Failed {
		report.Class = provider.Temporary
		if len(s.Errors) > 0 {
			report.Code = httpsend.ID(string(s.Errors[0].Code))
			report.Class = codes.Of(report.Code, provider.Temporary)
		}
	}
	return report, true
}
