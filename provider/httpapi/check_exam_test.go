package httpapi

import (
	"net/http"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{testSecret, testToken},
		Start: httpfar.Desk{
			Asks:  "GET /v1/check",
			Shows: map[string]string{"Authorization": testToken},
			Reads: func(r *http.Request) error {
				secret, err := ParseSecret(testSecret)
				if err != nil {
					return err
				}
				return secret.Verify(r.Header, nil, time.Now())
			},
		}.Start(func(url string, deps provider.Deps) (provider.Provider, error) {
			return New(Config{URL: url, Secret: testSecret, Headers: map[string]string{"Authorization": testToken}, Timeout: "2m"}, deps)
		}),
	})
}
