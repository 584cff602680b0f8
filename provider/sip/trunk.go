package sip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	siplib "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/verifyd/verifyd/internal/door"
	"github.com/verifyd/verifyd/provider"
)

// sipgo logs whole messages, numbers included, and some of that goes to a logger of its package.
func init() { siplib.SetDefaultLogger(slog.New(slog.DiscardHandler)) }

// trunk is our end of SIP while Run runs.
type trunk struct {
	provider *Provider
	ctx      context.Context // of Run
	agent    *sipgo.UserAgent
	local    netip.AddrPort // where we listen
	socket   io.Closer
	served   sync.WaitGroup
	registry *registry // nil where the trunk wants no registration

	mu    sync.Mutex
	over  bool // no more calls are taken
	calls map[string]*call
	under sync.WaitGroup
}

// listen opens the port and serves it.
func (p *Provider) listen(ctx context.Context, at netip.AddrPort) (*trunk, error) {
	quiet := slog.New(slog.DiscardHandler)
	agent, err := sipgo.NewUA(
		sipgo.WithUserAgent("verifyd"),
		sipgo.WithUserAgenTLSConfig(p.tls),
		sipgo.WithUserAgentTransportLayerOptions(siplib.WithTransportLayerLogger(quiet)),
		sipgo.WithUserAgentTransactionLayerOptions(
			siplib.WithTransactionLayerLogger(quiet),
			siplib.WithTransactionLayerUnhandledResponseHandler(func(*siplib.Response) {}),
			// An INVITE whose connection breaks would otherwise be waited for.
			siplib.WithTransactionLayerTerminateOnConnClose(),
		),
	)
	if err != nil {
		return nil, err
	}
	server, err := sipgo.NewServer(agent, sipgo.WithServerLogger(quiet))
	if err != nil {
		return nil, err
	}
	t := &trunk{provider: p, ctx: ctx, agent: agent, calls: map[string]*call{}}
	t.handle(server)
	var lc net.ListenConfig
	network := "4"
	if at.Addr().Is6() {
		network = "6"
	}
	if p.config.transport == overUDP {
		conn, err := lc.ListenPacket(ctx, "udp"+network, at.String())
		if err != nil {
			return nil, err
		}
		t.local, t.socket = conn.LocalAddr().(*net.UDPAddr).AddrPort(), conn
		served := &servedConn{PacketConn: conn, reading: make(chan struct{})}
		t.served.Go(func() { server.ServeUDP(served) })
		<-served.reading // a request before that would leave from a port of its own
	} else {
		// What the trunk sends comes over the connection that we opened. Only where that is gone would
		// it open one to us; without a certificate of ours it cannot, over TLS.
		listener, err := lc.Listen(ctx, "tcp"+network, at.String())
		if err != nil {
			return nil, err
		}
		t.local, t.socket = listener.Addr().(*net.TCPAddr).AddrPort(), listener
		if p.config.transport == overTCP {
			t.served.Go(func() { server.ServeTCP(door.New(listener, callers)) })
		}
	}
	if p.config.register {
		t.registry = newRegistry(t)
	}
	return t, nil
}

// callers bounds the connections that others open to us: sipgo keeps every one for as long as the other
// end likes. A trunk has a few, and opens another where one was silent for longer than a call lasts.
var callers = door.Limits{Most: 64, Silence: 10 * time.Minute}

// servedConn says when sipgo reads from it.
type servedConn struct {
	net.PacketConn
	once    sync.Once
	reading chan struct{}
}

func (c *servedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	c.once.Do(func() { close(c.reading) })
	return c.PacketConn.ReadFrom(b)
}

// run returns when ctx ended, and every call with it.
func (t *trunk) run() {
	if t.registry != nil {
		t.registry.run(t.ctx)
	}
	<-t.ctx.Done()
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.under.Wait()
	t.close()
}

// close ends what listen began.
func (t *trunk) close() {
	t.socket.Close()
	t.agent.Close()
	t.served.Wait()
}

// carry runs the call, unless Run is at its end.
func (t *trunk) carry(c *call) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.ctx.Err() != nil {
		return false
	}
	c.trunk = t
	t.calls[c.id] = c
	t.under.Go(func() {
		c.run(t.ctx)
		t.mu.Lock()
		delete(t.calls, c.id)
		t.mu.Unlock()
		<-t.provider.places
	})
	return true
}

// registered is nil when the trunk knows us.
func (t *trunk) registered(ctx context.Context) *provider.Error {
	if t.registry == nil {
		return nil
	}
	return t.registry.state(ctx)
}

