package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// joined is the two ends of a pair of pipes with the delay between them, and a channel that is
// closed when the proxy has let go of both.
func joined() (client, server net.Conn, done chan struct{}) {
	client, a := net.Pipe()
	b, server := net.Pipe()
	done = make(chan struct{})
	go func() {
		join(a, b, oneWay, time.Sleep)
		close(done)
	}()
	return client, server, done
}

func TestTheProxyDelaysEachWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, done := joined()
		begin := time.Now()
		got := make([]byte, 4)
		for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
			if _, err := way[0].Write([]byte("ping")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(way[1], got); err != nil || string(got) != "ping" {
				t.Fatalf("got %q, %v; want ping", got, err)
			}
		}
		if took := time.Since(begin); took != 2*oneWay {
			t.Errorf("a round trip took %v, want %v", took, 2*oneWay)
		}
		client.Close()
		<-done
	})
}

func TestChunksWaitSideBySideAndKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, done := joined()
		var want bytes.Buffer
		begin := time.Now()
		for i := range 500 {
			chunk := fmt.Sprintf("chunk %d\n", i)
			want.WriteString(chunk)
			if _, err := io.WriteString(client, chunk); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, want.Len())
		if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("got %q, %v; want what was sent, in order", got, err)
		}
		if took := time.Since(begin); took != oneWay {
			t.Errorf("500 chunks sent at once took %v, want %v", took, oneWay)
		}
		server.Close()
		<-done
	})
}

func TestWhatWasSentBeforeTheEndArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, done := joined()
		if _, err := io.WriteString(client, "goodbye"); err != nil {
			t.Fatal(err)
		}
		client.Close()
		got, err := io.ReadAll(server)
		if string(got) != "goodbye" || err != nil {
			t.Errorf("got %q, %v; want goodbye and the end", got, err)
		}
		<-done
	})
}

func TestWhenOneSideIsGoneTheOtherIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, done := joined()
		server.Close()
		if n, err := client.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %d bytes, %v; want the end", n, err)
		}
		<-done
	})
}
