package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// The client is written by hand because it shares the cores with what it measures: net/http's
// would cost as much as the server. It knows only what these two servers answer.

// leg is one server under one load for a while.
type leg struct {
	rate     float64 // verifications a second
	p50, p99 float64 // ms
	cpu      float64 // µs of the server and its database for one verification
	database float64 // µs of them that were the database's
	rss      float64 // MB of the server at the end
}

// lastNumber makes every verification one of a recipient never seen before: a recipient's second
// start would be a resend.
var lastNumber atomic.Int64

// nextNumber is a Spanish mobile number; there are 10^8 in +346.
func nextNumber() int64 { return lastNumber.Add(1) % 100_000_000 }

// measure puts load on a server. The processor time includes the work that answers left behind.
func (c *child) measure(ctx context.Context, connections int, d time.Duration) (leg, error) {
	before, err := c.cpu()
	if err != nil {
		return leg{}, c.failed(err)
	}
	took, elapsed, err := c.load(ctx, connections, d)
	if err != nil {
		return leg{}, c.failed(err)
	}
	rss, err := c.rss()
	if err != nil {
		return leg{}, c.failed(err)
	}
	after, err := c.settle(ctx)
	if err != nil {
		return leg{}, c.failed(err)
	}
	slices.Sort(took)
	n := float64(len(took))
	return leg{
		rate:     n / elapsed.Seconds(),
		p50:      percentile(took, 50),
		p99:      percentile(took, 99),
		cpu:      float64((after.server + after.database - before.server - before.database).Microseconds()) / n,
		database: float64((after.database - before.database).Microseconds()) / n,
		rss:      rss,
	}, nil
}

// settle waits until the server has nothing more to do, so that messages still to be delivered are
// paid by the leg that asked for them, and returns the processor time used.
func (c *child) settle(ctx context.Context) (used processorTime, err error) {
	const pause, patience = 200 * time.Millisecond, 50
	used, err = c.cpu()
	if c.busy {
		return used, err
	}
	for range patience {
		select {
		case <-ctx.Done():
			return used, ctx.Err()
		case <-time.After(pause):
		}
		previous := used
		if used, err = c.cpu(); err != nil || used.server-previous.server <= tick {
			break
		}
	}
	return used, err
}

// load runs verifications, or the calls of the child, on a number of connections, and returns how long each took, in ms, and
// how long all of it. The first wrong answer ends it.
func (c *child) load(ctx context.Context, connections int, d time.Duration) ([]float64, time.Duration, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	clients := make([]*client, connections)
	for i := range clients {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			return nil, 0, err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		if err := conn.SetDeadline(time.Now().Add(d + time.Minute)); err != nil {
			return nil, 0, err
		}
		clients[i] = newClient(conn, c)
	}
	call := c.call
	if call == nil {
		call = func(client *client) error { return client.verification(nextNumber()) }
	}
	took := make([][]float64, connections)
	begin := time.Now()
	var group sync.WaitGroup
	for i, client := range clients {
		group.Go(func() {
			for start := begin; start.Sub(begin) < d; {
				if err := call(client); err != nil {
					fail(err)
					return
				}
				end := time.Now()
				took[i] = append(took[i], end.Sub(start).Seconds()*1000)
				start = end
			}
		})
	}
	group.Wait()
	elapsed := time.Since(begin)
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	return slices.Concat(took...), elapsed, nil
}

// client is one kept connection.
type client struct {
	limited       bool // starts name the rate limits
	conn          net.Conn
	in            *bufio.Reader
	create, check []byte // the requests up to the length of the body
	head          []byte // of another request
	form          []byte
	out           []byte
	body          []byte
}

func newClient(conn net.Conn, c *child) *client {
	head := func(resource string) []byte {
		return fmt.Appendf(nil, "POST /v2/Services/%s/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ", c.service, resource, c.address,
			base64.StdEncoding.EncodeToString([]byte(accountSID+":"+authToken)))
	}
	return &client{limited: c.limited, conn: conn, in: bufio.NewReader(conn), create: head("Verifications"), check: head("VerificationCheck")}
}

var approved = []byte(`"approved"`)

// verification creates one and checks it.
func (c *client) verification(number int64) error {
	c.form = fmt.Appendf(c.form[:0], "To=%%2B346%08d&Channel=sms&CustomCode=123456", number)
	if c.limited {
		c.form = appendLimits(c.form, number)
	}
	status, body, err := c.post(c.create)
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if status != 201 {
		return fmt.Errorf("create: got %d, want 201: %s", status, body)
	}
	c.form = fmt.Appendf(c.form[:0], "To=%%2B346%08d&Code=123456", number)
	status, body, err = c.post(c.check)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if status != 200 || !bytes.Contains(body, approved) {
		return fmt.Errorf("check: got %d, want 200 and approved: %s", status, body)
	}
	return nil
}

// The rate limits of the leg limited.
const (
	limitOfAddress = "end_user_ip"
	limitOfAccount = "account"
)

// appendLimits adds a start's values of the rate limits to its form: one of four thousand addresses,
// one of three thousand accounts.
func appendLimits(form []byte, number int64) []byte {
	address := number % 4000
	return fmt.Appendf(form, "&RateLimits=%%7B%%22%s%%22%%3A%%22198.18.%d.%d%%22%%2C%%22%s%%22%%3A%%22%d%%22%%7D",
		limitOfAddress, address/250, address%250, limitOfAccount, number%3000)
}

// post sends the form. The body that it returns is good until the next call.
func (c *client) post(head []byte) (status int, body []byte, err error) {
	c.out = append(c.out[:0], head...)
	c.out = strconv.AppendInt(c.out, int64(len(c.form)), 10)
	c.out = append(c.out, "\r\n\r\n"...)
	c.out = append(c.out, c.form...)
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, nil, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return 0, nil, fmt.Errorf("status line %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, fmt.Errorf("status line %q", line)
	}
	length := -1
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); string(name) == "Content-Length" {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, nil, fmt.Errorf("header %q", line)
			}
		}
	}
	if length < 0 {
		return 0, nil, errors.New("an answer without Content-Length")
	}
	c.body = slices.Grow(c.body[:0], length)[:length]
	_, err = io.ReadFull(c.in, c.body)
	return status, c.body, err
}
