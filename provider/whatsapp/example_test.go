package whatsapp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/whatsapp"
)

// A stand-in for Meta takes the code for its template.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprint(w, `{"messages":[{"id":"wamid.HBgLMzQ2MTIzNDU2Nzg"}]}`)
	}))
	defer vendor.Close()
	p, err := whatsapp.New(whatsapp.Config{PhoneNumberID: "106540352242922", AccessToken: "the token", Template: "verification_code", Languages: []string{"en"}, BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "whatsapp", To: "+34612345678", Code: "482913"})
	fmt.Println(accepted.ID, err)
	// Output:
	// POST /106540352242922/messages
	// wamid.HBgLMzQ2MTIzNDU2Nzg <nil>
}
