package webapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// CheckConfig is a request for the doctor: one that sends nothing, and that the vendor refuses where the
// credentials are wrong, such as one for the balance. Its templates know vars; there is no message.
type CheckConfig struct {
	RequestConfig // Method is GET unless it is set
	// URL is the description's unless it is set.
	URL string `json:"url"`
	// Status are the statuses that say that the credentials are right, every 2xx where there are none.
	Status []int `json:"status"`
	// From is a source that must be one of In as well, or must be there at all where In is empty.
	From string   `json:"from"`
	In   []string `json:"in"`
}

// check is a CheckConfig that was found good.
type check struct {
	request *request
	right   condition
}

func (c Config) check(now func() time.Time) (*check, error) {
	if c.Check == nil {
		return nil, nil
	}
	right, err := parseCondition("check", c.Check.Status, c.Check.From, c.Check.In)
	if err != nil {
		return nil, err
	}
	c.Request = c.Check.RequestConfig
	if c.Request.Method == "" {
		c.Request.Method = http.MethodGet
	}
	if c.Check.URL != "" {
		c.URL = c.Check.URL
	}
	r, err := c.parseRequest(now)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return &check{r, right}, nil
}

// Check implements provider.Checker by the request that the description has for it. Without one it
// says whether somebody is there (provider.ErrUnproven).
func (p *Provider) Check(ctx context.Context) error {
	if p.check == nil {
		return p.sender.Reach(ctx, p.request.base.String())
	}
	r, err := p.check.request.write(provider.Message{})
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	answer, err := p.sender.Check(ctx, r, "what check describes")
	x := &scene{status: answer.Status, header: answer.Header, body: answer.Body}
	switch right := p.check.right; {
	case answer.Status != 0 && (right.status != nil || answer.OK()) && right.fits(x):
		return nil
	case err != nil:
		return err
	}
	words := p.sender.Excerpt(string(answer.Body), provider.Message{})
	return errors.New(strings.TrimSpace(fmt.Sprintf("the answer is not that to right credentials (%d): %s", answer.Status, words)))
}
