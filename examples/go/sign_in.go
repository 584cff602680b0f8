// Package signin is a program that verifies people with twilio-go, as it runs in production: nothing in it
// knows of verifyd. Its test has one in its own process.
package signin

import (
	"errors"
	"net/http"

	"github.com/twilio/twilio-go/client"
	verify "github.com/twilio/twilio-go/rest/verify/v2"
)

// SignIn verifies that people have the numbers they say.
type SignIn struct {
	api     *verify.ApiService
	service string
}

// New returns a SignIn that uses a service of an account. In production calls is an http.Client with a Timeout,
// which http.DefaultClient has not: a person waits for the answer.
func New(account, token, service string, calls *http.Client) *SignIn {
	c := &client.Client{Credentials: client.NewCredentials(account, token), HTTPClient: calls}
	c.SetAccountSid(account)
	return &SignIn{api: verify.NewApiServiceWithClient(c), service: service}
}

// Begin sends a code to a number.
func (s *SignIn) Begin(to string) error {
	_, err := s.api.CreateVerification(s.service, new(verify.CreateVerificationParams).SetTo(to).SetChannel("sms"))
	return err
}

// Finish reports whether a code is right.
func (s *SignIn) Finish(to, code string) (bool, error) {
	check, err := s.api.CreateVerificationCheck(s.service, new(verify.CreateVerificationCheckParams).SetTo(to).SetCode(code))
	if refusal, ok := errors.AsType[*client.TwilioRestError](err); ok && refusal.Code == 20404 {
		return false, nil // it has expired, or was used
	}
	if err != nil {
		return false, err
	}
	return *check.Status == "approved", nil
}
