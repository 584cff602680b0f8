package smpp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
)

const (
	writeTimeout = 5 * time.Second
	// maxTimeouts is how many messages in a row may go without an answer.
	maxTimeouts = 2
	// maxReplies is how much we owe to a carrier that asks and does not read.
	maxReplies = 4096
)

// session is a connection that is bound, until its end. One goroutine reads and one writes; whoever
// sends a message leaves it with the writer and waits for what the reader finds.
//
//	queued ── withdrawn (surely not sent)
//	   │
//	written ── answered
//	   │
//	   └────── no answer in time, or the connection ended (perhaps sent)
type session struct {
	link *link
	conn net.Conn
	in   *smpp.Reader
	log  *slog.Logger

	wake  chan struct{} // there is something to write, or nothing more will come
	ended chan struct{}
	idle  chan struct{} // closed when the session retires and nobody waits for an answer

	mu       sync.Mutex
	sequence uint32
	pending  map[uint32]*submit
	out      []frame
	timeouts int  // messages without an answer, since the last answer
	heard    bool // any PDU since the bind
	retiring bool
	resting  bool // idle is closed
	err      error
	over     bool
}

// frame is a PDU in the hands of the writer.
type frame struct {
	octets []byte
	submit *submit // nil for all but messages
	last   bool    // the connection ends when it was written
}

// submit is a message in the hands of a session.
type submit struct {
	sequence uint32
	begun    bool // the writer has taken it up: nobody can take it back
	writing  bool // and has not put it down: only the writer knows how much of it has left
	deserted bool // nobody waits for the outcome
	timer    *time.Timer
	outcome  chan outcome
}

// outcome is the carrier's answer, or err without one; written says whether it may have the message
// all the same.
type outcome struct {
	answer  smpp.PDU
	written bool
	err     error
}

var (
	errTimeout = errors.New("no answer in time")
	errSilent  = errors.New("the carrier is silent")
	errEnded   = errors.New("the connection has ended")
	errUnbound = errors.New("the carrier has unbound us")
	errStopped = errors.New("stopped")
	errGoodbye = errors.New("we have unbound")
)

func newSession(l *link, conn net.Conn, in *smpp.Reader, sequence uint32) *session {
	return &session{
		link: l, conn: conn, in: in, log: l.log, sequence: sequence,
		wake: make(chan struct{}, 1), ended: make(chan struct{}), idle: make(chan struct{}),
		pending: map[uint32]*submit{},
	}
}

// serve reads and writes until the connection ends, and returns why it did.
func (s *session) serve() error {
	var writing sync.WaitGroup
	writing.Go(s.write)
	s.end(s.read())
	writing.Wait()
	return s.err
}

// send hands a message to the carrier. The place in the window that it takes is given back when the
// carrier has answered or the time for it is over, even when ctx ends before.
func (s *session) send(ctx context.Context, m *smpp.ShortMessage) outcome {
	if err := ctx.Err(); err != nil {
		s.link.p.pool.release(s, false)
		return outcome{err: err}
	}
	sub := &submit{outcome: make(chan outcome, 1)}
	if err := s.queue(smpp.PDU{Command: smpp.SubmitSM, Body: m}, sub, false); err != nil {
		s.link.p.pool.release(s, false)
		return outcome{err: err}
	}
	select {
	case o := <-sub.outcome:
		return o
	case <-ctx.Done():
	}
	if s.withdraw(sub) {
		return outcome{err: ctx.Err()}
	}
	s.abandon(sub)
	select {
	case o := <-sub.outcome: // at the last moment
		return o
	default:
		return outcome{err: ctx.Err(), written: true}
	}
}

// queue leaves p with the writer. A request gets its number here.
func (s *session) queue(p smpp.PDU, sub *submit, last bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || sub != nil && s.retiring {
		return errEnded
	}
	if !p.Command.IsResponse() {
		s.sequence = s.sequence%smpp.MaxSequence + 1
		p.Sequence = s.sequence
	}
	octets, err := p.Append(nil)
	if err != nil {
		return err
	}
	if sub != nil {
		sub.sequence = p.Sequence
		s.pending[p.Sequence] = sub
	}
	s.out = append(s.out, frame{octets, sub, last})
	if len(s.out) > maxReplies+maxWindow {
		s.endLocked(errors.New("the carrier does not read"))
	}
	s.signal()
	return nil
}

