package rcs

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxText is the limit for a text, in characters.
	maxText = 3072
	// maxTTL is fifteen days.
	maxTTL = 15 * 24 * time.Hour
)

var (
	number = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	// uuid is one of RFC 4122, or of RFC 9562, which has followed it.
	uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	// seconds is a google.protobuf.Duration in JSON.
	seconds = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,9})?s$`)
)

// trafficTypes are those of AgentMessage.messageTrafficType.
var trafficTypes = []string{"AUTHENTICATION", "TRANSACTION", "PROMOTION", "SERVICEREQUEST", "ACKNOWLEDGEMENT"}

// wire is an AgentMessage, as far as texts go.
type wire struct {
	ContentMessage struct {
		Text string `json:"text"`
	} `json:"contentMessage"`
	MessageTrafficType string `json:"messageTrafficType"`
	TTL                string `json:"ttl"`
	ExpireTime         string `json:"expireTime"`
}

// readMessage judges a body.
func readMessage(raw []byte, now time.Time) (Message, *Refusal) {
	var b wire
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return Message{}, invalid("Invalid JSON payload received. " + err.Error())
	}
	m := Message{Text: b.ContentMessage.Text, Traffic: b.MessageTrafficType}
	switch {
	case m.Text == "":
		return m, invalid("The message has no content.")
	case utf8.RuneCountInString(m.Text) > maxText:
		return m, invalid("The text is longer than 3072 characters.")
	case m.Traffic != "" && !slices.Contains(trafficTypes, m.Traffic):
		return m, invalid("Invalid value at 'agent_message.message_traffic_type'")
	case b.TTL != "" && b.ExpireTime != "":
		return m, invalid("Only one of ttl and expireTime may be set.")
	}
	if b.TTL != "" {
		n, err := strconv.ParseFloat(strings.TrimSuffix(b.TTL, "s"), 64)
		if !seconds.MatchString(b.TTL) || err != nil || n <= 0 {
			return m, invalid("Invalid value at 'agent_message.ttl'")
		}
		m.TTL = time.Duration(min(n, 2*maxTTL.Seconds()) * float64(time.Second))
	}
	if b.ExpireTime != "" {
		at, err := time.Parse(time.RFC3339Nano, b.ExpireTime)
		if err != nil || !at.After(now) {
			return m, invalid("Invalid value at 'agent_message.expire_time'")
		}
		m.TTL = at.Sub(now)
	}
	if m.TTL > maxTTL {
		return m, invalid("The message may not expire later than 15 days from now.")
	}
	return m, nil
}
