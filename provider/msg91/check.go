package msg91

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// transactional is the route of MSG91 that codes go by.
const transactional = "4"

var balance = regexp.MustCompile(`^"?-?[0-9]+(\.[0-9]+)?"?$`)

// Check implements provider.Checker: it asks for the balance, a number in plain text, by the old API,
// which wants the key in the URL. A refusal is a 200 as well (https://docs.msg91.com). The flow is not
// looked at: nothing that is known of MSG91 shows one to a key without starting it.
func (p *Provider) Check(ctx context.Context) error {
	answer, err := p.sender.Check(ctx, httpsend.Request{
		URL: strings.TrimSuffix(p.endpoint, "v5/flow") + "balance.php?" +
			url.Values{"authkey": {p.authKey}, "type": {transactional}}.Encode(),
		Header: http.Header{"Accept": {"application/json"}},
	}, "the balance")
	if err != nil || balance.Match(bytes.TrimSpace(answer.Body)) {
		return err
	}
	return errors.New("asked for the balance, it answers: " + p.sender.Excerpt(string(answer.Body), provider.Message{}))
}