func (s *session) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// withdraw takes a message back that nobody has begun to write.
func (s *session) withdraw(sub *submit) bool {
	s.mu.Lock()
	if sub.begun || s.pending[sub.sequence] != sub {
		s.mu.Unlock()
		return false
	}
	delete(s.pending, sub.sequence)
	s.rest()
	s.mu.Unlock()
	s.link.p.pool.release(s, false)
	return true
}

// write writes what is queued, all of it at once.
func (s *session) write() {
	for {
		select {
		case <-s.wake:
		case <-s.ended:
			return
		}
		batch, last, subs, ends := s.take()
		if len(batch) == 0 {
			continue
		}
		n := 0
		err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err == nil {
			n, err = s.conn.Write(batch)
		}
		s.settle(subs, ends, n)
		if err != nil {
			s.end(err)
			return
		}
		if last {
			s.end(nil)
			return
		}
	}
}

// take empties the queue. Of each message it keeps where in the batch it ends.
func (s *session) take() (batch []byte, last bool, subs []*submit, ends []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.out {
		if f.submit != nil {
			if s.pending[f.submit.sequence] != f.submit {
				continue // withdrawn
			}
			f.submit.begun, f.submit.writing = true, true
			f.submit.timer = time.AfterFunc(s.link.p.config.response, func() { s.expire(f.submit) })
		}
		batch = append(batch, f.octets...)
		last = last || f.last
		if f.submit != nil {
			subs, ends = append(subs, f.submit), append(ends, len(batch))
		}
	}
	clear(s.out)
	s.out = s.out[:0]
	return batch, last, subs, ends
}

// settle notes what has left of a batch, of which n octets were written: no carrier can read half a
// message. Those that the end of the connection has left to the writer get their outcome.
func (s *session) settle(subs []*submit, ends []int, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, sub := range subs {
		sub.writing, sub.begun = false, ends[i] <= n
		if s.over && s.pending[sub.sequence] == sub {
			s.lose(sub)
		}
	}
}

// expire gives up waiting for an answer. Two in a row end the connection.
func (s *session) expire(sub *submit) {
	s.mu.Lock()
	if s.pending[sub.sequence] != sub {
		s.mu.Unlock()
		return
	}
	delete(s.pending, sub.sequence)
	sub.outcome <- outcome{err: errTimeout, written: true}
	s.rest()
	s.timeouts++
	if s.timeouts >= maxTimeouts {
		s.endLocked(errSilent)
	}
	s.mu.Unlock()
	s.link.p.pool.release(s, false)
}

// abandon keeps a message in the window, where the carrier counts it, and no stop waits for it.
func (s *session) abandon(sub *submit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.deserted = true
	s.rest()
}

// rest closes idle when a session that retires has the last answer that somebody waits for.
func (s *session) rest() {
	if !s.retiring || s.resting {
		return
	}
	for _, sub := range s.pending {
		if !sub.deserted {
			return
		}
	}
	s.resting = true
	close(s.idle)
}

// retire takes no more messages.
func (s *session) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retiring = true
	s.rest()
}

// giveBack returns the messages that nobody has begun to write.
func (s *session) giveBack(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sequence, sub := range s.pending {
		if !sub.begun {
			delete(s.pending, sequence)
			sub.outcome <- outcome{err: err}
		}
	}
	s.rest()
}

// end closes the connection. What was written and not answered is in doubt; what was not written is
// not.
func (s *session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(err)
}

func (s *session) endLocked(err error) {
	if s.over {
		return
	}
	s.over, s.err = true, err
	for _, sub := range s.pending {
		if !sub.writing {
			s.lose(sub)
		}
	}
	s.retiring = true
	s.rest()
	s.conn.Close()
	close(s.ended)
}

