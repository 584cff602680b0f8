package sinch

import (
	"context"
	"net/http"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// Check implements provider.Checker: it asks for the last batch of the service plan, which is dropped
// (https://developers.sinch.com/docs/sms/api-reference/sms/tag/Batches).
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL:    p.endpoint + "?page_size=1",
		Header: http.Header{"Authorization": {"Bearer " + p.apiToken}},
	}, "the service plan", &struct{}{})
	return err
}
