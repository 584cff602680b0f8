// Package fakecarrier is a carrier for tests: one program that is the other end of every provider. It takes
// what verifyd sends by SMPP, SIP, SMTP and HTTP as the real ones would, keeps it where a test can read it,
// reports in each vendor's own way, and can be told to be slow, to refuse, to throttle, to lose, to hang up,
// or to lie, for one provider or destination, while everything goes on.
//
// The far ends are packages below this one; each knows its protocol. The desk (package desk) decides what
// becomes of a message, and remembers it. This package opens the ports, and serves the API by which tests
// look and turn knobs.
//
// It carries nothing to anybody. Its passwords are printed and its keys are made when it starts: it is for
// the loopback, and for networks in which everybody may do everything to it.
package fakecarrier

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/internal/fakecarrier/sip"
	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/fakecarrier/smtp"
	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
)

// Options say where a Carrier listens and what it works with. Every address is host:port; with port 0 the
// system chooses.
type Options struct {
	// API is the address of the API for tests, HTTP that of all vendors who speak it, and the others
	// those of their protocols: SIP is over UDP and over TCP.
	API, HTTP, SMPP, SIP, SMTP, APNs string
	// Hosts are what the API is called beside the names that every machine may have (package gate).
	Hosts []string
	// Bounces is where verifyd takes bounces: bounce_listen of its provider of type smtp.
	Bounces string
	// Seed is what everything that is drawn, and every identifier, depends on; nil is another one every
	// time.
	Seed *uint64
	// Now is the time; nil is time.Now.
	Now func() time.Time
	// Knobs are those that hold from the beginning.
	Knobs []desk.Knob
	Log   *slog.Logger
}

// Carrier is a carrier that runs.
type Carrier struct {
	desk    *desk.Desk
	log     *slog.Logger
	ports   []*port
	api     *port
	smtp    *smtp.Server
	sip     *sip.Server
	smsc    *smsc.Server
	vendors *vendors.Server
	apis    []vendors.API
	fcm     *fcm.Server
	apns    *apns.Server
	cert    tls.Certificate // of APNs
	bounces string

	turning sync.Mutex // of ports: their start, their end, and by knobs what is between
	closed  bool
}

// The accounts of SMPP.
const (
	systemID     = "verifyd"
	smppPassword = "smpp-key"
)

