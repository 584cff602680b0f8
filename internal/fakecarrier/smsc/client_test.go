package smsc

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/verifyd/verifyd/internal/smpp"
)

// client is the other end of a connection, which says what it is told.
type client struct {
	*testing.T
	conn net.Conn
	in   *smpp.Reader
	next uint32
}

func dial(t *testing.T, s *Server) *client {
	near, far := net.Pipe()
	go s.ServeConn(far)
	return &client{T: t, conn: near, in: smpp.NewReader(near)}
}

func (c *client) write(p smpp.PDU) {
	c.Helper()
	b, err := p.Append(nil)
	if err != nil {
		c.Fatal(err)
	}
	if _, err := c.conn.Write(b); err != nil {
		c.Fatalf("write %v: %v", p.Command, err)
	}
}

func (c *client) read() smpp.PDU {
	c.Helper()
	p, err := c.in.Read()
	if err != nil {
		c.Fatalf("read: %v", err)
	}
	return p
}

// request sends a command.
func (c *client) request(command smpp.Command, body smpp.Body) {
	c.Helper()
	c.next++
	c.write(smpp.PDU{Command: command, Sequence: c.next, Body: body})
}

// ask sends a command and gives the answer.
func (c *client) ask(command smpp.Command, body smpp.Body) smpp.PDU {
	c.Helper()
	c.request(command, body)
	p := c.read()
	if p.Sequence != c.next {
		c.Fatalf("%v %d was answered with %+v", command, c.next, p)
	}
	return p
}

func (c *client) bind(command smpp.Command) smpp.Status {
	c.Helper()
	return c.ask(command, &smpp.Bind{SystemID: "acme", Password: "secret"}).Status
}

func (c *client) mustEnd() {
	c.Helper()
	if p, err := c.in.Read(); !errors.Is(err, io.EOF) {
		c.Errorf("got %+v, %v, want the end", p, err)
	}
	c.conn.Close()
}

func accounts() map[string]string { return map[string]string{"acme": "secret"} }

// short is a message for a number that ends as the fate wants it.
func short(suffix string) *smpp.ShortMessage {
	return &smpp.ShortMessage{
		Destination: smpp.Address{TON: 1, NPI: 1, Addr: "346123456" + suffix}, Text: []byte("hello"), RegisteredDelivery: 1,
	}
}
