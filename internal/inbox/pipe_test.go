package inbox

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A server and a client over net.Pipe: real HTTP, deadlines and hang-ups included, in the time of
// synctest. A test that leaves a goroutine behind deadlocks the bubble and fails.

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// server is the inbox as `verifyd dev` serves it: with time-outs made for ordinary requests.
type server struct {
	t      *testing.T
	in     *Inbox
	http   *http.Server
	client *http.Client
}

func startServer(t *testing.T, in *Inbox) *server {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	s := &server{t: t, in: in, http: &http.Server{
		Handler:      in.Handler(),
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 15 * time.Second,
		IdleTimeout:  time.Hour,
	}}
	s.http.RegisterOnShutdown(in.Close)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.http.Serve(l)
	}()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		mine, theirs := net.Pipe()
		select {
		case l.conns <- theirs:
			return mine, nil
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.http.Shutdown(context.Background()); err != nil {
			t.Errorf("shut down: %v", err)
		}
		<-served
	})
	return s
}

func (s *server) request(ctx context.Context, method, path string, header ...string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://inbox.test"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp
}

// list answers the codes of the messages, and the status if it is not 200.
func (s *server) list(ctx context.Context, query string) string {
	s.t.Helper()
	resp := s.request(ctx, http.MethodGet, "/dev/inbox?"+query)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.Status
	}
	var got struct{ Messages []Message }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // to the end, or the connection is not used again
	return codes(got.Messages)
}

// event is one server-sent event; a comment has only that.
type event struct{ name, id, data, comment string }

// events is an open stream.
type events struct {
	t      *testing.T
	lines  *bufio.Scanner
	hangUp func()
}

func (s *server) events(query string, header ...string) *events {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	s.t.Cleanup(cancel)
	resp := s.request(ctx, http.MethodGet, "/dev/inbox/events?"+query, header...)
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		s.t.Fatalf("events: got %s, %s", resp.Status, got)
	}
	e := &events{t: s.t, lines: bufio.NewScanner(resp.Body), hangUp: cancel}
	s.t.Cleanup(func() { resp.Body.Close() })
	if got := e.next(); got != (event{}) { // retry: alone makes no event
		s.t.Fatalf("the stream begins with %+v", got)
	}
	return e
}

// next waits for the next event; the zero event with the comment "end" is the end of the stream.
func (e *events) next() event {
	e.t.Helper()
	var got event
	for e.lines.Scan() {
		name, value, _ := strings.Cut(e.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			got.name = value
		case "id":
			got.id = value
		case "data":
			got.data += value
		case "retry":
		case "":
			if e.lines.Text() == "" {
				return got
			}
			got.comment = value
		default:
			e.t.Fatalf("line %q", e.lines.Text())
		}
	}
	return event{comment: "end"}
}

// brief is an event in one word: the code of a message, cleared, or SID=status.
func (e event) brief() string {
	switch e.name {
	case "message":
		var m Message
		if err := json.Unmarshal([]byte(e.data), &m); err != nil {
			return err.Error()
		}
		return m.Code
	case "state":
		var s struct {
			VerificationSID string `json:"verification_sid"`
			Status          string
		}
		if err := json.Unmarshal([]byte(e.data), &s); err != nil {
			return err.Error()
		}
		return s.VerificationSID + "=" + s.Status
	case "":
		return fmt.Sprintf("(%s)", e.comment)
	}
	return e.name
}

func (e *events) want(briefs ...string) (last event) {
	e.t.Helper()
	for _, want := range briefs {
		last = e.next()
		if got := last.brief(); got != want {
			e.t.Fatalf("event: got %s, want %s", got, want)
		}
	}
	return last
}
