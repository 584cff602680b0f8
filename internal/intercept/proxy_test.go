package intercept

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// world is a proxy, the verifyd that it leads to, and a network in which every name is this machine and
// every connection is noted.
type world struct {
	*testing.T
	proxy     *Proxy
	authority *Authority
	verifyd   *httptest.Server

	mu     sync.Mutex
	dialed []string
	lead   map[string]string // where an address leads
}

func newWorld(t *testing.T, upstream func(*http.Request) (*url.URL, error)) *world {
	t.Helper()
	w := &world{T: t, authority: openAuthority(t, t.TempDir()), lead: map[string]string{}}
	w.verifyd = httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(out, "verifyd as %s, TLS %v", r.Host, r.TLS != nil)
	}))
	w.verifyd.TLS = w.authority.TLS()
	w.verifyd.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that nobody ends
	w.verifyd.EnableHTTP2 = true
	w.verifyd.StartTLS()
	t.Cleanup(w.verifyd.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.proxy = serveProxy(listener, ProxyOptions{Verifyd: w.verifyd.Listener.Addr().String(), Upstream: upstream, Dial: w.dial})
	t.Cleanup(func() {
		if err := w.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	to := w.lead[address]
	w.mu.Unlock()
	if address == w.verifyd.Listener.Addr().String() {
		to = address
	}
	if to == "" {
		return nil, errors.New("no such host in this test")
	}
	return (&net.Dialer{}).DialContext(ctx, network, to)
}

// serve has an address lead to a handler.
func (w *world) serve(address string, s *httptest.Server) {
	w.Cleanup(s.Close)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lead[address] = s.Listener.Addr().String()
}

// left is every address that was dialed beside verifyd's.
func (w *world) left() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.dialed), func(a string) bool { return a == w.verifyd.Listener.Addr().String() })
}

func (w *world) client() *http.Client {
	through, err := url.Parse(w.proxy.URL())
	if err != nil {
		w.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(through), TLSClientConfig: trusting(w.authority, ""), ForceAttemptHTTP2: true}
	w.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (w *world) get(c *http.Client, address string) string {
	w.Helper()
	answer, err := c.Get(address)
	if err != nil {
		w.Fatalf("GET %s: %v", address, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatalf("GET %s: %v", address, err)
	}
	return fmt.Sprintf("%d %s", answer.StatusCode, strings.TrimSpace(string(body)))
}

// raw opens a connection to the proxy and writes into it.
func (w *world) raw(text string) net.Conn {
	w.Helper()
	conn, err := net.Dial("tcp", w.proxy.listener.Addr().String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		w.Fatal(err)
	}
	return conn
}

// answer is the status of the proxy's answer to something raw.
func (w *world) answer(conn net.Conn) int {
	w.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestTheDivertedNamesReachVerifyd(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client()
	for _, host := range []string{Host, "verify.us1.twilio.com", "verify.sydney.au1.twilio.com"} {
		if got, want := w.get(c, "https://"+host+"/v2"), "200 verifyd as "+host+", TLS true"; got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
	if left := w.left(); len(left) > 0 {
		t.Errorf("it dialed %v", left)
	}
}

// Everything else passes as it is: the client sees the certificate of the other end.
func TestOtherHostsPassUntouched(t *testing.T) {
	w := newWorld(t, nil)
	other := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { fmt.Fprint(out, "other") }))
	w.serve("example.com:443", other)
	plain := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		fmt.Fprint(out, "plain as ", r.Host, r.URL, " ", r.Header["X-Forwarded-For"], r.Header["Accept-Encoding"], r.Header["User-Agent"])
	}))
	w.serve("example.com:80", plain)
	c := w.client()
	c.Transport.(*http.Transport).TLSClientConfig = other.Client().Transport.(*http.Transport).TLSClientConfig
	if got := w.get(c, "https://example.com/"); got != "200 other" {
		t.Errorf("https: %s", got)
	}
	conn := w.raw("GET http://example.com/a?b=;c HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 192.0.2.1\r\nProxy-Connection: close\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	if string(body) != "plain as example.com/a?b=;c [192.0.2.1] [] []" {
		t.Errorf("http: %s", body)
	}
	if got := w.get(c, "http://nowhere.example/"); !strings.HasPrefix(got, "502 ") {
		t.Errorf("a host that is not there: %s", got)
	}
	if answer, err := c.Get("https://nowhere.example/"); err == nil {
		t.Errorf("a host that is not there: %s", answer.Status)
	}
}

