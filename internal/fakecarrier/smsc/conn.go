package smsc

import (
	"context"
	"errors"
	"net"
	"regexp"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
)

// bindTimeout is how long a connection may go without a bind.
const bindTimeout = 30 * time.Second

// conn is one connection of a client. One goroutine reads, one writes.
type conn struct {
	server *Server
	net    net.Conn
	wake   chan struct{}
	ended  chan struct{}

	mu         sync.Mutex
	account    string // "" until bound
	role       smpp.Command
	out        []byte
	last       bool // nothing follows out
	sequence   uint32
	receipts   map[uint32]*receipt // without an answer
	unresolved int                 // messages without an answer
	fullest    int                 // that this has been
	second     time.Time           // began with the message that was counted first
	sent       int                 // messages since then
	unbinding  chan struct{}       // closed by the answer to our unbind; nil without one
	over       bool
}

func newConn(s *Server, c net.Conn) *conn {
	return &conn{
		server: s, net: c, wake: make(chan struct{}, 1), ended: make(chan struct{}), receipts: map[uint32]*receipt{},
	}
}

func (k *conn) serve() {
	var others sync.WaitGroup
	others.Go(k.write)
	if k.server.config.EnquireLink > 0 {
		others.Go(k.enquire)
	}
	unbound := time.AfterFunc(bindTimeout, func() {
		if account, _ := k.who(); account == "" {
			k.end(errors.New("did not bind"))
		}
	})
	defer unbound.Stop()
	k.end(k.read())
	others.Wait()
}

func (k *conn) read() error {
	in := smpp.NewReader(k.net)
	for {
		p, err := in.Read()
		malformed, _ := errors.AsType[*smpp.Malformed](err)
		if err != nil && malformed == nil {
			return err
		}
		k.server.mu.Lock()
		mute := k.server.mute
		k.server.mu.Unlock()
		if mute {
			continue
		}
		switch {
		case p.Command.IsResponse():
			if p.Command == smpp.UnbindResp {
				k.mu.Lock()
				unbinding := k.unbinding
				k.mu.Unlock()
				if unbinding != nil {
					close(unbinding)
					return nil
				}
			}
			k.response(p)
		case malformed != nil:
			k.queue(smpp.PDU{Command: smpp.GenericNack, Status: malformed.Status, Sequence: p.Sequence})
		default:
			k.request(p)
		}
	}
}

// request answers whatever is no answer.
func (k *conn) request(p smpp.PDU) {
	account, role := k.who()
	switch p.Command {
	case smpp.BindReceiver, smpp.BindTransmitter, smpp.BindTransceiver:
		if account != "" {
			k.queue(p.Response(smpp.AlreadyBound, &smpp.BindResp{}))
			return
		}
		status := k.server.admit(k, p.Command, p.Body.(*smpp.Bind))
		if status != smpp.OK {
			k.finish(p.Response(status, &smpp.BindResp{}))
			return
		}
		k.queue(p.Response(smpp.OK, &smpp.BindResp{
			SystemID: "fakecarrier", TLVs: smpp.TLVs{{Tag: smpp.TagVersion, Value: []byte{smpp.Version}}},
		}))
		k.server.receiver(k) // receipts come after the answer
	case smpp.EnquireLink:
		k.queue(p.Response(smpp.OK, nil))
	case smpp.Unbind:
		k.finish(p.Response(smpp.OK, nil))
	case smpp.SubmitSM:
		if account == "" || role == smpp.BindReceiver {
			k.queue(p.Response(smpp.InvalidBindStatus, &smpp.MessageResp{}))
			return
		}
		k.submit(account, p)
	default:
		k.queue(smpp.PDU{Command: smpp.GenericNack, Status: smpp.InvalidCommandID, Sequence: p.Sequence})
	}
}

var (
	destinationShape = regexp.MustCompile(`^[1-9][0-9]{4,17}$`)
	validityShape    = regexp.MustCompile(`^(?:[0-9]{15}[0-9+-]|[0-9]{15}R)?$`)
)

