package intercept

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// maxHeader bounds what a client may say before it is refused.
	maxHeader = 16 << 10
	// headerPatience is how long a client may take to say it.
	headerPatience = 10 * time.Second
	dialPatience   = 30 * time.Second
	// maxTunnels bounds what a program that leaks connections costs. Each tunnel is two descriptors, of
	// which a process has often 1024.
	maxTunnels = 400
)

// ProxyOptions say where connections go.
type ProxyOptions struct {
	// Verifyd is the address, host:port, at which verifyd speaks TLS as Authority.TLS says.
	Verifyd string
	// Upstream is the proxy that a request for another host would have used without us, nil for none;
	// http.ProxyFromEnvironment is such a function. Nil: none ever.
	Upstream func(*http.Request) (*url.URL, error)
	// Dial opens every connection; nil is that of a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Proxy is a running proxy. Make one with StartProxy.
type Proxy struct {
	options  ProxyOptions
	forward  http.Handler // requests without TLS
	server   *http.Server
	listener net.Listener
	served   chan struct{}
	open     context.Context // ends with Close
	shut     context.CancelFunc

	mu      sync.Mutex
	closed  bool
	tunnels map[*tunnel]struct{}
	running sync.WaitGroup
}

// StartProxy serves on a free port of the loopback interface until Close.
func StartProxy(o ProxyOptions) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return serveProxy(listener, o), nil
}

func serveProxy(listener net.Listener, o ProxyOptions) *Proxy {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Upstream == nil {
		o.Upstream = func(*http.Request) (*url.URL, error) { return nil, nil }
	}
	quiet := log.New(io.Discard, "", 0) // what goes wrong is told to the client
	p := &Proxy{options: o, listener: listener, served: make(chan struct{}), tunnels: map[*tunnel]struct{}{}}
	p.open, p.shut = context.WithCancel(context.Background())
	p.forward = &httputil.ReverseProxy{
		Rewrite: asItCame,
		Transport: &http.Transport{
			Proxy: o.Upstream, DialContext: o.Dial, DisableCompression: true, IdleConnTimeout: time.Minute,
		},
		FlushInterval: -1,
		ErrorLog:      quiet,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "verifyd run: "+err.Error(), http.StatusBadGateway)
		},
	}
	p.server = &http.Server{
		Handler: p, ReadHeaderTimeout: headerPatience, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader, ErrorLog: quiet,
	}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(listener) // ErrServerClosed
	}()
	return p
}

// URL is what goes into HTTPS_PROXY.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Close ends every connection, and returns when nothing runs any more.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.shut()
	for t := range p.tunnels {
		t.close()
	}
	p.mu.Unlock()
	err := p.server.Close()
	<-p.served
	p.running.Wait()
	return err
}

// ServeHTTP takes CONNECT, and requests without TLS in the form of proxies (RFC 9112, 3.2.2 and 3.2.3).
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !fromHere(r.RemoteAddr):
		http.Error(w, "verifyd run: this proxy serves its own machine alone", http.StatusForbidden)
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	case r.URL.Scheme != "http" || r.URL.Host == "":
		http.Error(w, "verifyd run: this is a proxy, and no website", http.StatusBadRequest)
	case !acceptable(r.URL.Hostname()):
		http.Error(w, "verifyd run: this is no name of a host", http.StatusBadRequest)
	case Diverts(r.URL.Hostname()):
		http.Error(w, "verifyd run: the Verify API is not called without TLS; use https", http.StatusForbidden)
	default:
		p.forward.ServeHTTP(w, r)
	}
}

// asItCame has a request go on without what belongs to one hop, and with all else.
func asItCame(r *httputil.ProxyRequest) {
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = values
		}
	}
}

// fromHere reports whether an address is of this machine. The listener is on the loopback interface, so
// nobody else should get here.
func fromHere(address string) bool {
	a, err := netip.ParseAddrPort(address)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// acceptable reports whether something is the name or the address of a host, and nothing that whoever
// resolves it could take for another one.
func acceptable(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return plain(strings.TrimSuffix(host, "."))
}

func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	host, port, err := net.SplitHostPort(r.URL.Host)
	if err != nil || port == "" || !acceptable(host) {
		http.Error(w, "verifyd run: CONNECT wants host:port", http.StatusBadRequest)
		return
	}
	t, ok := p.enter()
	if !ok {
		http.Error(w, fmt.Sprintf("verifyd run: %d connections are open, and not one more is", maxTunnels), http.StatusServiceUnavailable)
		return
	}
	defer p.leave(t)
	// Not the request's context: that ends when the client has said all that it has to say.
	ctx, cancel := context.WithTimeout(p.open, dialPatience)
	defer cancel()
	far, err := p.dial(ctx, host, port)
	if err != nil {
		http.Error(w, "verifyd run: "+err.Error(), http.StatusBadGateway)
		return
	}
	near, early, err := http.NewResponseController(w).Hijack()
	if err != nil {
		far.Close()
		http.Error(w, "verifyd run: "+err.Error(), http.StatusInternalServerError)
		return
	}
	_ = near.SetDeadline(time.Time{}) // that of the header
	if t.open(near, far) {
		t.run(early.Reader)
	}
}

