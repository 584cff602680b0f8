package providertest_test

import (
	"fmt"

	"github.com/verifyd/verifyd/provider/providertest"
)

// The messages of the exam differ by their number in whom they are for and in their code.
func ExampleMessage() {
	for n := range 2 {
		m := providertest.Message("sms", n)
		fmt.Println(m.To, m.Text)
	}
	// Output:
	// +34612345678 74815162 is your Acme code
	// +34612353597 76114871 is your Acme code
}
