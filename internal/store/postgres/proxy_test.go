//go:build full

package postgres_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between a store and its server, and cuts one connection after so many messages of
// the client.
type proxy struct {
	listener net.Listener
	target   string
	all      sync.WaitGroup

	mu    sync.Mutex
	left  int // messages until the cut; negative for none
	late  time.Duration
	fired bool
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, left: -1}
	p.all.Go(p.serve)
	t.Cleanup(func() {
		_ = l.Close()
		p.all.Wait()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// cutAfter cuts a connection after n more messages. If late is not 0, what the client had sent by
// then reaches the server all the same, so much later.
func (p *proxy) cutAfter(n int, late time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.late, p.fired = n, late, false
}

// cut reports whether the cut has happened, and takes it back if not.
func (p *proxy) cut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = -1
	return p.fired
}

// count counts a message, and reports whether the cut comes before it.
func (p *proxy) count() (cut bool, late time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left < 0 {
		return false, 0
	}
	if p.left == 0 {
		p.left, p.fired = -1, true
		return true, p.late
	}
	p.left--
	return false, 0
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.all.Go(func() {
			_, _ = io.Copy(client, server)
			_ = client.Close()
			_ = server.Close()
		})
		p.all.Go(func() {
			p.forward(client, server)
			_ = client.Close()
			_ = server.Close()
		})
	}
}

// forward passes the client's messages on, one by one.
func (p *proxy) forward(client, server net.Conn) {
	header, watcher := 0, false // the first message has no letter
	for {
		head := make([]byte, header+4)
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		message := make([]byte, header+int(binary.BigEndian.Uint32(head[header:])))
		copy(message, head)
		if _, err := io.ReadFull(client, message[len(head):]); err != nil {
			return
		}
		header = 1
		// The watcher looks in at times of its own, and is not what is cut.
		watcher = watcher || bytes.Contains(message, []byte("LISTEN"))
		if watcher {
			if _, err := server.Write(message); err != nil {
				return
			}
			continue
		}
		if cut, late := p.count(); cut {
			if late > 0 {
				rest := append(message, drain(client)...)
				_ = client.Close()
				time.Sleep(late)
				_, _ = server.Write(rest)
				time.Sleep(late) // the server reads it before it sees the end
			}
			return
		}
		if _, err := server.Write(message); err != nil {
			return
		}
	}
}

// drain reads what the client has sent already.
func drain(client net.Conn) (sent []byte) {
	_ = client.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	sent, _ = io.ReadAll(client)
	return sent
}
