package httpapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/provider"
)

// checkID names a check where the contract wants the name of a message.
const checkID = "check"

// Check implements provider.Checker: it asks GET /v1/check, signed over an empty body. A gateway need
// not have it; 404, 405 and 501 say that it was reached, which is provider.ErrUnproven.
func (p *Provider) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.endpoint, "send")+"check", nil)
	if err != nil {
		return fmt.Errorf("url: %s", p.excerpt(err.Error(), provider.Message{}))
	}
	for name, values := range p.headers {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "verifyd")
	p.secret.SignHeader(req.Header, checkID, p.now(), nil)
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("the gateway did not answer: %w", ctx.Err())
		}
		return fmt.Errorf("the gateway was not reached: %s", p.excerpt(err.Error(), provider.Message{}))
	}
	defer resp.Body.Close()
	words, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return nil
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return fmt.Errorf("the gateway has no /v1/check: %w", provider.ErrUnproven)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the gateway refuses our signature (%d): is the secret the same on both sides, and are the clocks right? %s",
			resp.StatusCode, p.excerpt(string(words), provider.Message{}))
	default:
		return fmt.Errorf("the gateway answers %d to /v1/check: %s", resp.StatusCode, p.excerpt(string(words), provider.Message{}))
	}
}
