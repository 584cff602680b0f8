package telnyx

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:   "GET /v2/balance",
	Shows:  map[string]string{"Authorization": "Bearer " + testKey},
	Answer: `{"data":{"balance":"300.00","currency":"USD"}}`,
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{APIKey: testKey, From: "+15005550006", BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testKey}, Start: desk.Start(atDesk)})
}

func TestTheMessagingProfileIsLookedFor(t *testing.T) {
	profile := httpfar.Desk{Asks: "GET /v2/messaging_profiles/16fd2706", Shows: desk.Shows, Answer: `{"data":{}}`}
	build := func(url string, deps provider.Deps) (provider.Provider, error) {
		return New(Config{APIKey: testKey, MessagingProfileID: "16fd2706", BaseURL: url, Timeout: "2m"}, deps)
	}
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testKey}, Start: profile.Start(build)})
	httpfar.CheckWords(t, build, []httpfar.Said{
		{Status: 404, Body: `{"errors":[{"code":"10005"}]}`, Want: "the messaging profile is not known there (404)"},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "telnyx").NamesKeys(Config{})
}
