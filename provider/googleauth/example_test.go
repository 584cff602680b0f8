package googleauth_test

import (
	"fmt"

	"github.com/verifyd/verifyd/provider/googleauth"
)

// An error names the setting and repeats nothing of what is in it.
func ExampleRead() {
	_, err := googleauth.Read("", `{"type":"authorized_user","client_secret":"hunter2"}`)
	fmt.Println(err)
	// Output: credentials: its type is not "service_account": it is another kind of file of Google's
}
