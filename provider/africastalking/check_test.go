package africastalking

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:   "GET /version1/user?username=verifyd",
	Shows:  map[string]string{"Apikey": testKey},
	Answer: `{"UserData":{"balance":"KES 1785.50"}}`,
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{Username: "verifyd", APIKey: testKey, BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testKey}, Start: desk.Start(atDesk)})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "africastalking").NamesKeys(Config{})
}
