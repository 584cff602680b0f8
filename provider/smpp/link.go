package smpp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

const (
	dialTimeout      = 3 * time.Second
	handshakeTimeout = 3 * time.Second
	bindTimeout      = 5 * time.Second

	firstPause = time.Second
	maxPause   = 30 * time.Second
	// boundPause is the least for a carrier that says that we are bound already: it has not yet
	// noticed that the connection before has gone.
	boundPause = 5 * time.Second
	// refusedPause is for a wrong password: somebody has to mend it, and carriers lock accounts
	// that keep trying.
	refusedPause = time.Minute
	// goodLife is what a connection has to live to be a good one, if it brought nothing else.
	goodLife = 30 * time.Second
)

// link keeps one connection to the carrier, and binds anew when it has ended.
type link struct {
	p    *Provider
	role smpp.Command
	log  *slog.Logger
	pace pace  // of a link that sends
	spot place // guarded by the pool
}

// sends reports whether messages go over this link.
func (l *link) sends() bool { return l.role != smpp.BindReceiver }

// refusal is why there is no connection. pause is how long to leave it at that, 0 to let the number
// of failures decide.
type refusal struct {
	provider.Error
	pause time.Duration
}

// keep binds again and again until ctx ends. The first time after a loss it does so at once, because
// messages are waiting and most losses are a restart of the carrier's; a connection that ends
// before anything came over it counts as a failure like any other.
func (l *link) keep(ctx context.Context) {
	defer l.p.pool.down(l, &provider.Error{Class: provider.Temporary, Detail: "stopped"})
	for failures := 0; ctx.Err() == nil; {
		s, refused := l.bind(ctx)
		if refused == nil {
			good, err := l.serve(ctx, s)
			if good {
				failures = 0
			}
			if ctx.Err() != nil {
				return
			}
			l.log.Warn("the connection to the carrier has ended", "error", err)
			if failures == 0 {
				failures = 1
				l.p.pool.connecting(l)
				continue
			}
			refused = &refusal{Error: provider.Error{Class: provider.Temporary, Detail: "the carrier ends every connection"}}
		}
		failures = max(failures, 1)
		pause := cmp.Or(refused.pause, l.p.jitter(backOff(failures)))
		failures++
		l.p.pool.down(l, &refused.Error)
		if ctx.Err() == nil {
			level := slog.LevelWarn
			if refused.Class == provider.BadRequest {
				level = slog.LevelError
			}
			l.log.Log(ctx, level, "not bound", "error", refused.Error.Error(), "again_in", pause)
		}
		sleep(ctx, pause)
	}
}

// backOff is the pause after so many failures in a row.
func backOff(failures int) time.Duration {
	if failures > 5 {
		return maxPause
	}
	return min(firstPause<<(failures-1), maxPause)
}

// jitter keeps the binds of many nodes from coming back all at once.
func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2+1) }

// sleep waits, and reports whether ctx left it the time.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// serve lends a session to the pool until it ends, or until ctx does and it has been unbound. good
// is whether the session was worth having.
func (l *link) serve(ctx context.Context, s *session) (good bool, err error) {
	born := time.Now()
	l.log.Info("bound")
	l.p.pool.bound(l, s)
	ended := make(chan error, 1)
	go func() { ended <- s.serve() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		l.p.pool.down(l, &provider.Error{Class: provider.Temporary, Detail: "stopped"})
		s.unbind()
		err = <-ended
	}
	return s.wasHeard() || time.Since(born) >= goodLife, err
}

// bind connects and binds.
func (l *link) bind(ctx context.Context) (*session, *refusal) {
	conn, err := l.dial(ctx)
	if err != nil {
		r := &refusal{Error: provider.Error{Class: provider.Temporary, Detail: "connect: " + err.Error()}}
		if _, invalid := errors.AsType[*tls.CertificateVerificationError](err); invalid {
			r.Class = provider.BadRequest // it will be so tomorrow, and somebody may be listening
		}
		return nil, r
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	s, refused := l.introduce(conn)
	if !stop() && refused == nil {
		refused = &refusal{Error: provider.Error{Class: provider.Temporary, Detail: "stopped"}}
	}
	if refused != nil {
		conn.Close()
		return nil, refused
	}
	return s, nil
}

func (l *link) dial(ctx context.Context) (net.Conn, error) {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := l.p.dialer(dialing, "tcp", l.p.config.address)
	if err != nil || l.p.config.tls == nil {
		return conn, err
	}
	secured := tls.Client(conn, l.p.config.tls)
	securing, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := secured.HandshakeContext(securing); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// introduce says who we are, and waits for the answer.
func (l *link) introduce(conn net.Conn) (*session, *refusal) {
	broken := func(err error) (*session, *refusal) {
		return nil, &refusal{Error: provider.Error{Class: provider.Temporary, Detail: fmt.Sprintf("%v: %v", l.role, err)}}
	}
	if err := conn.SetDeadline(time.Now().Add(bindTimeout)); err != nil {
		return broken(err)
	}
	const sequence = 1
	bind, err := smpp.PDU{Command: l.role, Sequence: sequence, Body: &l.p.config.bind}.Append(nil)
	if err != nil {
		return broken(err)
	}
	if _, err := conn.Write(bind); err != nil {
		return broken(err)
	}
	in := smpp.NewReader(conn)
	for {
		p, err := in.Read()
		if _, malformed := errors.AsType[*smpp.Malformed](err); err != nil && !malformed {
			return broken(err)
		}
		switch {
		case p.Command == l.role|smpp.ResponseBit, p.Command == smpp.GenericNack:
			if p.Status != smpp.OK || p.Command == smpp.GenericNack {
				return nil, l.refused(p.Status)
			}
			if err := conn.SetDeadline(time.Time{}); err != nil {
				return broken(err)
			}
			return newSession(l, conn, in, sequence), nil
		case p.Command == smpp.EnquireLink:
			answer, err := p.Response(smpp.OK, nil).Append(nil)
			if err == nil {
				_, err = conn.Write(answer)
			}
			if err != nil {
				return broken(err)
			}
		}
	}
}

// refused is what a refused bind means.
func (l *link) refused(status smpp.Status) *refusal {
	r := &refusal{Error: provider.Error{
		Class: provider.Temporary, Code: status.Code(), Detail: fmt.Sprintf("%v refused: %v", l.role, status),
	}}
	switch {
	case credentials(status):
		r.Class, r.pause = provider.BadRequest, refusedPause
	case status == smpp.AlreadyBound:
		r.pause = boundPause + l.p.jitter(boundPause)
	}
	return r
}
