package twilio_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/twilio"
)

// A stand-in for Twilio takes the message; without BaseURL it would go to api.twilio.com.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.PostFormValue("From"), "to", r.PostFormValue("To"), r.PostFormValue("Body"))
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"sid":"SM00000000000000000000000000000001","status":"queued"}`)
	}))
	defer vendor.Close()
	p, err := twilio.New(twilio.Config{AccountSID: "AC00000000000000000000000000000001", AuthToken: "the auth token", From: "+15005550006", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// +15005550006 to +34612345678 482913 is your Acme code
	// SM00000000000000000000000000000001 <nil>
}