// Start opens every port.
func Start(o Options) (*Carrier, error) {
	c := &Carrier{desk: &desk.Desk{Now: o.Now, Seed: rand.Uint64()}, log: o.Log, bounces: o.Bounces}
	if o.Seed != nil {
		c.desk.Seed = *o.Seed
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if err := c.makePush(); err != nil {
		return nil, err
	}
	c.smsc = c.newSMSC()
	c.smtp = smtp.New(c.desk, c.log)
	c.smtp.Bounces(o.Bounces)
	c.sip = sip.New(c.desk, c.log)
	c.apis = vendors.All(c.desk.Time)
	c.vendors = vendors.New(c.desk, c.log, c.apis...)

	web := http.NewServeMux()
	web.Handle("/", c.vendors)
	web.Handle("/fcm/", http.StripPrefix("/fcm", c.fcm))
	c.api = &port{name: "api", address: o.API, open: openHTTP(c.handler(append(slices.Clone(o.Hosts), o.API)), nil)}
	c.ports = []*port{
		{name: "smpp", address: o.SMPP, providers: []string{smsc.Name}, open: openTCP(c.smsc.Serve, c.smsc.Cut)},
		{name: "sip", address: o.SIP, providers: []string{sip.Name}, open: c.openSIP},
		{name: "smtp", address: o.SMTP, providers: []string{smtp.Name}, open: openTCP(c.smtp.Serve, c.smtp.Cut)},
		{name: "http", address: o.HTTP, providers: append(c.vendorNames(), fcmName), open: openHTTP(web, nil)},
		{name: "apns", address: o.APNs, providers: []string{apnsName}, open: openHTTP(c.apns, &tls.Config{
			Certificates: []tls.Certificate{c.cert}, NextProtos: []string{"h2"},
		})},
	}
	c.desk.OnKnobs = c.turn // before somebody can reach the API
	if err := c.open(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.desk.Set(o.Knobs)
	return c, nil
}

func (c *Carrier) open() error {
	c.turning.Lock()
	defer c.turning.Unlock()
	for _, p := range append([]*port{c.api}, c.ports...) {
		if err := p.start(); err != nil {
			return fmt.Errorf("--%s: %w", p.name, err)
		}
	}
	return nil
}

// Close ends everything, and waits for it.
func (c *Carrier) Close() error {
	c.turning.Lock()
	defer c.turning.Unlock()
	c.closed = true
	c.vendors.Close()
	for _, p := range append([]*port{c.api}, c.ports...) {
		p.stop()
	}
	c.smsc.Close()
	c.sip.Close()
	c.smtp.Close()
	return nil
}

// turn closes and opens ports as the knobs say. A request that sets them may come while Close is waited for.
func (c *Carrier) turn() {
	c.turning.Lock()
	defer c.turning.Unlock()
	if c.closed {
		return
	}
	for _, p := range c.ports {
		switch closed := slices.ContainsFunc(p.providers, c.desk.Closed); {
		case closed:
			p.stop()
		case p.close == nil && p.address != "":
			if err := p.start(); err != nil {
				c.log.Error("a port cannot be opened again", "port", p.name, "error", err)
			}
		}
	}
}

// Providers are the types of providers that have their other end here.
func (c *Carrier) Providers() []string {
	var names []string
	for _, p := range c.ports {
		names = append(names, p.providers...)
	}
	slices.Sort(names)
	return names
}

func (c *Carrier) vendorNames() (names []string) {
	for _, api := range c.apis {
		names = append(names, api.Name)
	}
	return names
}

// URL is the address of the API.
func (c *Carrier) URL() string { return "http://" + c.api.address }

// port is where a protocol is spoken. It can be closed and opened again at the same address.
type port struct {
	name      string
	address   string // "" for nowhere; after the first start the one that was found
	providers []string
	open      func(address string) (found string, closer func(), err error)

	close func() // nil while it is closed
}

func (p *port) start() error {
	if p.address == "" || p.close != nil {
		return nil
	}
	found, closer, err := p.open(p.address)
	if err != nil {
		return err
	}
	p.address, p.close = found, closer
	return nil
}

func (p *port) stop() {
	if p.close != nil {
		p.close()
		p.close = nil
	}
}

// listen opens TCP.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w; choose another address, or one with port 0", err)
	}
	return l, nil
}

// openHTTP serves a handler, over TLS if there is a configuration of it.
func openHTTP(h http.Handler, secured *tls.Config) func(string) (string, func(), error) {
	return func(address string) (string, func(), error) {
		l, err := listen(address)
		if err != nil {
			return "", nil, err
		}
		found := l.Addr().String()
		server := &http.Server{
			Handler: h, TLSConfig: secured, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			if secured != nil {
				server.ServeTLS(l, "", "")
				return
			}
			server.Serve(l)
		}()
		return found, func() {
			l.Close() // the server may not have learned of it yet
			server.Close()
			<-served
		}, nil
	}
}

// openTCP serves what is not HTTP. Cut breaks its connections.
func openTCP(serve func(net.Listener) error, cut func()) func(string) (string, func(), error) {
	return func(address string) (string, func(), error) {
		l, err := listen(address)
		if err != nil {
			return "", nil, err
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			serve(l)
		}()
		return l.Addr().String(), func() {
			l.Close()
			cut()
			<-served
		}, nil
	}
}

// openSIP opens the same port of TCP and of UDP. Where the system chooses it may choose one for TCP that is
// taken for UDP.
func (c *Carrier) openSIP(address string) (string, func(), error) {
	const tries = 5
	var l net.Listener
	var packets net.PacketConn
	var err error
	for range tries {
		if l, err = listen(address); err != nil {
			return "", nil, err
		}
		if packets, err = net.ListenPacket("udp", l.Addr().String()); err == nil {
			break
		}
		l.Close()
	}
	if err != nil {
		return "", nil, fmt.Errorf("cannot listen for UDP: %w; choose another address", err)
	}
	var served sync.WaitGroup
	served.Go(func() { c.sip.Serve(l) })
	served.Go(func() { c.sip.ServePackets(packets) })
	return l.Addr().String(), func() {
		l.Close()
		packets.Close()
		c.sip.Cut()
		served.Wait()
	}, nil
}