// advertised is the address that the trunk reaches us at.
func (t *trunk) advertised(ctx context.Context) (netip.Addr, error) {
	if t.provider.config.public.IsValid() {
		return t.provider.config.public, nil
	}
	if !t.local.Addr().IsUnspecified() {
		return t.local.Addr(), nil
	}
	// No packet is sent: the system says which of its addresses it would use.
	network := "udp4"
	if t.local.Addr().Is6() {
		network = "udp6"
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, t.provider.config.server)
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// uri is a user of the trunk's domain.
func (t *trunk) uri(user string) siplib.Uri {
	return siplib.Uri{Scheme: "sip", User: user, Host: t.provider.config.domain}
}

// spelled is a number as this trunk writes it.
func (t *trunk) spelled(number string) string {
	if t.provider.config.withoutPlus {
		return strings.TrimPrefix(number, "+")
	}
	return number
}

// contact is us.
func (t *trunk) contact(at netip.Addr) *siplib.ContactHeader {
	uri := siplib.Uri{Scheme: "sip", User: "verifyd", Host: at.String(), Port: int(t.local.Port())}
	if transport := t.provider.config.transport; transport != overUDP {
		uri.UriParams.Add("transport", transport)
	}
	return &siplib.ContactHeader{Address: uri}
}

// request is one outside of any call: from a user of the trunk's domain to the same, which is us. It
// lacks its Via, which route gives it.
func (t *trunk) request(method siplib.RequestMethod, user, id, tag string, sequence uint32) *siplib.Request {
	us := t.uri(user)
	req := siplib.NewRequest(method, siplib.Uri{Scheme: "sip", Host: us.Host})
	from := &siplib.FromHeader{Address: us}
	from.Params.Add("tag", tag)
	callID := siplib.CallIDHeader(id)
	hops := siplib.MaxForwardsHeader(70)
	req.AppendHeader(from)
	req.AppendHeader(&siplib.ToHeader{Address: us})
	req.AppendHeader(&callID)
	req.AppendHeader(&siplib.CSeqHeader{SeqNo: sequence, MethodName: method})
	req.AppendHeader(&hops)
	req.AppendHeader(siplib.NewHeader("User-Agent", "verifyd"))
	req.SetBody(nil)
	return req
}

// route gives a request its Via and its way. Requests leave from the port where we listen: trunks
// filter by it, and NATs hold it open.
func (t *trunk) route(req *siplib.Request, at netip.Addr, destination string) {
	network := strings.ToUpper(t.provider.config.transport)
	via := &siplib.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: network, Host: at.String(), Port: int(t.local.Port()),
	}
	via.Params.Add("branch", siplib.GenerateBranch())
	via.Params.Add("rport", "")
	req.RemoveHeader("Via")
	req.PrependHeader(via)
	t.address(req, destination)
}

// address says over which connection a request goes.
func (t *trunk) address(req *siplib.Request, destination string) {
	network := strings.ToUpper(t.provider.config.transport)
	req.SetTransport(network)
	req.SetDestination(destination)
	if network == "UDP" {
		req.Laddr = siplib.Addr{IP: net.IP(t.local.Addr().AsSlice()), Port: int(t.local.Port())}
	}
}

// begin dials where there is no connection yet, and sends the request. sending is called between the
// two: what fails before it was surely not sent.
func (t *trunk) begin(ctx context.Context, req *siplib.Request, sending func()) (*siplib.ClientTx, error) {
	ctx, cancel := context.WithTimeout(ctx, t.provider.limits.dial)
	defer cancel()
	tx, err := t.agent.TransactionLayer().NewClientTransaction(ctx, req)
	if err != nil {
		return nil, err
	}
	sending()
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, err
	}
	return tx, nil
}

// maxTries is a request, the answer to its challenge, and one more where that came too late.
const maxTries = 3

// ask sends a request that is no INVITE and waits for its last answer.
func (t *trunk) ask(ctx context.Context, req *siplib.Request, at netip.Addr, destination string) (*siplib.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, t.provider.limits.dial)
	defer cancel()
	for tries := 1; ; tries++ {
		t.route(req, at, destination)
		res, err := t.askOnce(ctx, req)
		if err != nil {
			return nil, err
		}
		if !t.provider.mayAuthorize(res, tries) || t.provider.authorize(req, res) != nil {
			return res, nil
		}
	}
}

