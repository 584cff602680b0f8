package door

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// street is a listener whose connections are pipes, which know the time of a bubble.
type street struct{ knocks chan net.Conn }

func newStreet() street { return street{make(chan net.Conn)} }

func (s street) Accept() (net.Conn, error) {
	c, ok := <-s.knocks
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (street) Close() error   { return nil }
func (street) Addr() net.Addr { return &net.TCPAddr{} }

// knock connects; near is what Accept gives.
func (s street) knock() (far net.Conn) {
	near, far := net.Pipe()
	s.knocks <- near
	return far
}

func TestOneMoreThanTheMostIsClosedUntilOneLeaves(t *testing.T) {
	s := newStreet()
	d := New(s, Limits{Most: 2})
	accepted := make(chan net.Conn, 3)
	ended := make(chan error)
	go func() {
		for {
			c, err := d.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- c
		}
	}()
	s.knock()
	s.knock()
	first, second := <-accepted, <-accepted
	if _, err := s.knock().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a third one: got %v, want that it is closed", err)
	}
	for range 2 { // whoever closes twice has left once
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	}
	s.knock()
	third := <-accepted
	if _, err := s.knock().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("one more: got %v, want that it is closed", err)
	}
	second.Close()
	third.Close()
	close(s.knocks)
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the end of the listener: got %v", err)
	}
}

// accept is a connection through a door, from both ends.
func accept(t *testing.T, limits Limits) (near, far net.Conn) {
	t.Helper()
	s := newStreet()
	knocked := make(chan net.Conn, 1)
	go func() { knocked <- s.knock() }()
	near, err := New(s, limits).Accept()
	if err != nil {
		t.Fatal(err)
	}
	return near, <-knocked
}

func TestWhoIsSilentForTooLongIsNotReadAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := accept(t, Limits{Silence: time.Minute})
		defer near.Close()
		go func() {
			for range 3 {
				time.Sleep(50 * time.Second)
				far.Write([]byte("x"))
			}
		}()
		begin := time.Now()
		got, err := io.ReadAll(near)
		if took := time.Since(begin); len(got) != 3 || !errors.Is(err, os.ErrDeadlineExceeded) || took != 210*time.Second {
			t.Errorf("read %q and %v after %s, want three bytes and a deadline a minute after the last", got, err, took)
		}
	})
}

// Whoever serves a connection sets deadlines of his own, from command to command.
func TestNoDeadlineIsBehindTheEndOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, set := range map[string]func(net.Conn) error{
			"none":             func(net.Conn) error { return nil },
			"for ever":         func(c net.Conn) error { return c.SetDeadline(time.Time{}) },
			"later":            func(c net.Conn) error { return c.SetReadDeadline(time.Now().Add(time.Hour)) },
			"later for writes": func(c net.Conn) error { return c.SetWriteDeadline(time.Now().Add(time.Hour)) },
		} {
			near, _ := accept(t, Limits{Life: time.Minute})
			if err := set(near); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			_, err := near.Read(make([]byte, 1))
			if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Minute {
				t.Errorf("%s: a read ended with %v after %s, want the deadline after a minute", name, err, took)
			}
			if _, err := near.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: a write ended with %v, want the deadline", name, err)
			}
			near.Close()
		}
		near, _ := accept(t, Limits{Life: time.Minute})
		defer near.Close()
		if err := near.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("an earlier deadline: %v after %s, want it after a second", err, time.Since(begin))
		}
	})
}
