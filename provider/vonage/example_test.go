package vonage_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/vonage"
)

// A stand-in for Vonage takes the message, as a 200 with a status of 0.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.PostFormValue("from"), "to", r.PostFormValue("to"), r.PostFormValue("text"))
		fmt.Fprint(w, `{"messages":[{"status":"0","message-id":"0A0000000123ABCD1"}]}`)
	}))
	defer vendor.Close()
	p, err := vonage.New(vonage.Config{APIKey: "abcd1234", APISecret: "the secret", From: "Acme", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// Acme to 34612345678 482913 is your Acme code
	// 0A0000000123ABCD1 <nil>
}
