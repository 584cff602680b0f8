package sendgrid_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/sendgrid"
)

// A stand-in for SendGrid takes the mail; without BaseURL it would go to api.sendgrid.com.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		w.Header().Set("X-Message-Id", "a1")
		w.WriteHeader(http.StatusAccepted)
	}))
	defer vendor.Close()
	p, err := sendgrid.New(sendgrid.Config{APIKey: "SG.the key", From: "codes@auth.example.com", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{
		Attempt: "VL00000000000000000000000000000001", Channel: "email", To: "pat@example.com",
		Email: &provider.Email{Subject: "482913 is your Acme code", Text: "482913 is your Acme code."},
	})
	fmt.Println(accepted.ID, err)
	// Output:
	// POST /v3/mail/send
	// a1 <nil>
}