// However it is asked for, a name of the Verify API is dialed by nobody.
func TestNothingForTheDivertedNamesGoesOut(t *testing.T) {
	w := newWorld(t, nil)
	for request, want := range map[string]int{
		"CONNECT verify.twilio.com:443":       200,
		"CONNECT VERIFY.TWILIO.COM.:443":      200,
		"CONNECT verify.us1.twilio.com:8443":  200,
		"CONNECT verify.twilio.com:80":        200,
		"CONNECT verify.twilio.com":           400,
		"CONNECT verify%2etwilio.com:443":     400,
		"CONNECT verify.twilio。com:443":       400,
		"CONNECT user@verify.twilio.com:443":  200,
		"CONNECT verify.twilio.com..:443":     400,
		"GET http://verify.twilio.com/v2":     403,
		"GET http://verify.twilio.com.:80/v2": 403,
		"GET http://a@verify.us1.twilio.com/": 403,
		"POST https://verify.twilio.com/v2":   400,
		"GET http://verify.twilio。com/":       400,
		"GET ftp://verify.twilio.com/":        400,
		"GET /v2/Services":                    400,
		"GET http:///v2":                      400,
	} {
		conn := w.raw(request + " HTTP/1.1\r\nHost: verify.twilio.com\r\n\r\n")
		if got := w.answer(conn); got != want {
			t.Errorf("%s: got %d, want %d", request, got, want)
		}
	}
	if left := w.left(); len(left) > 0 {
		t.Errorf("it dialed %v", left)
	}
}

// A proxy that the environment had is used as before, with its password, and not for the diverted names.
func TestAProxyOfTheEnvironmentIsKept(t *testing.T) {
	var asked []string
	w := newWorld(t, func(r *http.Request) (*url.URL, error) {
		switch r.URL.Hostname() {
		case "direct.example.com":
			return nil, nil
		case "socks.example":
			return url.Parse("socks5://corp.example:1080")
		}
		return url.Parse("http://me:s3cret@corp.example:3128")
	})
	other := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { fmt.Fprint(out, "other") }))
	w.serve("direct.example.com:443", other)
	w.serve("corp.example:3128", httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host+" "+r.Header.Get("Proxy-Authorization"))
		if r.Host == "refused.example:443" {
			http.Error(out, "no", http.StatusForbidden)
			return
		}
		far, err := net.Dial("tcp", other.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		near, _, err := http.NewResponseController(out).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(near, "HTTP/1.1 200 Yes\r\nX: y\r\n\r\n")
		go io.Copy(far, near)
		go func() { io.Copy(near, far); near.Close() }()
	})))
	c := w.client()
	if got := w.get(c, "https://verify.twilio.com/"); !strings.HasPrefix(got, "200 verifyd") || len(asked) > 0 {
		t.Errorf("a diverted name: %s; the proxy was asked %v", got, asked)
	}
	c = w.client()
	c.Transport.(*http.Transport).TLSClientConfig = other.Client().Transport.(*http.Transport).TLSClientConfig
	for _, host := range []string{"direct.example.com", "example.com"} {
		if got := w.get(c, "https://"+host); got != "200 other" {
			t.Errorf("%s: %s", host, got)
		}
	}
	for host, want := range map[string]string{"refused.example": "403", "socks.example": "socks5"} {
		conn := w.raw("CONNECT " + host + ":443 HTTP/1.1\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(io.LimitReader(answer.Body, answer.ContentLength))
		if answer.StatusCode != 502 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s", host, answer.StatusCode, body)
		}
	}
	want := []string{"CONNECT example.com:443 Basic bWU6czNjcmV0", "CONNECT refused.example:443 Basic bWU6czNjcmV0"}
	if !slices.Equal(asked, want) {
		t.Errorf("the proxy was asked %q, want %q", asked, want)
	}
}

