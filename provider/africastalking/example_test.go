package africastalking_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/africastalking"
)

// A stand-in for Africa's Talking takes the message: 101 is sent.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.PostFormValue("username"), "to", r.PostFormValue("to"))
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"SMSMessageData":{"Recipients":[{"statusCode":101,"messageId":"ATXid_1"}]}}`)
	}))
	defer vendor.Close()
	p, err := africastalking.New(africastalking.Config{Username: "sandbox", APIKey: "the key", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// sandbox to +34612345678
	// ATXid_1 <nil>
}
