package telnyx_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/telnyx"
)

// A stand-in for Telnyx takes the message.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.Path, r.Header.Get("Authorization"))
		fmt.Fprint(w, `{"data":{"id":"40385f64-5717-4562-b3fc-2c963f66afa6","parts":1}}`)
	}))
	defer vendor.Close()
	p, err := telnyx.New(telnyx.Config{APIKey: "KEY0123", From: "+15005550006", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// /v2/messages Bearer KEY0123
	// 40385f64-5717-4562-b3fc-2c963f66afa6 <nil>
}
