package twilio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// notPermitted is Twilio's code for a restricted key without the permission, and for a key of another
// account (https://www.twilio.com/docs/api/errors/70051).
const notPermitted = 70051

// Check implements provider.Checker: it asks for the last message of the account, which is the least
// that every key may read that may send. What comes back is dropped.
func (p *Provider) Check(ctx context.Context) error {
	answer, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL:    p.endpoint + "?PageSize=1",
		Header: http.Header{"Authorization": {p.authorization}},
	}, "the list of messages", &struct{}{})
	var said struct {
		Code int `json:"code"`
	}
	if err != nil && json.Unmarshal(answer.Body, &said) == nil && said.Code == notPermitted {
		return provider.Unproven(fmt.Sprintf("reached, and the key may not list messages (%d): "+
			"it is restricted to sending, or of another account", notPermitted))
	}
	return err
}
