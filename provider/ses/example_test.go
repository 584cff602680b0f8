package ses_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/ses"
)

// A stand-in for SES takes the mail; without BaseURL it would go to email.eu-west-1.amazonaws.com.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprint(w, `{"MessageId":"a1"}`)
	}))
	defer vendor.Close()
	p, err := ses.New(ses.Config{Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", From: "codes@auth.example.com", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{
		Attempt: "VL00000000000000000000000000000001", Channel: "email", To: "pat@example.com",
		Email: &provider.Email{Subject: "482913 is your Acme code", Text: "482913 is your Acme code."},
	})
	fmt.Println(accepted.ID, err)
	// Output:
	// POST /v2/email/outbound-emails
	// a1 <nil>
}
