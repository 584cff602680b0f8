package postmark_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/postmark"
)

// A stand-in for Postmark takes the mail; without BaseURL it would go to api.postmarkapp.com.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprint(w, `{"ErrorCode":0,"MessageID":"a1"}`)
	}))
	defer vendor.Close()
	p, err := postmark.New(postmark.Config{ServerToken: "the-token", From: "codes@auth.example.com", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{
		Attempt: "VL00000000000000000000000000000001", Channel: "email", To: "pat@example.com",
		Email: &provider.Email{Subject: "482913 is your Acme code", Text: "482913 is your Acme code."},
	})
	fmt.Println(accepted.ID, err)
	// Output:
	// POST /email
	// a1 <nil>
}
