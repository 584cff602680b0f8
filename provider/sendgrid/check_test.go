package sendgrid

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestCheckExam(t *testing.T) {
	desk := httpfar.Desk{
		Asks:   "GET /v3/scopes",
		Shows:  map[string]string{"Authorization": "Bearer SG.s3cr3t-key"},
		Answer: `{"scopes":["mail.send"]}`,
	}
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{"SG.s3cr3t-key"},
		Start: desk.Start(func(url string, deps provider.Deps) (provider.Provider, error) {
			return New(Config{APIKey: "SG.s3cr3t-key", From: "codes@example.com", BaseURL: url, Timeout: "2m"}, deps)
		}),
	})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "sendgrid").NamesKeys(Config{})
}
