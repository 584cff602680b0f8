package httpfar

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// The frames of HTTP/2 that a Frames needs to know (RFC 9113, 6).
const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameReset    = 0x3
	frameSettings = 0x4
	framePing     = 0x6
	frameGoAway   = 0x7

	flagEnd        = 0x1 // of DATA and HEADERS
	flagAck        = 0x1 // of SETTINGS and PING
	flagEndHeaders = 0x4
)

// Codes of errors (RFC 9113, 7).
const (
	NoError       = 0x0
	InternalError = 0x2
	RefusedStream = 0x7
)

// Frames is an end of HTTP/2 that answers with raw frames, as no server would on its own. It
// returns those for the n-th request over all connections, counted from 1, which came whole on a
// stream, and whether the connection goes on.
type Frames func(n int, stream uint32) (frames []byte, more bool)

// NewFrames listens with TLS until the test ends.
func NewFrames(t testing.TB, answer Frames) (url string, client *http.Client) {
	t.Helper()
	lender := httptest.NewTLSServer(nil) // its certificate, and a client that trusts it
	t.Cleanup(lender.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: lender.TLS.Certificates, NextProtos: []string{"h2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{
		TLSClientConfig:   lender.Client().Transport.(*http.Transport).TLSClientConfig.Clone(),
		ForceAttemptHTTP2: true,
	}
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		open    []net.Conn
		n       int
	)
	counted := func(stream uint32) ([]byte, bool) {
		mu.Lock()
		defer mu.Unlock()
		n++
		return answer(n, stream)
	}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			running.Go(func() {
				defer c.Close()
				serveFrames(c, counted)
			})
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-accepting
		for _, c := range open {
			c.Close()
		}
		running.Wait()
		tr.CloseIdleConnections()
	})
	return "https://" + l.Addr().String(), &http.Client{Transport: tr}
}

func serveFrames(c net.Conn, answer func(stream uint32) ([]byte, bool)) {
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	out, more := frame(frameSettings, 0, 0, nil), true
	for {
		if _, err := c.Write(out); err != nil || !more {
			return
		}
		out = nil
		var header [9]byte
		if _, err := io.ReadFull(c, header[:]); err != nil {
			return
		}
		payload := make([]byte, binary.BigEndian.Uint32(append([]byte{0}, header[:3]...)))
		if _, err := io.ReadFull(c, payload); err != nil {
			return
		}
		kind, flags, stream := header[3], header[4], binary.BigEndian.Uint32(header[5:])
		switch {
		case (kind == frameSettings || kind == framePing) && flags&flagAck == 0:
			if kind == frameSettings {
				payload = nil
			}
			out = frame(kind, flagAck, 0, payload)
		case (kind == frameHeaders || kind == frameData) && flags&flagEnd != 0:
			out, more = answer(stream)
		}
	}
}

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:]
	b = append(b, kind, flags)
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// OK answers a request with 200 and no body.
func OK(stream uint32) []byte {
	return frame(frameHeaders, flagEnd|flagEndHeaders, stream, []byte{0x88}) // :status 200, of the static table
}

// Reset gives up a stream.
func Reset(stream, code uint32) []byte {
	return frame(frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code))
}

// GoAway ends a connection, of which last is the last stream that was looked at.
func GoAway(last, code uint32) []byte {
	return frame(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code))
}
