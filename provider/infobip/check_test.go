package infobip

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:   "GET /account/1/balance",
	Shows:  map[string]string{"Authorization": "App " + testKey},
	Answer: `{"balance":47.79,"currency":"EUR"}`,
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{APIKey: testKey, From: "Acme", BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testKey}, Start: desk.Start(atDesk)})
}

func TestAKeyThatMayOnlySendIsUnproven(t *testing.T) {
	httpfar.CheckWords(t, atDesk, []httpfar.Said{
		{Status: 403, Body: `{"requestError":{"serviceException":{"messageId":"FORBIDDEN"}}}`, Want: "may not read the balance", Unproven: true},
		{Status: 401, Body: `{"requestError":{"serviceException":{"text":"Invalid login details"}}}`, Want: "refused (401)"},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "infobip").NamesKeys(Config{})
}
