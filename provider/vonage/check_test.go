package vonage

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:   "GET /account/get-balance",
	Shows:  map[string]string{"Authorization": httpsend.Basic("abcd1234", testSecret)},
	Answer: `{"value":10.28,"autoReload":false}`,
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{APIKey: "abcd1234", APISecret: testSecret, From: "Acme", BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testSecret}, Start: desk.Start(atDesk)})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "vonage").NamesKeys(Config{})
}
