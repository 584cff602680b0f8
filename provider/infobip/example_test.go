package infobip_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/infobip"
)

// A stand-in for Infobip refuses the destination, as a 200 too: 52 is a number that cannot exist.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprint(w, `{"messages":[{"status":{"groupName":"REJECTED","id":52,"description":"Invalid destination"}}]}`)
	}))
	defer vendor.Close()
	p, err := infobip.New(infobip.Config{APIKey: "the key", From: "Acme", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// POST /sms/3/messages
	//  bad_recipient 52: Invalid destination
}
