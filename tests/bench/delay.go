package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// oneWay is what the network between a node and its database adds in each direction: half a
// millisecond for a round trip, which is two data centres of one city. Passing through the proxy
// costs some 0.1 ms more for a round trip.
const oneWay = 250 * time.Microsecond

const (
	chunkSize = 64 << 10
	// inFlight bounds the chunks that are on the way in one direction; nothing gets near it in a
	// quarter of a millisecond.
	inFlight = 1024
)

// serveDelay stands between clients and a server, and says where it listens as a server of this
// bench does. It is a process of its own because its goroutines would wait for the load
// generator's otherwise.
func serveDelay(target string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("base URL http://%s\n", listener.Addr())
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		server, err := net.Dial("tcp", target)
		if err != nil {
			client.Close()
			continue
		}
		go join(client, server, oneWay, sleep)
	}
}

// join joins two connections by a delay line each way, and returns when both are closed.
func join(a, b net.Conn, delay time.Duration, sleep func(time.Duration)) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			delayLine(way[1], way[0], delay, sleep)
			// Neither side of this protocol goes on talking to one that has hung up.
			a.Close()
			b.Close()
		})
	}
	both.Wait()
}

// delayLine writes what it reads, each chunk so much later, in order. It reads on while it waits,
// so chunks wait side by side and the delay limits no throughput. It returns when reading or
// writing has failed, after what was read before has been written.
func delayLine(dst io.Writer, src io.Reader, delay time.Duration, sleep func(time.Duration)) {
	type chunk struct {
		data []byte
		due  time.Time
	}
	line := make(chan chunk, inFlight)
	broken := make(chan struct{})
	go func() {
		defer close(line)
		buf := make([]byte, chunkSize)
		for {
			n, err := src.Read(buf)
			if n > 0 {
				select {
				case line <- chunk{append([]byte(nil), buf[:n]...), time.Now().Add(delay)}:
				case <-broken:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range line {
		sleep(time.Until(c.due))
		if _, err := dst.Write(c.data); err != nil {
			close(broken)
			return
		}
	}
}

// sleep is exact to some microseconds where time.Sleep rounds up to a whole millisecond: that one
// waits in epoll, whose time-outs count in those.
func sleep(d time.Duration) {
	const setTimerSlack = 29 // prctl(2): how late the kernel may wake this thread, in ns
	for end := time.Now().Add(d); d > 0; d = time.Until(end) {
		syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0) // without it, 50 µs later
		left := syscall.NsecToTimespec(d.Nanoseconds())
		syscall.Nanosleep(&left, nil) // a signal ends it early; then the rest is slept
	}
}
