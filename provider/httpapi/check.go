package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// checkID names a check where the contract wants the name of a message.
const checkID = "check"

// Check implements provider.Checker: it asks GET /v1/check, signed over an empty body. A gateway need
// not have it; 404, 405 and 501 say that it was reached, which is provider.ErrUnproven.
func (p *Provider) Check(ctx context.Context) error {
	h := p.headers.Clone()
	p.secret.SignHeader(h, checkID, p.now(), nil)
	answer, err := p.sender.Do(ctx, httpsend.Request{
		Method: http.MethodGet, URL: strings.TrimSuffix(p.endpoint, "send") + "check", Header: h,
	}, provider.Message{})
	if err != nil {
		return fmt.Errorf("the gateway %w", provider.Plain(err))
	}
	words := p.sender.Excerpt(string(answer.Body), provider.Message{})
	switch answer.Status {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return nil
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return fmt.Errorf("the gateway has no /v1/check: %w", provider.ErrUnproven)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the gateway refuses our signature (%d): is the secret the same on both sides, and are the clocks right? %s",
			answer.Status, words)
	default:
		return fmt.Errorf("the gateway answers %d to /v1/check: %s", answer.Status, words)
	}
}
