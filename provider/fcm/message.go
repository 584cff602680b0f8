package fcm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
)

const (
	// maxData is Firebase's limit for the keys and values of data together, in bytes.
	maxData = 4096
	// maxTTL is the longest that Firebase keeps a message.
	maxTTL = 28 * 24 * time.Hour
)

// request is the body of messages:send
// (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages).
type request struct {
	Message message `json:"message"`
}

type message struct {
	Token   string            `json:"token"`
	Data    map[string]string `json:"data,omitempty"`
	Android android           `json:"android"`
}

// android says how the message is carried. There is no notification in it, so that the app is woken
// whether it is open or not.
type android struct {
	Priority    string `json:"priority"`
	TTL         string `json:"ttl,omitempty"`
	CollapseKey string `json:"collapse_key,omitempty"`
}

// encode composes the body. The error says BadRequest of what Firebase would refuse.
func encode(m provider.Message, now time.Time) ([]byte, error) {
	switch {
	case m.Channel != "push":
		return nil, bad("fcm carries push and nothing else")
	case m.Push == nil:
		return nil, bad("the message holds no notification")
	case m.Push.Platform != "fcm":
		// To Firebase it would be a handset that has gone, and routing would believe it.
		return nil, bad(fmt.Sprintf("the notification is for a handset of %q", m.Push.Platform))
	case m.To == "":
		return nil, bad("the message has no token of a handset")
	}
	size := 0
	for key, value := range m.Push.Data {
		if reserved(key) {
			return nil, bad(fmt.Sprintf("Firebase reserves the data key %q", key))
		}
		size += len(key) + len(value)
	}
	if size > maxData {
		return nil, bad(fmt.Sprintf("the data has %d bytes, Firebase takes %d", size, maxData))
	}
	r := request{Message: message{
		Token:   m.To,
		Data:    m.Push.Data,
		Android: android{Priority: "HIGH", TTL: ttl(m.Deadline, now), CollapseKey: m.Push.Collapse},
	}}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, bad("the message cannot be written as JSON")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func bad(detail string) *provider.Error {
	return &provider.Error{Class: provider.BadRequest, Detail: detail}
}

// ttl is how long Firebase keeps trying, in whole seconds; "0s" is now or never. Without a deadline
// it is Firebase's own, four weeks.
func ttl(deadline, now time.Time) string {
	if deadline.IsZero() {
		return ""
	}
	return fmt.Sprintf("%ds", min(max(deadline.Sub(now), 0), maxTTL)/time.Second)
}

// reserved are the keys of data that Firebase uses itself.
func reserved(key string) bool {
	switch key {
	case "", "from", "gcm", "message_type", "notification":
		return true
	}
	return strings.HasPrefix(key, "google.") || strings.HasPrefix(key, "gcm.")
}
