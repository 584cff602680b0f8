package msg91_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/msg91"
)

// A stand-in for MSG91 starts the flow with the code.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprint(w, `{"type":"success","message":"3763646c3058373530393938"}`)
	}))
	defer vendor.Close()
	p, err := msg91.New(msg91.Config{AuthKey: "the key", TemplateID: "6100000000000000000000a1", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Code: "482913"})
	fmt.Println(accepted.ID, err)
	// Output:
	// POST /api/v5/flow
	// 3763646c3058373530393938 <nil>
}
