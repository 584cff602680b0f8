package infobip

import (
	"context"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Check implements provider.Checker: it asks for the balance
// (https://www.infobip.com/docs/api/platform/account-management). A key may be made for sending alone:
// then Infobip knows it, and does not let it.
func (p *Provider) Check(ctx context.Context) error {
	answer, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL:    strings.TrimSuffix(p.endpoint, "sms/3/messages") + "account/1/balance",
		Header: http.Header{"Authorization": {"App " + p.apiKey}, "Accept": {"application/json"}},
	}, "the balance", &struct{}{})
	if answer.Status == http.StatusForbidden {
		return provider.Unproven("the key is known, and may not read the balance (403); whether it may send is not known")
	}
	return err
}