func (t *trunk) askOnce(ctx context.Context, req *siplib.Request) (*siplib.Response, error) {
	tx, err := t.begin(ctx, req, func() {})
	if err != nil {
		return nil, err
	}
	defer tx.Terminate()
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, nil
			}
		case <-tx.Done():
			return nil, errors.Join(errors.New("the connection broke"), tx.Err())
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// mayAuthorize says whether an answer is a challenge that is worth an answer. A second one means that
// the password is wrong, unless it says that the first was too old.
func (p *Provider) mayAuthorize(res *siplib.Response, tries int) bool {
	challenged := res.StatusCode == siplib.StatusUnauthorized || res.StatusCode == siplib.StatusProxyAuthRequired
	return challenged && p.config.username != "" && tries < maxTries && (tries == 1 || stale(res))
}

// authorize answers the challenge in res. Of several it takes the first that it can: MD5 and the
// SHA family (RFC 8760).
func (p *Provider) authorize(req *siplib.Request, res *siplib.Response) error {
	asked, answered := "WWW-Authenticate", "Authorization"
	if res.StatusCode == siplib.StatusProxyAuthRequired {
		asked, answered = "Proxy-Authenticate", "Proxy-Authorization"
	}
	for _, h := range res.GetHeaders(asked) {
		challenge, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(challenge) {
			continue
		}
		for i := range challenge.QOP {
			challenge.QOP[i] = strings.TrimSpace(challenge.QOP[i])
		}
		credentials, err := digest.Digest(challenge, digest.Options{
			Method: req.Method.String(), URI: req.Recipient.String(), Username: p.config.username, Password: p.config.password,
		})
		if err != nil {
			continue
		}
		req.RemoveHeader(answered)
		req.AppendHeader(siplib.NewHeader(answered, credentials.String()))
		req.CSeq().SeqNo++
		return nil
	}
	return fmt.Errorf("no challenge in %d that we could answer", res.StatusCode)
}

// stale says whether the challenge is repeated only because its time was over.
func stale(res *siplib.Response) bool {
	for _, name := range []string{"WWW-Authenticate", "Proxy-Authenticate"} {
		for _, h := range res.GetHeaders(name) {
			if c, err := digest.ParseChallenge(h.Value()); err == nil && c.Stale {
				return true
			}
		}
	}
	return false
}

// handle answers what the trunk asks of us.
func (t *trunk) handle(server *sipgo.Server) {
	respond := func(tx siplib.ServerTransaction, req *siplib.Request, status int, reason string) {
		tx.Respond(siplib.NewResponseFromRequest(req, status, reason, nil)) // or the other side asks again
	}
	inCall := func(do func(*call, *siplib.Request)) sipgo.RequestHandler {
		return func(req *siplib.Request, tx siplib.ServerTransaction) {
			c := t.callOf(req)
			if c == nil {
				respond(tx, req, 481, "Call/Transaction Does Not Exist")
				return
			}
			respond(tx, req, 200, "OK")
			do(c, req)
		}
	}
	server.OnBye(inCall(func(c *call, _ *siplib.Request) { c.hangUp() }))
	server.OnInfo(inCall(func(c *call, req *siplib.Request) {
		if key, ok := readRelay(req.Body()); ok {
			c.line.press(key)
		}
	}))
	server.OnOptions(func(req *siplib.Request, tx siplib.ServerTransaction) { respond(tx, req, 200, "OK") })
	server.OnNotify(func(req *siplib.Request, tx siplib.ServerTransaction) { respond(tx, req, 200, "OK") })
	server.OnInvite(func(req *siplib.Request, tx siplib.ServerTransaction) {
		// The call stays as it is: nothing about it needs to change in its minute (RFC 3261, 14.2).
		if t.callOf(req) != nil {
			respond(tx, req, 488, "Not Acceptable Here")
			return
		}
		respond(tx, req, 403, "Forbidden")
	})
	server.OnAck(func(*siplib.Request, siplib.ServerTransaction) {})
	server.OnNoRoute(func(req *siplib.Request, tx siplib.ServerTransaction) {
		respond(tx, req, 405, "Method Not Allowed")
	})
}

// callOf is the call that the request is in.
func (t *trunk) callOf(req *siplib.Request) *call {
	id, to := req.CallID(), req.To()
	if id == nil || to == nil {
		return nil
	}
	t.mu.Lock()
	c := t.calls[id.Value()]
	t.mu.Unlock()
	if tag, _ := to.Params.Get("tag"); c == nil || tag != c.tag {
		return nil
	}
	return c
}

// readRelay is the key in a body of application/dtmf-relay, "Signal=5".
func readRelay(body []byte) (key byte, ok bool) {
	for line := range strings.Lines(string(body)) {
		name, value, _ := strings.Cut(line, "=")
		if value = strings.TrimSpace(value); strings.EqualFold(strings.TrimSpace(name), "Signal") && len(value) == 1 {
			return value[0], strings.Contains(keys, value)
		}
	}
	return 0, false
}
