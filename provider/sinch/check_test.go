package sinch

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:   "GET /xms/v1/plan/batches?page_size=1",
	Shows:  map[string]string{"Authorization": "Bearer " + testToken},
	Answer: `{"count":0,"page":0,"page_size":0,"batches":[]}`,
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{ServicePlanID: "plan", APIToken: testToken, BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testToken}, Start: desk.Start(atDesk)})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "sinch").NamesKeys(Config{})
}
