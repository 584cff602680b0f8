package plivo

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:   "GET /v1/Account/MA1/",
	Shows:  map[string]string{"Authorization": httpsend.Basic("MA1", testToken)},
	Answer: `{"account_type":"standard","auth_id":"MA1"}`,
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{AuthID: "MA1", AuthToken: testToken, From: "Acme", BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testToken}, Start: desk.Start(atDesk)})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "plivo").NamesKeys(Config{})
}
