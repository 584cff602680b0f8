// Package door bounds what connections from anywhere cost, for ports that libraries serve which do not
// do it themselves: how many there are at a time, and how long one may be silent or stay. A process has
// often 1024 descriptors, and whoever holds them all has stopped the rest of verifyd too.
//
// It looks at nothing that a connection says.
package door

import (
	"net"
	"sync"
	"time"
)

// Limits are those of a door. The zero value of each is none.
type Limits struct {
	Most    int           // connections at a time; one more is closed at once
	Silence time.Duration // for which nothing has to come; then a read fails with os.ErrDeadlineExceeded
	Life    time.Duration // after which a connection can neither be read nor written
}

// New is l with limits. Its connections are to be closed, as those of any listener.
func New(l net.Listener, limits Limits) net.Listener {
	return &door{Listener: l, limits: limits}
}

type door struct {
	net.Listener
	limits Limits

	mu   sync.Mutex
	open int // guarded by mu
}

// Accept waits for a connection that there is room for.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !d.enter() {
			c.Close()
			continue
		}
		g := &guest{Conn: c, door: d}
		if d.limits.Life > 0 {
			g.ends = time.Now().Add(d.limits.Life)
			if err := c.SetDeadline(g.ends); err != nil { // it has gone already
				g.Close()
				continue
			}
		}
		return g, nil
	}
}

func (d *door) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.limits.Most > 0 && d.open >= d.limits.Most {
		return false
	}
	d.open++
	return true
}

func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
}

// guest is a connection that was let in.
type guest struct {
	net.Conn
	door *door
	ends time.Time // zero for never
	left sync.Once
}

// Read gives up when nothing has come for too long.
func (g *guest) Read(b []byte) (int, error) {
	if silence := g.door.limits.Silence; silence > 0 {
		if err := g.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return 0, err
		}
	}
	return g.Conn.Read(b)
}

// Close makes room for another connection.
func (g *guest) Close() error {
	g.left.Do(g.door.leave)
	return g.Conn.Close()
}

// The deadlines that somebody sets are no later than the end.

func (g *guest) SetDeadline(t time.Time) error      { return g.Conn.SetDeadline(g.noLater(t)) }
func (g *guest) SetReadDeadline(t time.Time) error  { return g.Conn.SetReadDeadline(g.noLater(t)) }
func (g *guest) SetWriteDeadline(t time.Time) error { return g.Conn.SetWriteDeadline(g.noLater(t)) }

// noLater is t, or the end of the connection's life where that is earlier; a zero t is no deadline.
func (g *guest) noLater(t time.Time) time.Time {
	if !g.ends.IsZero() && (t.IsZero() || t.After(g.ends)) {
		return g.ends
	}
	return t
}
