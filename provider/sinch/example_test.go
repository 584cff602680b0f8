package sinch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/sinch"
)

// A stand-in for Sinch takes the message as a batch.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":"01FC66621XXXXX119Z8PMV1QPQ"}`)
	}))
	defer vendor.Close()
	p, err := sinch.New(sinch.Config{ServicePlanID: "plan", APIToken: "the token", From: "Acme", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// POST /xms/v1/plan/batches
	// 01FC66621XXXXX119Z8PMV1QPQ <nil>
}
