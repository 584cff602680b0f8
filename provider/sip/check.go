package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"

	siplib "github.com/emiago/sipgo/sip"

	"github.com/verifyd/verifyd/provider"
)

// Check implements provider.Checker, and calls nobody. Where the trunk wants a registration it asks for
// the registrations that there are (a REGISTER without a Contact, RFC 3261, 10.2.3): the password is
// proved, and a server that is registered stays so. Elsewhere it asks OPTIONS; a trunk that answers
// without a challenge has not looked at the password, which is provider.ErrUnproven.
func (p *Provider) Check(ctx context.Context) error {
	t, err := p.listen(ctx, p.config.listen)
	if err != nil { // perhaps a server of ours runs: any other port does for a question
		t, err = p.listen(ctx, netip.AddrPortFrom(p.config.listen.Addr(), 0))
	}
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer t.close()
	at, err := t.advertised(ctx)
	if err != nil {
		return fmt.Errorf("no way to the trunk: %w", err)
	}
	method, user := siplib.OPTIONS, cmp.Or(p.config.username, t.spelled(p.config.from))
	if p.config.register {
		method = siplib.REGISTER
	}
	req := t.request(method, user, siplib.GenerateTagN(32), siplib.GenerateTagN(16), 1)
	res, err := t.ask(ctx, req, at, p.config.server)
	if err != nil {
		return p.unanswered(method, err)
	}
	proved := req.GetHeader("Authorization") != nil || req.GetHeader("Proxy-Authorization") != nil
	return p.judge(res, method, proved)
}

func (p *Provider) unanswered(method siplib.RequestMethod, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer to %s by %s: is server right, and does the trunk take requests from this address?", method, p.config.transport)
	}
	return fmt.Errorf("%s: %s", method, p.words(err.Error()))
}

// judge says what a final answer means; proved is whether credentials were shown.
func (p *Provider) judge(res *siplib.Response, method siplib.RequestMethod, proved bool) error {
	answer := fmt.Sprintf("%s is answered %d %s", method, res.StatusCode, p.words(res.Reason))
	switch status := res.StatusCode; {
	case status == 401 || status == 407:
		if p.config.username == "" {
			return fmt.Errorf("%s: the trunk wants a username and a password", answer)
		}
		if !proved {
			return fmt.Errorf("%s: the trunk wants a kind of proof that is not spoken here", answer)
		}
		return fmt.Errorf("%s: username or password is wrong", answer)
	case status == 403:
		return fmt.Errorf("%s: the trunk wants nothing from this account, or from this address", answer)
	case method == siplib.REGISTER && status == 404:
		return fmt.Errorf("%s: the trunk does not know this username in the domain %s", answer, p.config.domain)
	case method == siplib.REGISTER && (status == 405 || status == 501):
		return fmt.Errorf("%s: the trunk takes no registrations; leave register out", answer)
	case status == 408, status >= 500 && status != 501:
		return fmt.Errorf("%s: the trunk has no service now", answer)
	case method == siplib.REGISTER && !res.IsSuccess():
		return errors.New(answer)
	case !proved:
		return provider.Unproven("reached (" + answer + "); whether the trunk takes our calls is seen at the first one")
	}
	return nil
}

func (p *Provider) words(said string) string {
	return provider.Excerpt(said, provider.Message{}, p.secrets()...)
}
