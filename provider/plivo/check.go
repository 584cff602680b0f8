package plivo

import (
	"context"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// Check implements provider.Checker: it asks for the account
// (https://www.plivo.com/docs/account/api/account).
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL:    strings.TrimSuffix(p.endpoint, "Message/"),
		Header: http.Header{"Authorization": {p.authorization}},
	}, "the account", &struct{}{})
	return err
}
