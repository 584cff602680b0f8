package plivo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/plivo"
)

// A stand-in for Plivo takes the message.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"message":"message(s) queued","message_uuid":["db3ce55a-7f1d-11e1-8ea7-1231380bc196"]}`)
	}))
	defer vendor.Close()
	p, err := plivo.New(plivo.Config{AuthID: "MA1", AuthToken: "the token", From: "Acme", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// POST /v1/Account/MA1/Message/
	// db3ce55a-7f1d-11e1-8ea7-1231380bc196 <nil>
}
