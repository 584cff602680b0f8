package africastalking

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// Check implements provider.Checker: it asks for the application's data, its balance
// (https://developers.africastalking.com/docs/application).
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL:    strings.TrimSuffix(p.endpoint, "messaging") + "user?" + url.Values{"username": {p.username}}.Encode(),
		Header: http.Header{"Apikey": {p.apiKey}, "Accept": {"application/json"}},
	}, "the application", &struct{}{})
	return err
}
