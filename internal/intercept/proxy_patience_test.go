package intercept

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections that time in a bubble governs.
type pipes struct {
	offered chan net.Conn
	closed  chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.offered:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return local }

var local = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// fromLocal is an end of a pipe whose other end is of this machine.
type fromLocal struct{ net.Conn }

func (fromLocal) RemoteAddr() net.Addr { return local }

// dial is a client's end of a new connection.
func (p *pipes) dial(t *testing.T) net.Conn {
	near, far := net.Pipe()
	p.offered <- fromLocal{far}
	t.Cleanup(func() { near.Close() })
	return near
}

// ends is how long a connection goes on, and what came meanwhile.
func ends(c net.Conn) (after time.Duration, said string) {
	begin := time.Now()
	all, _ := io.ReadAll(c)
	return time.Since(begin), string(all)
}

// Who says nothing, or says it letter by letter, is not waited for.
func TestASlowClientIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newPipes()
		p := serveProxy(listener, ProxyOptions{Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("nobody asked for a connection")
		}})
		silent := listener.dial(t)
		if after, said := ends(silent); after != headerPatience || said != "" {
			t.Errorf("a silent client: after %v, with %q", after, said)
		}
		slow := listener.dial(t)
		var writing sync.WaitGroup
		writing.Go(func() {
			for _, letter := range "CONNECT verify.twilio.com:443 HTTP/1.1\r\n\r\n" {
				if _, err := slow.Write([]byte(string(letter))); err != nil {
					return
				}
				time.Sleep(time.Second) // of the bubble
			}
		})
		if after, said := ends(slow); after != headerPatience || strings.Contains(said, "200") {
			t.Errorf("a slow client: after %v, with %q", after, said)
		}
		writing.Wait()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// through is the answer to a CONNECT for another host, where the environment has a proxy that behaves as
// behaves says, and how long it took. over is closed when nobody waits for that one any more.
func through(t *testing.T, behaves func(_ net.Conn, over <-chan struct{})) (status int, body string, after time.Duration) {
	listener, over := newPipes(), make(chan struct{})
	corporate := &url.URL{Scheme: "http", Host: "corp.example:3128"}
	p := serveProxy(listener, ProxyOptions{
		Upstream: http.ProxyURL(corporate),
		Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				behaves(far, over)
			}()
			return near, nil
		},
	})
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		close(over)
	}()
	conn := listener.dial(t)
	begin := time.Now()
	go io.WriteString(conn, "CONNECT example.com:443 HTTP/1.1\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, answer.ContentLength))
		body = string(text)
	}
	return answer.StatusCode, body, time.Since(begin)
}

// A proxy of the environment that does not do as it is asked costs the client an answer that says so, and
// nobody anything else.
func TestABadProxyOfTheEnvironment(t *testing.T) {
	asked := func(c net.Conn) {
		for lines := bufio.NewScanner(c); lines.Scan() && lines.Text() != ""; {
			continue
		}
	}
	for name, behaves := range map[string]func(net.Conn, <-chan struct{}){
		"hangs up":             func(net.Conn, <-chan struct{}) {},
		"hangs up when asked":  func(c net.Conn, _ <-chan struct{}) { asked(c) },
		"never takes":          func(_ net.Conn, over <-chan struct{}) { <-over },
		"never answers":        func(c net.Conn, over <-chan struct{}) { asked(c); <-over },
		"answers garbage":      func(c net.Conn, _ <-chan struct{}) { asked(c); io.WriteString(c, "\x16\x03\x01\r\n\r\n") },
		"answers half":         func(c net.Conn, over <-chan struct{}) { asked(c); io.WriteString(c, "HTTP/1.1 200 OK\r\nX: "); <-over },
		"refuses":              func(c net.Conn, _ <-chan struct{}) { asked(c); io.WriteString(c, "HTTP/1.1 407 Who are you\r\n\r\n") },
		"has no end of header": func(c net.Conn, _ <-chan struct{}) { asked(c); endless(c) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				status, body, after := through(t, behaves)
				if status != http.StatusBadGateway || !strings.Contains(body, "the proxy of the environment") || after > dialPatience {
					t.Errorf("%d after %v: %s", status, after, body)
				}
			})
		})
	}
}

// endless writes a header without end.
func endless(c net.Conn) {
	if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n"); err != nil {
		return
	}
	for line := "X: " + strings.Repeat("x", 1000) + "\r\n"; ; {
		if _, err := io.WriteString(c, line); err != nil {
			return
		}
	}
}

// Whatever a proxy of the environment answers, the client is told one thing or the other.
func FuzzProxyOfTheEnvironment(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200", "\x05\x00", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		synctest.Test(t, func(t *testing.T) {
			status, _, _ := through(t, func(c net.Conn, _ <-chan struct{}) {
				go io.Copy(io.Discard, c)
				c.Write(answer)
			})
			if status != http.StatusOK && status != http.StatusBadGateway {
				t.Errorf("%q becomes %d", answer, status)
			}
		})
	})
}

// An end that breaks off, as one that is killed does, takes the other with it.
func TestATunnelEndsWithEitherEnd(t *testing.T) {
	for _, breaks := range []string{"near", "far"} {
		w := newWorld(t, nil)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		w.mu.Lock()
		w.lead["example.com:7"] = listener.Addr().String()
		w.mu.Unlock()
		near := w.raw("CONNECT example.com:7 HTTP/1.1\r\n\r\n")
		if got := w.answer(near); got != 200 {
			t.Fatalf("CONNECT: %d", got)
		}
		far, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		broken, left := near, far
		if breaks == "far" {
			broken, left = far, near
		}
		if err := broken.(*net.TCPConn).SetLinger(0); err != nil { // a reset, and no word of farewell
			t.Fatal(err)
		}
		broken.Close()
		if n, err := io.Copy(io.Discard, left); n > 0 || err != nil && !errors.Is(err, net.ErrClosed) && !isReset(err) {
			t.Errorf("the %s end breaks: the other reads %d bytes, %v", breaks, n, err)
		}
	}
}

func isReset(err error) bool { return strings.Contains(err.Error(), "reset") }
