package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
)

// verp is the address under which bounces come back. Every mail leaves with an envelope sender of
// its own (variable envelope return path): bounces+vl0123…-1@bounces.example.com belongs to the
// mail with the key VL0123…:1. Whoever can write that address has the mail, or its bounce.
type verp address

// keyShape is that of a Message.Key.
var keyShape = regexp.MustCompile(`^(VL[0-9a-f]{32}):([0-9]{1,4})$`)

// sender is the envelope sender of the mail with a key.
func (v verp) sender(key string) (address, bool) {
	found := keyShape.FindStringSubmatch(key)
	if found == nil {
		return "", false
	}
	local, domain, _ := strings.Cut(string(v), "@")
	return address(fmt.Sprintf("%s+%s-%s@%s", local, strings.ToLower(found[1]), found[2], domain)), true
}

// tokenShape is what a key becomes in an address. Case is not kept by every server on the way.
var tokenShape = regexp.MustCompile(`^vl([0-9a-f]{32})-([0-9]{1,4})$`)

// key is that of the mail to which an address belongs.
func (v verp) key(to string) (key string, ok bool) {
	local, domain, _ := strings.Cut(strings.ToLower(to), "@")
	ours, ourDomain, _ := strings.Cut(strings.ToLower(string(v)), "@")
	token, ok := strings.CutPrefix(local, ours+"+")
	if !ok || domain != ourDomain {
		return "", false
	}
	found := tokenShape.FindStringSubmatch(token)
	if found == nil {
		return "", false
	}
	return "VL" + found[1] + ":" + found[2], true
}

// maxBounce bounds a bounce in bytes: RET=HDRS brings back headers only, and a server that returns
// the whole mail returns a small one.
const maxBounce = 256 << 10

// maxParts bounds the parts of a bounce that are looked at. RFC 3462 has three.
const maxParts = 8

// errNoBounce is for mail that is no report of a mail system: an out-of-office note, a person's
// answer, spam. What the parsers say of it is left out: they repeat the line that they cannot read, which
// may be the person's address.
var errNoBounce = errors.New("no delivery report (RFC 3464)")

// readBounce reads a delivery report (RFC 3464) in its envelope (RFC 3462). ok is false where
// it says nothing final: a delay, or a mail handed on to a system that reports nothing.
func readBounce(content []byte) (r provider.Report, ok bool, err error) {
	m, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return r, false, errNoBounce
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") {
		return r, false, errNoBounce
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for range maxParts {
		part, err := parts.NextPart()
		if err != nil {
			return r, false, errNoBounce
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		// The second is of RFC 6533, for addresses beyond ASCII.
		if kind != "message/delivery-status" && kind != "message/global-delivery-status" {
			continue
		}
		r, ok, err = readStatus(part)
		if at, malformed := m.Header.Date(); malformed == nil {
			r.At = at.UTC()
		}
		return r, ok, err
	}
	return r, false, errNoBounce
}

// readStatus reads the fields of message/delivery-status: those of the mail, an empty line, and
// those of its one recipient.
func readStatus(body io.Reader) (r provider.Report, ok bool, err error) {
	fields := textproto.NewReader(bufio.NewReader(body))
	// What the mail system says of itself matters to nobody here.
	if _, err := fields.ReadMIMEHeader(); err != nil {
		return r, false, errNoBounce
	}
	recipient, err := fields.ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		return r, false, errNoBounce
	}
	status := statusShape.FindString(recipient.Get("Status")) // a comment may follow
	switch strings.ToLower(strings.TrimSpace(recipient.Get("Action"))) {
	case "failed":
		reply, enhanced := quoted(recipient.Get("Diagnostic-Code"))
		if enhanced != "" && (status == "" || strings.HasSuffix(status, ".0.0")) { // Exim says only 5.0.0
			status = enhanced
		}
		r.State = provider.Failed
		// A mail system that gave up on a passing failure has tried long enough: whoever sends again sends
		// another mail.
		r.Class = email.Class(status, provider.BadRequest)
		r.Code = strings.TrimSpace(reply + " " + status)
		return r, true, nil
	case "delivered":
		r.State = provider.Delivered
		return r, true, nil
	case "delayed", "relayed", "expanded":
		return r, false, nil
	}
	return r, false, fmt.Errorf("%w: no action of RFC 3464", errNoBounce)
}

var statusShape = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}`)

var diagnosticShape = regexp.MustCompile(`^(?i:smtp)\s*;\s*([245][0-9]{2})(?:[ -]([245]\.[0-9]{1,3}\.[0-9]{1,3})\b)?`)

// quoted is the SMTP reply that a Diagnostic-Code quotes, its code and its enhanced code; each is ""
// if it is not there.
func quoted(diagnostic string) (reply, enhanced string) {
	if found := diagnosticShape.FindStringSubmatch(diagnostic); found != nil {
		return found[1], found[2]
	}
	return "", ""
}