// check reads what a carrier reads before it takes a message.
func check(m *smpp.ShortMessage) smpp.Status {
	const (
		alphanumeric  = 5
		invalidLength = 0x01
		invalidExpiry = 0x62
		invalidESM    = 0x43
	)
	_, text := m.Part()
	switch {
	case !destinationShape.MatchString(m.Destination.Addr):
		return smpp.InvalidDestination
	case m.Source.TON == alphanumeric && len(m.Source.Addr) > 11:
		return smpp.InvalidSource
	case !validityShape.MatchString(m.ValidityPeriod):
		return invalidExpiry
	case m.ESMClass&smpp.ESMUserDataHeader != 0 && len(text) == len(m.Content()):
		return invalidESM
	case len(text) == 0:
		return invalidLength
	}
	return smpp.OK
}

// submit takes a message, or not.
func (k *conn) submit(account string, p smpp.PDU) {
	m := p.Body.(*smpp.ShortMessage)
	now := time.Now()
	status := k.limits(now)
	if status == smpp.OK {
		status = check(m)
	}
	var f Fate
	if status == smpp.OK {
		f = k.server.fateOf(m).meets()
		status = f.Status
	}
	answer := func(p smpp.PDU) {
		k.mu.Lock()
		k.unresolved--
		k.mu.Unlock()
		k.queue(p)
	}
	if status != smpp.OK || f.Nack {
		k.server.count(func(c *Counts) { c.Submitted++; c.Refused++ })
		resp := &smpp.MessageResp{}
		if f.Words != "" {
			resp.TLVs = smpp.TLVs{{Tag: smpp.TagAdditionalStatusInfo, Value: []byte(f.Words)}}
		}
		refusal := p.Response(status, resp)
		if f.Nack {
			refusal = smpp.PDU{Command: smpp.GenericNack, Status: status, Sequence: p.Sequence}
		}
		after(f.Delay, func() { answer(refusal) })
		return
	}
	if (f.Silent || f.Drop) && !f.Taken {
		k.server.count(func(c *Counts) { c.Submitted++ })
		if f.Drop {
			k.end(errors.New("dropped"))
		}
		return
	}
	answered, receipted := k.server.take(account, p, now, f)
	if f.Drop {
		k.end(errors.New("dropped"))
	}
	resp := &smpp.MessageResp{MessageID: answered}
	if f.Congestion > 0 {
		resp.TLVs = smpp.TLVs{{Tag: smpp.TagCongestion, Value: []byte{f.Congestion}}}
	}
	accept := func() {
		if !f.Silent && !f.Drop {
			answer(p.Response(smpp.OK, resp))
		}
	}
	report := func(then func()) {
		for _, o := range f.outcomes() {
			f.State, f.Err = o.State, o.Err
			r := newReceipt(m, receipted, now, f)
			r.then, then = then, nil
			k.server.post(account, r)
		}
	}
	after(f.Delay, func() {
		const wanted = 3 // the bits of registered_delivery that ask for a final receipt
		switch {
		case f.NoReceipt || m.RegisteredDelivery&wanted == 0:
			accept()
		case f.ReceiptFirst:
			report(accept)
		default:
			accept()
			after(f.ReceiptDelay, func() { report(nil) })
		}
	})
}

// after calls f in a while, and at once if that is no time.
func after(d time.Duration, f func()) {
	if d == 0 {
		f()
		return
	}
	time.AfterFunc(d, f)
}

// limits counts a message against the window and the second.
func (k *conn) limits(now time.Time) smpp.Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unresolved++
	k.fullest = max(k.fullest, k.unresolved)
	if c := k.server.config; c.Window > 0 && k.unresolved > c.Window {
		return smpp.QueueFull
	} else if c.TPS > 0 {
		if now.Sub(k.second) >= time.Second {
			k.second, k.sent = now, 0
		}
		if k.sent++; k.sent > c.TPS {
			return smpp.Throttled
		}
	}
	return smpp.OK
}

