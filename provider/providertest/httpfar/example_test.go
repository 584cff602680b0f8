package httpfar_test

import (
	"fmt"

	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// A carrier calls with a form, and with a signature in a header.
func ExamplePost() {
	call := httpfar.Post("/reports/acme/x", "id=7&state=delivered", append(httpfar.Form, "Acme-Signature", "c0ffee")...)
	fmt.Println(call.Method, call.URL.Path, call.Header.Get("Acme-Signature"), call.PostFormValue("state"))
	// Output: POST /reports/acme/x c0ffee delivered
}
