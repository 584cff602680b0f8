package devserver

import (
	"context"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

type (
	plain  struct{}
	repeat struct{ plain }
	revoke struct{ plain }
	both   struct{ revoke }
)

func (plain) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{}, nil
}
func (repeat) Repeatable()                                 {}
func (revoke) Revoke(context.Context, provider.Sent) error { return nil }
func (both) Repeatable()                                   {}

// A message that perhaps arrived is handed over again, or taken back, where its carrier can do that.
func TestRulesHideNothingThatACarrierCan(t *testing.T) {
	for _, by := range []provider.Provider{plain{}, repeat{}, revoke{}, both{}} {
		p := before(by, plain{})
		_, wantRepeat := by.(provider.Repeatable)
		_, wantRevoke := by.(provider.Revoker)
		_, canRepeat := p.(provider.Repeatable)
		_, canRevoke := p.(provider.Revoker)
		if canRepeat != wantRepeat || canRevoke != wantRevoke {
			t.Errorf("%T: repeatable %v, want %v; revocable %v, want %v", by, canRepeat, wantRepeat, canRevoke, wantRevoke)
		}
	}
}
