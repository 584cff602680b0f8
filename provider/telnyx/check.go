package telnyx

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// Check implements provider.Checker: it asks for the messaging profile, or for the balance where none
// is configured (https://developers.telnyx.com/api-reference).
func (p *Provider) Check(ctx context.Context) error {
	path, asked := "balance", "the balance"
	if p.profile != "" {
		path, asked = "messaging_profiles/"+url.PathEscape(p.profile), "the messaging profile"
	}
	_, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL:    strings.TrimSuffix(p.endpoint, "messages") + path,
		Header: http.Header{"Authorization": {"Bearer " + p.apiKey}, "Accept": {"application/json"}},
	}, asked, &struct{}{})
	return err
}
