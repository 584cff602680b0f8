package apns

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

const (
	maxPayload    = 4096 // bytes
	maxCollapseID = 64   // bytes
)

var (
	// hexadecimal is the form of a handset's token. Its length is Apple's to choose.
	hexadecimal = regexp.MustCompile(`^([0-9a-fA-F]{2}){1,100}$`)
	bundle      = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$`)
)

// notification is a request but for its host and who sends it.
type notification struct {
	token   string
	header  http.Header
	payload []byte
}

// compose refuses what Apple would.
func (p *Provider) compose(m provider.Message) (notification, error) {
	switch {
	case m.Channel != "push":
		return notification{}, bad("apns carries push and nothing else")
	case m.Push == nil:
		return notification{}, bad("the message holds no notification")
	case m.Push.Platform != "apn":
		// To Apple it would be a bad token, and routing would believe that of the handset.
		return notification{}, bad(fmt.Sprintf("the notification is for a handset of %q", m.Push.Platform))
	case m.To == "":
		return notification{}, bad("the message has no token of a handset")
	case !hexadecimal.MatchString(m.To):
		return notification{}, &provider.Error{Class: provider.BadRecipient, Detail: "the handset's token is not in hexadecimal"}
	case len(m.Push.Collapse) > maxCollapseID || m.Push.Collapse != "" && !httpsend.Printable(m.Push.Collapse):
		return notification{}, bad(fmt.Sprintf("the name to collapse by is not a word of %d bytes or less", maxCollapseID))
	}
	topic := m.Push.App
	if topic == "" {
		topic = p.topic
	}
	if !bundle.MatchString(topic) {
		return notification{}, bad("the notification names no app by its bundle identifier, and topic is not set")
	}
	body, err := payload(m.Push, p.title)
	if err != nil {
		return notification{}, err
	}
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Apns-Topic", topic)
	h.Set("Apns-Push-Type", "alert")
	h.Set("Apns-Priority", "10")
	if m.Key != "" {
		h.Set("Apns-Id", id(m.Key))
	}
	if !m.Deadline.IsZero() {
		h.Set("Apns-Expiration", strconv.FormatInt(max(m.Deadline.Unix(), 0), 10))
	}
	if m.Push.Collapse != "" {
		h.Set("Apns-Collapse-Id", m.Push.Collapse)
	}
	return notification{token: m.To, header: h, payload: body}, nil
}

// id is a UUID of the sender's own making (version 8 of RFC 9562), which is the same when a message
// is handed over again.
func id(key string) string {
	b := sha256.Sum256([]byte(key))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// payload has what the app reads beside what the phone shows. Every value of aps is a text unless
// there is to be a title: apps are known that read aps as a dictionary of texts.
func payload(push *provider.Push, title bool) ([]byte, error) {
	aps := map[string]any{"alert": cmp.Or(push.Body, push.Title), "sound": "default"}
	if title && push.Title != "" {
		aps["alert"] = map[string]string{"title": push.Title, "body": push.Body}
	}
	if category := push.Data["type"]; category != "" {
		aps["category"] = category
	}
	all := map[string]any{}
	for key, value := range push.Data {
		all[key] = value
	}
	if _, there := all["aps"]; there {
		return nil, bad(`Apple reserves the data key "aps"`)
	}
	all["aps"] = aps
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(all); err != nil {
		return nil, bad("the notification cannot be written as JSON")
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if len(body) > maxPayload {
		return nil, bad(fmt.Sprintf("the payload has %d bytes, Apple takes %d", len(body), maxPayload))
	}
	return body, nil
}

func bad(detail string) *provider.Error {
	return &provider.Error{Class: provider.BadRequest, Detail: detail}
}