// lose gives a message its outcome after the end.
func (s *session) lose(sub *submit) {
	delete(s.pending, sub.sequence)
	if sub.timer != nil {
		sub.timer.Stop()
	}
	why := errEnded
	if s.err != nil {
		why = fmt.Errorf("%w: %w", errEnded, s.err)
	}
	sub.outcome <- outcome{err: why, written: sub.begun}
}

// wasHeard reports whether the carrier said anything after it let us bind.
func (s *session) wasHeard() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// read acts on what the carrier says. After a while of silence it asks whether the carrier is
// there; after as long again it is not.
func (s *session) read() error {
	asked := false
	for {
		if err := s.conn.SetReadDeadline(time.Now().Add(s.link.p.config.enquireLink)); err != nil {
			return err
		}
		p, err := s.in.Read()
		malformed, _ := errors.AsType[*smpp.Malformed](err)
		switch {
		case malformed != nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			if asked {
				return errSilent
			}
			asked = true
			if err := s.queue(smpp.PDU{Command: smpp.EnquireLink}, nil, false); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		asked = false
		if err := s.handle(p, malformed); err != nil {
			return err
		}
	}
}

// handle acts on one PDU; malformed is set where only its header could be read.
func (s *session) handle(p smpp.PDU, malformed *smpp.Malformed) error {
	s.mu.Lock()
	s.heard = true
	s.mu.Unlock()
	switch {
	case p.Command == smpp.SubmitSMResp:
		s.answer(p) // also a malformed one: its status is in the header
	case p.Command == smpp.GenericNack:
		if p.Sequence == 0 {
			return errors.New("the carrier cannot read what we send")
		}
		s.answer(p)
	case p.Command == smpp.UnbindResp:
		return errGoodbye
	case p.Command.IsResponse():
	case malformed != nil:
		return s.reply(smpp.PDU{Command: smpp.GenericNack, Status: malformed.Status, Sequence: p.Sequence})
	case p.Command == smpp.EnquireLink:
		return s.reply(p.Response(smpp.OK, nil))
	case p.Command == smpp.Unbind:
		// Nobody must send into a connection that is about to close: first the pool, then the answer.
		s.link.p.pool.connecting(s.link)
		s.retire()
		s.giveBack(errUnbound)
		if err := s.queue(p.Response(smpp.OK, nil), nil, true); err != nil {
			return err
		}
		<-s.ended
		return errUnbound
	case p.Command == smpp.DeliverSM || p.Command == smpp.DataSM:
		s.link.p.receive(s, p)
	case p.Command == smpp.Outbind || p.Command == smpp.AlertNotification: // have no answer
	default:
		return s.reply(smpp.PDU{Command: smpp.GenericNack, Status: smpp.InvalidCommandID, Sequence: p.Sequence})
	}
	return nil
}

// reply answers the carrier. That the connection has ended meanwhile is no news to anybody.
func (s *session) reply(p smpp.PDU) error {
	if err := s.queue(p, nil, false); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	return nil
}

// answer finds the message that p answers. One that was given up finds nobody.
func (s *session) answer(p smpp.PDU) {
	s.mu.Lock()
	sub := s.pending[p.Sequence]
	if sub == nil || !sub.begun {
		s.mu.Unlock()
		return
	}
	delete(s.pending, p.Sequence)
	sub.timer.Stop()
	s.timeouts = 0
	sub.outcome <- outcome{answer: p, written: true}
	s.rest()
	s.mu.Unlock()
	s.link.p.pool.release(s, true)
	if ends(p.Status) {
		s.end(fmt.Errorf("the carrier answered %v", p.Status))
	}
}

// unbind ends the session in good manners: nothing new, the answers that are due, and a word.
func (s *session) unbind() {
	s.retire()
	timer := time.NewTimer(s.link.p.config.response)
	defer timer.Stop()
	select {
	case <-s.idle:
	case <-s.ended:
		return
	case <-timer.C:
	}
	if err := s.queue(smpp.PDU{Command: smpp.Unbind}, nil, false); err != nil {
		s.end(errStopped)
		return
	}
	timer.Reset(unbindTimeout)
	select {
	case <-s.ended:
	case <-timer.C:
		s.end(errStopped)
	}
}

const unbindTimeout = 3 * time.Second
