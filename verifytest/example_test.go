package verifytest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/twilio/twilio-go/client"
	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"github.com/verifyd/verifyd/verifytest"
)

// A program that verifies with twilio-go, and its test. In a test, Start(t) does what New and Close do here.
func Example() {
	srv, err := verifytest.New()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	// The program, as it is in production but for the HTTPClient.
	twilio := &client.Client{Credentials: client.NewCredentials(srv.AccountSID, srv.AuthToken), HTTPClient: srv.Client()}
	twilio.SetAccountSid(srv.AccountSID)
	api := verify.NewApiServiceWithClient(twilio)
	start := new(verify.CreateVerificationParams).SetTo("+34612345678").SetChannel("sms")
	if _, err := api.CreateVerification(srv.ServiceSID, start); err != nil {
		log.Fatal(err)
	}

	// The user, who is slow.
	code, err := srv.WaitForCode(context.Background(), "+34612345678")
	if err != nil {
		log.Fatal(err)
	}
	srv.Advance(9 * time.Minute)
	check, err := api.CreateVerificationCheck(srv.ServiceSID, new(verify.CreateVerificationCheckParams).SetTo("+34612345678").SetCode(code))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*check.Status)
	// Output: approved
}
