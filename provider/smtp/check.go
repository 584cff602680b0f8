package smtp

import (
	"context"

	"github.com/verifyd/verifyd/provider"
)

// Check implements provider.Checker: it connects to the relay, with TLS if there is to be some, proves
// who it is if there is a user, and takes leave. It sends nothing.
func (p *Provider) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.timeout)
	defer cancel()
	s, failed := p.dial(ctx)
	if failed != nil {
		return provider.Plain(p.error(ctx, failed, provider.Message{}))
	}
	s.quit()
	return nil
}
