package fcm

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// maxData is the limit for keys and values of data together, in bytes.
	maxData = 4096
	// maxTTL is four weeks.
	maxTTL = 28 * 24 * time.Hour
)

var (
	// handset is the shape of a registration token: the instance's identifier and a secret.
	handset = regexp.MustCompile(`^[A-Za-z0-9_-]+:[A-Za-z0-9_-]{100,}$`)
	topic   = regexp.MustCompile(`^[a-zA-Z0-9-_.~%]+$`)
	// seconds is a google.protobuf.Duration in JSON.
	seconds = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,9})?s$`)
)

// wire is the body of messages:send, as far as data messages to Android go. Whatever else stands in
// a body is refused by name.
type wire struct {
	ValidateOnly bool `json:"validate_only"`
	Message      struct {
		Token   string            `json:"token"`
		Topic   string            `json:"topic"`
		Data    map[string]string `json:"data"`
		Android struct {
			Priority    string `json:"priority"`
			TTL         string `json:"ttl"`
			CollapseKey string `json:"collapse_key"`
		} `json:"android"`
	} `json:"message"`
}

// readMessage judges a body.
func readMessage(raw []byte) (Message, *Refusal) {
	var b wire
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return Message{}, notJSON(err)
	}
	m, a := b.Message, b.Message.Android
	switch {
	case m.Token == "" && b.ValidateOnly && topic.MatchString(m.Topic):
	case m.Token == "":
		return Message{}, &Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", FCM: "INVALID_ARGUMENT",
			Words: "Recipient of the message is not set."}
	case !handset.MatchString(m.Token):
		return Message{}, &InvalidToken
	case a.Priority != "" && !strings.EqualFold(a.Priority, "high") && !strings.EqualFold(a.Priority, "normal"):
		return Message{}, violation("message.android.priority", "Invalid value at 'message.android.priority'")
	case a.TTL != "" && !goodTTL(a.TTL):
		return Message{}, violation("message.android.ttl", "Invalid value at 'message.android.ttl': "+
			"must be a duration from 0s to 2419200s")
	}
	size := 0
	for key, value := range m.Data {
		if reserved(key) {
			return Message{}, violation("message.data["+key+"]", "Invalid data payload key: "+key)
		}
		size += len(key) + len(value)
	}
	if size > maxData {
		return Message{}, &tooLarge
	}
	return Message{Token: m.Token, Data: m.Data, Priority: a.Priority, TTL: a.TTL, CollapseKey: a.CollapseKey, Raw: raw, trial: b.ValidateOnly}, nil
}

// reserved are the keys that FCM uses itself.
func reserved(key string) bool {
	switch key {
	case "", "from", "gcm", "message_type", "notification":
		return true
	}
	return strings.HasPrefix(key, "google.") || strings.HasPrefix(key, "gcm.")
}

func goodTTL(ttl string) bool {
	if !seconds.MatchString(ttl) {
		return false
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(ttl, "s"), 64)
	return err == nil && n <= maxTTL.Seconds()
}

func notJSON(err error) *Refusal {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return violation(wrong.Field, "Invalid value at '"+wrong.Field+"' (TYPE_STRING), "+wrong.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return violation("message", "Invalid JSON payload received. Unknown name "+name+" at 'message': Cannot find field.")
	}
	return &Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", Words: "Invalid JSON payload received. Unexpected token."}
}

func violation(field, words string) *Refusal {
	return &Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", Field: field, Words: words}
}
