//go:build full

package smpp

import (
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

// TestNodeIsChecked has a message centre of another make look at the account.
func TestNodeIsChecked(t *testing.T) {
	for _, secured := range []bool{false, true} {
		n := startNode(t, secured)
		for password, want := range map[string]string{testPassword: "", "another1": "(ESME_R"} {
			c := n.config
			c.Password = password
			p, err := New(c, provider.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(t.Context()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	}
}
