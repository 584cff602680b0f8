package smtp

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net"
	"net/textproto"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// bounce is what there is to say of a mail.
type bounce struct {
	from, to string
	header   []byte
	success  bool
	plan     desk.Plan
}

// bouncePatience is how long the server that takes bounces may need for one, and bounceTries how often it is tried.
const (
	bouncePatience = 10 * time.Second
	bounceTries    = 5
	bouncePause    = time.Second
)

// report sends a mail to the sender of another for each state that is to be reported. That it arrived is
// told to those alone who asked for it.
func (s *Server) report(b bounce) {
	s.mu.Lock()
	address := s.bounces
	s.mu.Unlock()
	if address == "" || b.from == "" {
		return
	}
	s.wait(b.plan.ReportAfter)
	for _, state := range b.plan.Reports {
		if state == desk.Delivered && !b.success {
			continue
		}
		content, err := b.mail(state, s.desk.Time())
		if err != nil {
			s.log.Error("a bounce could not be written", "provider", Name, "error", err)
			return
		}
		s.bring(address, b.from, content)
	}
}

// bring hands a bounce over, in several tries if need be.
func (s *Server) bring(address, to string, content []byte) {
	for try := range bounceTries {
		if try > 0 {
			s.wait(bouncePause)
		}
		err := bring(s.ctx, address, to, content)
		if err == nil || s.ctx.Err() != nil {
			return
		}
		s.log.Warn("a bounce was not taken", "provider", Name, "error", err)
	}
}

// actions are what RFC 3464 says of each state, and statuses the reason by RFC 3463.
var (
	actions  = map[desk.State]string{desk.Sent: "delayed", desk.Delivered: "delivered", desk.Failed: "failed", desk.NoSuch: "failed"}
	statuses = map[desk.State]string{desk.Sent: "4.4.1", desk.Delivered: "2.0.0", desk.Failed: "5.2.2", desk.NoSuch: "5.1.1"}
	replies  = map[desk.State]string{
		desk.Sent: "451 4.4.1 no answer from the host", desk.Delivered: "250 2.0.0 Ok",
		desk.Failed: "552 5.2.2 mailbox full", desk.NoSuch: "550 5.1.1 no such user here",
	}
)

// mail is a report in the form of RFC 3462 and RFC 3464, with the header of the mail that it is about.
func (b bounce) mail(state desk.State, now time.Time) ([]byte, error) {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	if err := parts.SetBoundary("fakecarrier-report"); err != nil {
		return nil, err
	}
	for _, part := range [][2]string{
		{"text/plain; charset=us-ascii", "This is the mail system of the fake carrier.\r\n\r\n<" + b.to + ">: " + replies[state] + "\r\n"},
		{"message/delivery-status", "Reporting-MTA: dns; relay.fakecarrier.example\r\nArrival-Date: " + now.Format(time.RFC1123Z) +
			"\r\n\r\nFinal-Recipient: rfc822; " + b.to + "\r\nAction: " + actions[state] + "\r\nStatus: " + statuses[state] +
			"\r\nRemote-MTA: dns; mx.example\r\nDiagnostic-Code: smtp; " + replies[state] + "\r\n"},
		{"text/rfc822-headers", string(b.header)},
	} {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {part[0]}})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(part[1])); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	head := fmt.Sprintf("From: MAILER-DAEMON@fakecarrier.example (Mail Delivery System)\r\nTo: %s\r\nSubject: Undelivered Mail Returned to Sender\r\n"+
		"Date: %s\r\nMessage-ID: <%d@fakecarrier.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; report-type=delivery-status; boundary=%q\r\n\r\n",
		b.from, now.Format(time.RFC1123Z), now.UnixNano(), parts.Boundary())
	return append([]byte(head), body.Bytes()...), nil
}

// bring hands a bounce to the server of its recipient. It comes from nobody, so that nobody answers it.
func bring(ctx context.Context, address, to string, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, bouncePatience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c := gosmtp.NewClient(conn)
	defer c.Close()
	if err := c.Hello("relay.fakecarrier.example"); err != nil {
		return err
	}
	if err := c.SendMail("", []string{to}, bytes.NewReader(content)); err != nil {
		return err
	}
	return c.Quit()
}
