package aws

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:  "POST /",
	Shows: map[string]string{"X-Amz-Target": "PinpointSMSVoiceV2.DescribeAccountAttributes", "X-Amz-Security-Token": "s3cr3t-session"},
	Reads: func(r *http.Request) error {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="+testKeyID+"/") {
			return errors.New("the signature is not right")
		}
		return nil
	},
	Answer: `{"AccountAttributes":[{"Name":"ACCOUNT_TIER","Value":"PRODUCTION"}]}`,
	Refuse: func(w http.ResponseWriter, words string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":%q}`, testSecret+words)
	},
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{Region: "eu-west-1", AccessKeyID: testKeyID, SecretAccessKey: testSecret, SessionToken: "s3cr3t-session",
		BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testSecret, "s3cr3t-session"}, Start: desk.Start(atDesk)})
}

func TestWhatTheAnswersToACheckMean(t *testing.T) {
	httpfar.CheckWords(t, atDesk, []httpfar.Said{
		{Status: 200, Body: `{"AccountAttributes":[{"Name":"ACCOUNT_TIER","Value":"SANDBOX"}]}`, Want: "in the sandbox", Unproven: true},
		{Status: 200, Body: `{"AccountAttributes":[]}`},
		{Status: 400, Body: `{"__type":"x#AccessDeniedException","Message":"User is not authorized"}`, Want: "sms-voice:DescribeAccountAttributes", Unproven: true},
		{Status: 403, Body: `{"__type":"InvalidSignatureException","message":"` + testSecret + ` does not match"}`, Want: "refused (InvalidSignatureException): [secret] does not match"},
		{Status: 400, Body: `{"__type":"ExpiredTokenException"}`, Want: "refused (ExpiredTokenException)"},
		{Status: 400, Body: `not JSON`, Want: "it answers 400: not JSON"},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) { providertest.ReadManual(t, "aws").NamesKeys(Config{}) }
