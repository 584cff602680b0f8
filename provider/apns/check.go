package apns

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/provider"
)

// noHandset is a token of the right form that Apple has given to nobody.
var noHandset = strings.Repeat("0", 64)

// Check implements provider.Checker: it notifies a handset that there is not, by the first host. Apple
// looks at the provider token before it looks for the handset, so BadDeviceToken says that the key and
// its names are right. A topic that it does not like is told too; that it looks at topics before
// handsets is written nowhere. Other apps than topic are not tried, nor is the second host.
func (p *Provider) Check(ctx context.Context) error {
	if p.topic == "" {
		return p.reach(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	n := notification{token: noHandset, payload: []byte(`{"aps":{"content-available":1}}`), header: http.Header{
		"Content-Type":    {"application/json"},
		"Apns-Topic":      {p.topic},
		"Apns-Push-Type":  {"background"},
		"Apns-Priority":   {"5"},
		"Apns-Expiration": {"0"},
	}}
	_, e := p.offer(ctx, p.hosts[0], n, provider.Message{})
	if e == nil || e.Code == badDeviceToken {
		return nil
	}
	switch status, reason, _ := strings.Cut(e.Code, " "); {
	case status == "403":
		return fmt.Errorf("the key is refused by Apple (%s): are key_id and team_id those of the key, and is the clock right?", e.Code)
	case reason == "TopicDisallowed", reason == "BadTopic", reason == "DeviceTokenNotForTopic":
		return fmt.Errorf("the key is known to Apple, and may not notify the topic (%s)", e.Code)
	}
	return provider.Plain(e)
}

// reach is all that can be done without a topic: Apple may look for one before it looks at the key.
func (p *Provider) reach(ctx context.Context) error {
	err := p.sender.Reach(ctx, p.hosts[0].String())
	if errors.Is(err, provider.ErrUnproven) {
		return provider.Unproven("Apple was reached; the key is tried where topic is set")
	}
	return err
}
