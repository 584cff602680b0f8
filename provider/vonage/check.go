package vonage

import (
	"context"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// Check implements provider.Checker: it asks for the balance
// (https://developer.vonage.com/en/account/code-snippets/account-balance).
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL:    strings.TrimSuffix(p.endpoint, "sms/json") + "account/get-balance",
		Header: http.Header{"Authorization": {p.authorization}, "Accept": {"application/json"}},
	}, "the balance", &struct{}{})
	return err
}