// take keeps a message and gives it its identifiers.
func (s *Server) take(account string, p smpp.PDU, now time.Time, f Fate) (answered, receipted string) {
	s.mu.Lock()
	s.number++
	answered, receipted = s.config.ID(s.number)
	s.counts.Submitted++
	s.counts.Accepted++
	var whole Message
	arrived := false
	if !f.Lost {
		whole, arrived = s.inbox.add(account, answered, p, now)
	}
	s.tell()
	s.mu.Unlock()
	if arrived && s.config.Arrived != nil {
		s.config.Arrived(whole)
	}
	return answered, receipted
}

// response finds the receipt that p answers.
func (k *conn) response(p smpp.PDU) {
	k.mu.Lock()
	r := k.receipts[p.Sequence]
	delete(k.receipts, p.Sequence)
	account := k.account
	k.mu.Unlock()
	if r != nil {
		k.server.answered(account, r, p.Status)
	}
}

// deliver sends a receipt if there is room for it.
func (k *conn) deliver(r *receipt) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over || k.last || k.unbinding != nil || len(k.receipts) >= receiptWindow {
		return false
	}
	p := r.pdu
	k.sequence = k.sequence%smpp.MaxSequence + 1
	p.Sequence = k.sequence
	k.receipts[p.Sequence] = r
	k.put(p)
	return true
}

// unanswered takes the receipts back that a connection has not answered at its end.
func (k *conn) unanswered() []*receipt {
	k.mu.Lock()
	defer k.mu.Unlock()
	var left []*receipt
	for sequence, r := range k.receipts {
		delete(k.receipts, sequence)
		left = append(left, r)
	}
	return left
}

func (k *conn) mostUnanswered() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fullest
}

// bound is called by the server, which lets a connection in.
func (k *conn) bound(account string, role smpp.Command) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.account, k.role = account, role
}

func (k *conn) who() (account string, role smpp.Command) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.account, k.role
}

// receiver lets a connection that was bound for it have receipts.
func (s *Server) receiver(k *conn) {
	account, role := k.who()
	if role == smpp.BindTransmitter {
		return
	}
	s.mu.Lock()
	s.accounts[account].receivers = append(s.accounts[account].receivers, k)
	s.mu.Unlock()
	s.pump(account)
}

// queue leaves p with the writer.
func (k *conn) queue(p smpp.PDU) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(p)
}

// finish sends p and then ends the connection.
func (k *conn) finish(p smpp.PDU) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(p)
	k.last = true
}

func (k *conn) put(p smpp.PDU) {
	if k.over || k.last {
		return
	}
	out, err := p.Append(k.out)
	if err != nil {
		k.server.log.Error("cannot be written", "error", err)
		return
	}
	k.out = out
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *conn) write() {
	for {
		select {
		case <-k.wake:
		case <-k.ended:
			return
		}
		k.mu.Lock()
		batch, last := k.out, k.last
		k.out = nil
		k.mu.Unlock()
		if _, err := k.net.Write(batch); err != nil {
			k.end(err)
			return
		}
		if last {
			k.end(nil)
			return
		}
	}
}

// enquire asks the client whether it is there, and ends the connection of one that is not.
func (k *conn) enquire() {
	tick := time.NewTicker(k.server.config.EnquireLink)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.mu.Lock()
			k.sequence = k.sequence%smpp.MaxSequence + 1
			k.put(smpp.PDU{Command: smpp.EnquireLink, Sequence: k.sequence})
			k.mu.Unlock()
		case <-k.ended:
			return
		}
	}
}

// unbind says goodbye and waits for the answer, if the client was bound.
func (k *conn) unbind(ctx context.Context) {
	k.mu.Lock()
	if k.account != "" && !k.over && k.unbinding == nil {
		k.unbinding = make(chan struct{})
		k.sequence = k.sequence%smpp.MaxSequence + 1
		k.put(smpp.PDU{Command: smpp.Unbind, Sequence: k.sequence})
	}
	unbinding := k.unbinding
	k.mu.Unlock()
	if unbinding != nil {
		select {
		case <-unbinding:
		case <-k.ended:
		case <-ctx.Done():
		}
	}
	k.end(errors.New("unbound"))
}

func (k *conn) end(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return
	}
	k.over = true
	account := k.account
	k.net.Close()
	close(k.ended)
	k.server.log.Debug("a connection has ended", "account", account, "error", err)
}
