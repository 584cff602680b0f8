package postmark

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestCheckExam(t *testing.T) {
	desk := httpfar.Desk{
		Asks:   "GET /server",
		Shows:  map[string]string{"X-Postmark-Server-Token": "s3cr3t-token"},
		Answer: `{"DeliveryType":"Live"}`,
	}
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{"s3cr3t-token"},
		Start: desk.Start(func(url string, deps provider.Deps) (provider.Provider, error) {
			return New(Config{ServerToken: "s3cr3t-token", From: "codes@example.com", BaseURL: url, Timeout: "2m"}, deps)
		}),
	})
}

// TestCheckKnowsThatItIsNotPostmark holds what has nothing to do with the credentials apart from them.
func TestCheckKnowsThatItIsNotPostmark(t *testing.T) {
	httpfar.CheckWords(t, func(url string, deps provider.Deps) (provider.Provider, error) {
		return New(Config{ServerToken: "s3cr3t-token", From: "codes@example.com", BaseURL: url}, deps)
	}, []httpfar.Said{
		{Status: 200, Body: "<html>a page of some proxy</html>", Want: "something else than JSON"},
		{Status: 302, Want: "sends us elsewhere (302)"},
		{Status: 429, Body: "slowly", Want: "asked too often", Unproven: true},
		{Status: 502, Body: "bad gateway", Want: "it answers 502: bad gateway"},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "postmark").NamesKeys(Config{})
}
