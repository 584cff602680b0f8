package smtp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// read is a mail as its reader sees it.
type read struct {
	from, subject, text string
	// header is that of the mail as it came, with a line's end at its end.
	header []byte
}

// maxParts bounds the parts that are looked at.
const maxParts = 8

// readMail reads what a mail server has to understand: who it is from, when and under which name it was
// sent (RFC 5322, 3.6), and the text for those who read no HTML.
func readMail(raw []byte) (read, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return read{}, errors.New("this is no mail")
	}
	for _, name := range []string{"From", "To", "Date", "Message-ID", "Subject"} {
		if m.Header.Get(name) == "" {
			return read{}, fmt.Errorf("%s is missing", name)
		}
	}
	from, err := mail.ParseAddress(m.Header.Get("From"))
	if err != nil {
		return read{}, errors.New("the sender in From is no address")
	}
	if _, err := m.Header.Date(); err != nil {
		return read{}, errors.New("the header Date is no date")
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return read{}, errors.New("the header Subject cannot be decoded")
	}
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 {
		return read{}, errors.New("lines do not end as they have to")
	}
	text, err := plain(m.Header.Get, m.Body)
	return read{from: from.Address, subject: subject, text: text, header: raw[:end+2]}, err
}

// plain is the text of a body, or of its first part that is text.
func plain(header func(string) string, body io.Reader) (string, error) {
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		return "", errors.New("Content-Type is missing or broken")
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for range maxParts {
			part, err := parts.NextRawPart()
			if err != nil {
				break
			}
			if text, err := plain(part.Header.Get, part); err == nil {
				return text, nil
			}
		}
		return "", errors.New("no part is text")
	}
	if kind != "text/plain" || !strings.EqualFold(params["charset"], "utf-8") {
		return "", errors.New("this is no text in UTF-8")
	}
	switch strings.ToLower(header("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	return strings.ReplaceAll(string(text), "\r\n", "\n"), err
}