// dial opens a connection to what a client asked for: to verifyd for the diverted names, whatever their
// port, so that nothing for them can leave the machine.
func (p *Proxy) dial(ctx context.Context, host, port string) (net.Conn, error) {
	if Diverts(host) {
		return p.options.Dial(ctx, "tcp", p.options.Verifyd)
	}
	target := net.JoinHostPort(host, port)
	upstream, err := p.options.Upstream(&http.Request{URL: &url.URL{Scheme: "https", Host: target}})
	if err != nil || upstream == nil {
		if err == nil {
			return p.options.Dial(ctx, "tcp", target)
		}
		return nil, err
	}
	return p.dialThrough(ctx, upstream, target)
}

func (p *Proxy) enter() (*tunnel, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.tunnels) >= maxTunnels {
		return nil, false
	}
	t := &tunnel{}
	p.tunnels[t] = struct{}{}
	p.running.Add(1)
	return t, true
}

func (p *Proxy) leave(t *tunnel) {
	t.close()
	p.mu.Lock()
	delete(p.tunnels, t)
	p.mu.Unlock()
	p.running.Done()
}

// tunnel is a pair of connections whose bytes go from the one to the other, unread.
type tunnel struct {
	mu        sync.Mutex
	closed    bool
	near, far net.Conn
}

// open gives it its connections, and reports whether it has not been closed meanwhile.
func (t *tunnel) open(near, far net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		near.Close()
		far.Close()
		return false
	}
	t.near, t.far = near, far
	return true
}

func (t *tunnel) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed && t.near != nil {
		t.near.Close()
		t.far.Close()
	}
	t.closed = true
}

// run ends when both directions have, or one has failed. early has what the client sent behind its
// header.
func (t *tunnel) run(early *bufio.Reader) {
	if _, err := io.WriteString(t.near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	first, _ := early.Peek(early.Buffered())
	if _, err := t.far.Write(first); err != nil {
		return
	}
	back := make(chan struct{})
	go func() {
		defer close(back)
		t.pass(t.near, t.far)
	}()
	t.pass(t.far, t.near)
	<-back
}

// pass copies until from ends, and says so to to: a connection may be closed in one direction while the
// other goes on. Where one breaks, the whole tunnel is over.
func (t *tunnel) pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	half, canClose := to.(interface{ CloseWrite() error })
	if err != nil || !canClose || half.CloseWrite() != nil {
		t.close()
	}
}

// maxRefusal bounds what is read of a proxy that does not do as it is asked.
const maxRefusal = 64 << 10

// dialThrough has another proxy open the connection.
func (p *Proxy) dialThrough(ctx context.Context, upstream *url.URL, target string) (_ net.Conn, err error) {
	if upstream.Scheme != "http" {
		return nil, fmt.Errorf("the proxy of the environment speaks %s, verifyd run knows http", upstream.Scheme)
	}
	address := upstream.Host
	if upstream.Port() == "" {
		address = net.JoinHostPort(upstream.Hostname(), "80")
	}
	conn, err := p.options.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the proxy of the environment: %w", err)
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	ask := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: http.Header{}}
	if user := upstream.User; user != nil {
		password, _ := user.Password()
		basic := &http.Request{Header: http.Header{}}
		basic.SetBasicAuth(user.Username(), password)
		ask.Header.Set("Proxy-Authorization", basic.Header.Get("Authorization"))
	}
	if err := ask.Write(conn); err != nil {
		return nil, fmt.Errorf("the proxy of the environment: %w", err)
	}
	// Byte by byte would be safe for what follows the answer, and a reader of one byte is that.
	answer, err := http.ReadResponse(bufio.NewReaderSize(io.LimitReader(oneByte{conn}, maxRefusal), 16), ask)
	if err != nil {
		return nil, fmt.Errorf("the proxy of the environment: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy of the environment answers %s", answer.Status)
	}
	if !stop() {
		return nil, errors.Join(errors.New("the proxy of the environment is slow"), ctx.Err())
	}
	return conn, nil
}

// oneByte reads no more than it must, so that nothing of what follows is lost in a buffer.
type oneByte struct{ from io.Reader }

func (o oneByte) Read(b []byte) (int, error) { return o.from.Read(b[:min(len(b), 1)]) }
