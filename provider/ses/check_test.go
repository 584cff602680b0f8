package ses

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestCheckExam(t *testing.T) {
	desk := httpfar.Desk{
		Asks:   "GET /v2/email/account",
		Shows:  map[string]string{"X-Amz-Security-Token": "s3cr3t-session"},
		Answer: `{"ProductionAccessEnabled":true,"SendingEnabled":true}`,
		Refuse: func(w http.ResponseWriter, words string) {
			w.Header().Set("X-Amzn-ErrorType", "UnrecognizedClientException")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"message":%q}`, testSecret+words)
		},
	}
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{testSecret, "s3cr3t-session"},
		Start: desk.Start(func(url string, deps provider.Deps) (provider.Provider, error) {
			return New(Config{Region: "eu-west-1", AccessKeyID: testKeyID, SecretAccessKey: testSecret, SessionToken: "s3cr3t-session", From: "codes@example.com", BaseURL: url, Timeout: "2m"}, deps)
		}),
	})
}

// TestCheckKnowsThatItIsNotSES holds what has nothing to do with the credentials apart from them.
func TestCheckKnowsThatItIsNotSES(t *testing.T) {
	httpfar.CheckWords(t, func(url string, deps provider.Deps) (provider.Provider, error) {
		return New(Config{Region: "eu-west-1", AccessKeyID: testKeyID, SecretAccessKey: testSecret, From: "codes@example.com", BaseURL: url}, deps)
	}, []httpfar.Said{
		{Status: 200, Body: "<html>a page of some proxy</html>", Want: "something else than JSON"},
		{Status: 302, Want: "sends us elsewhere (302)"},
		{Status: 429, Body: "slowly", Want: "asked too often", Unproven: true},
		{Status: 502, Body: "bad gateway", Want: "it answers 502: bad gateway"},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "ses").NamesKeys(Config{}) }
