package fcm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// trial is a message that Firebase judges and does not send, to a topic that nobody follows
// (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send, validateOnly).
const trial = `{"validate_only":true,"message":{"topic":"verifyd-check"}}`

// Check implements provider.Checker: it gets an access token, and has Firebase judge a message that is
// not sent. So the key, the project and the permission to send are proved; that a handset is one of the
// project's apps is not.
func (p *Provider) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	access, err := p.tokens.Get(ctx, "", provider.Message{})
	if err != nil {
		return provider.Plain(err)
	}
	answer, err := p.sender.Check(ctx, httpsend.Request{
		Method: http.MethodPost, URL: p.endpoint,
		Header: http.Header{"Authorization": {"Bearer " + access}, "Content-Type": {"application/json; charset=UTF-8"}},
		Body:   []byte(trial),
	}, "the project")
	if err == nil || answer.Status == 0 || !json.Valid(answer.Body) {
		return err
	}
	e := p.failure(answer, access, provider.Message{})
	if answer.Status == http.StatusForbidden {
		return errors.New("the service account may not send for this project: " + provider.Plain(e).Error())
	}
	return errors.New("the project: " + provider.Plain(e).Error())
}
