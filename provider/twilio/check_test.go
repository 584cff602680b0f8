package twilio

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:   "GET /2010-04-01/Accounts/" + testAccount + "/Messages.json?PageSize=1",
	Shows:  map[string]string{"Authorization": httpsend.Basic("SK1", testKey)},
	Answer: `{"messages":[],"page_size":1}`,
	Refuse: func(w http.ResponseWriter, words string) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"code":20003,"message":%q,"status":401}`, words)
	},
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{AccountSID: testAccount, AuthToken: testToken, APIKeySID: "SK1", APIKeySecret: testKey,
		From: "+15005550006", BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testToken, testKey}, Start: desk.Start(atDesk)})
}

func TestWhatTheAnswersToACheckMean(t *testing.T) {
	httpfar.CheckWords(t, atDesk, []httpfar.Said{
		{Status: 401, Body: `{"code":70051,"message":"Authorization Failed"}`, Want: "may not list messages (70051)", Unproven: true},
		{Status: 404, Body: `{"code":20404}`, Want: "the list of messages is not known there (404)"},
		{Status: 403, Body: `{"code":20005,"message":"Account not active"}`, Want: "Account not active"},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "twilio").NamesKeys(Config{})
}
