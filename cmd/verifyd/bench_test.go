package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// BenchmarkVerification is the whole of a verification as `verifyd dev` serves it with its defaults: a
// create, its message in the inbox and a check, over loopback, on a file, with log lines, by 64
// connections. It is for whoever changes that path, to see in seconds what tests/bench measures in
// minutes:
//
//	TMPDIR=/dev/shm go test ./cmd/verifyd -run - -bench Verification -benchtime 20000x -cpuprofile cpu.prof
//
// Allocations are exact, and none are the client's. The processor time has the client's system calls in
// it, and other guests of the machine bear on it: compare two programs in turns, with -count.
func BenchmarkVerification(b *testing.B) {
	d, err := newDev(b.Context(), devOptions{listen: "127.0.0.1:0", alias: "127.0.0.1:0", data: b.TempDir()}, newLog(io.Discard, "text", "info"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- d.Run(ctx) }()
	defer func() {
		stop()
		if err := <-stopped; err != nil {
			b.Error(err)
		}
	}()

	name, yes := "Acme", true
	service, err := d.Engine.CreateService(b.Context(), d.World.Account, verify.ServiceParams{FriendlyName: &name, CustomCodeEnabled: &yes})
	if err != nil {
		b.Fatal(err)
	}
	clients := make([]*benchClient, 64)
	for i := range clients {
		clients[i] = newBenchClient(b, d.Listener.Addr().String(), d.World.Account, d.World.Token, service.SID)
	}
	var number atomic.Int64
	verifications := func(n int64) {
		var left atomic.Int64
		left.Store(n)
		var all sync.WaitGroup
		for _, c := range clients {
			all.Go(func() {
				for left.Add(-1) >= 0 {
					if err := c.verification(number.Add(1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		if err := d.Settle(ctx); err != nil { // the messages that are under way
			b.Error(err)
		}
	}
	verifications(2000)

	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	verifications(int64(b.N))
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// benchClient is one connection. It allocates nothing once it runs.
type benchClient struct {
	conn          net.Conn
	in            *bufio.Reader
	create, check []byte // the requests up to the length of the body
	form, out     []byte
}

func newBenchClient(b *testing.B, address, account, token, service string) *benchClient {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	head := func(resource string) []byte {
		return fmt.Appendf(nil, "POST /v2/Services/%s/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ", service, resource, address,
			base64.StdEncoding.EncodeToString([]byte(account+":"+token)))
	}
	return &benchClient{conn: conn, in: bufio.NewReader(conn), create: head("Verifications"), check: head("VerificationCheck"),
		form: make([]byte, 0, 128), out: make([]byte, 0, 1024)}
}

// verification creates one and checks it.
func (c *benchClient) verification(number int64) error {
	to := number * 7_919_993 % 100_000_000 // numbers come in no order
	c.form = appendDigits(append(c.form[:0], "Channel=sms&CustomCode=123456&To=%2B346"...), to)
	if err := c.post(c.create, "HTTP/1.1 201"); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	c.form = appendDigits(append(c.form[:0], "Code=123456&To=%2B346"...), to)
	if err := c.post(c.check, "HTTP/1.1 200"); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	return nil
}

func appendDigits(form []byte, to int64) []byte {
	for place := int64(10_000_000); place > 0; place /= 10 {
		form = append(form, byte('0'+to/place%10))
	}
	return form
}

// post sends the form, and reads past the answer.
func (c *benchClient) post(head []byte, want string) error {
	c.out = append(c.out[:0], head...)
	c.out = strconv.AppendInt(c.out, int64(len(c.form)), 10)
	c.out = append(append(c.out, "\r\n\r\n"...), c.form...)
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && !strings.HasPrefix(string(line), want):
			return fmt.Errorf("got %q, want %s", line, want)
		case len(line) == len("\r\n"):
			_, err := c.in.Discard(length)
			return err
		case strings.HasPrefix(string(line), "Content-Length: "):
			for _, digit := range line[len("Content-Length: ") : len(line)-len("\r\n")] {
				length = 10*length + int(digit-'0')
			}
		}
	}
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
