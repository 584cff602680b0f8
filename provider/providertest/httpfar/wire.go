// Package httpfar is the far end of a provider that speaks HTTP, for the provider's tests.
//
// A Wire keeps every byte that arrives, for recorded requests, and answers with raw bytes, for
// answers that no HTTP server would give; Frames do the latter for HTTP/2. A Vendor is an HTTP server that sits the exam of
// providertest: it needs only to be told how the vendor reads a message and how it answers.
package httpfar

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the recorded requests in testdata")

// Answer writes to the connection over which the n-th request came, counted from 1, and says
// whether the connection goes on.
type Answer func(n int, c net.Conn) bool

// Wire is a listener that keeps every byte of every request.
type Wire struct {
	transport *http.Transport
	answer    Answer

	mu   sync.Mutex
	seen [][]byte
}

// NewWire listens until the test ends.
func NewWire(t testing.TB, answer Answer) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{answer: answer, transport: &http.Transport{
		MaxResponseHeaderBytes: 64 << 10,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
		},
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.serve(c) // one after the other
		}
	}()
	t.Cleanup(func() {
		l.Close()
		w.transport.CloseIdleConnections()
		<-done
	})
	return w
}

func (w *Wire) serve(c net.Conn) {
	defer c.Close()
	var kept bytes.Buffer
	in := bufio.NewReader(io.TeeReader(c, &kept))
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.mu.Lock()
		w.seen = append(w.seen, bytes.Clone(kept.Bytes()))
		n := len(w.seen)
		w.mu.Unlock()
		kept.Reset()
		if !w.answer(n, c) {
			return
		}
	}
}

// Client reaches the wire under every host name, by plain HTTP.
func (w *Wire) Client() *http.Client { return &http.Client{Transport: w.transport} }

// Requests are the bytes of the requests so far.
func (w *Wire) Requests() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// Compare fails the test unless exactly one request came, which is that in the file at path.
func (w *Wire) Compare(t testing.TB, path string) {
	t.Helper()
	requests := w.Requests()
	if len(requests) != 1 {
		t.Fatalf("%d requests were sent, want 1", len(requests))
	}
	CompareFile(t, path, requests[0])
}

// CompareFile fails the test unless a request is that in the file at path. The flag -update writes
// the file. Lines end in \n there, so that editors and git keep it.
func CompareFile(t testing.TB, path string, request []byte) {
	t.Helper()
	got := append(bytes.ReplaceAll(request, []byte("\r\n"), []byte("\n")), '\n')
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (go test -update rewrites it)\n got:\n%s\nwant:\n%s", path, got, want)
	}
}

// Answering gives every request the same answer: a status, "202 Accepted", and a body.
func Answering(status, body string) Answer {
	return func(_ int, c net.Conn) bool {
		_, err := fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
		return err == nil
	}
}

// Bytes gives every request the same bytes, and ends the connection.
func Bytes(answer string) Answer {
	return func(_ int, c net.Conn) bool {
		io.WriteString(c, answer)
		return false
	}
}
