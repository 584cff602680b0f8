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

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "ses").NamesKeys(Config{}) }