// A client may have said all that it has to say, and the answer is still to come; the other way too.
func TestAConnectionMayBeClosedInOneDirection(t *testing.T) {
	w := newWorld(t, nil)
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	w.mu.Lock()
	w.lead["example.com:7"] = far.Addr().String()
	w.mu.Unlock()
	go func() {
		conn, err := far.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		all, _ := io.ReadAll(conn) // until the client has closed its half
		conn.Write(bytes.ToUpper(all))
	}()
	// Part of it comes with the header, in one packet.
	conn := w.raw("CONNECT example.com:7 HTTP/1.1\r\n\r\nearly ")
	fmt.Fprint(conn, "and late")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(all), "\r\n\r\nEARLY AND LATE") {
		t.Errorf("got %q, %v", all, err)
	}
}

// Clients that are slow, half open or rude delay nobody else, and Close ends them all.
func TestBadClientsHarmNobody(t *testing.T) {
	w := newWorld(t, nil)
	for _, text := range []string{
		"", "G", "CONNECT verify.twilio.com:443 HTTP/1.1\r\nX: ", "CONNECT verify.twilio.com:443 HTTP/1.1\r\n\r\n",
		"CONNECT verify.twilio.com:443 HTTP/1.1\r\n\r\n\x16\x03\x01", "CONNECT verify.twilio.com:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		"POST http://verify.twilio.com/ HTTP/1.1\r\nContent-Length: 100\r\n\r\n",
	} {
		for range 10 {
			w.raw(text) // and is left as it is
		}
	}
	if got := w.answer(w.raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")); got != 400 {
		t.Errorf("TLS to the proxy: %d", got)
	}
	huge := w.raw("CONNECT verify.twilio.com:443 HTTP/1.1\r\n")
	go func() {
		for line := "X: " + strings.Repeat("x", 1000) + "\r\n"; ; {
			if _, err := io.WriteString(huge, line); err != nil {
				return
			}
		}
	}()
	if got := w.answer(huge); got != 431 {
		t.Errorf("a header without end: %d", got)
	}
	if got := w.get(w.client(), "https://verify.twilio.com/"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("a good client among bad ones: %s", got)
	}
	if err := w.proxy.Close(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", w.proxy.listener.Addr().String()); err == nil {
		t.Error("closed, it takes connections")
	}
}

func TestTunnelsAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	for i := range maxTunnels {
		if got := w.answer(w.raw("CONNECT verify.twilio.com:443 HTTP/1.1\r\n\r\n")); got != 200 {
			t.Fatalf("connection %d: %d", i, got)
		}
	}
	if got := w.answer(w.raw("CONNECT verify.twilio.com:443 HTTP/1.1\r\n\r\n")); got != 503 {
		t.Errorf("one more than %d: %d", maxTunnels, got)
	}
}

func TestOnlyThisMachineIsServed(t *testing.T) {
	w := newWorld(t, nil)
	if host, _, _ := net.SplitHostPort(w.proxy.listener.Addr().String()); host != "127.0.0.1" {
		t.Errorf("it listens on %s", host)
	}
	r := httptest.NewRequest("CONNECT", "example.com:443", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	rec := httptest.NewRecorder()
	if w.proxy.ServeHTTP(rec, r); rec.Code != 403 {
		t.Errorf("another machine: %d", rec.Code)
	}
}

// Whatever a client sends, the proxy lives, and dials no name of the Verify API.
func FuzzProxy(f *testing.F) {
	for _, seed := range []string{
		"CONNECT verify.twilio.com:443 HTTP/1.1\r\n\r\n\x16\x03\x01",
		"CONNECT [::1]:443 HTTP/1.1\r\nHost: verify.twilio.com\r\n\r\n",
		"GET http://verify.twilio.com/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://x/ HTTP/1.1\r\nHost: verify.twilio.com\r\n\r\n",
		"POST http://x/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x05\x01\x00", "",
	} {
		f.Add([]byte(seed))
	}
	var mu sync.Mutex
	var dialed []string
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	p := serveProxy(listener, ProxyOptions{Verifyd: "verifyd:1", Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		mu.Lock()
		dialed = append(dialed, address)
		mu.Unlock()
		return nil, errors.New("nobody is there")
	}})
	f.Cleanup(func() { p.Close() })
	f.Fuzz(func(t *testing.T, sent []byte) {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write(sent)
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
		mu.Lock()
		defer mu.Unlock()
		for _, address := range dialed {
			if host, _, err := net.SplitHostPort(address); err != nil || address != "verifyd:1" && Diverts(host) {
				t.Errorf("dialed %q", address)
			}
		}
		dialed = nil
	})
}
