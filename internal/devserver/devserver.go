// Package devserver is a verifyd for a laptop, for CI and for a test: a server whose messages lie in an inbox, whose
// time can be moved, which tells of everything that happens, and which answers as verify.twilio.com to those
// who trust it. It is the server of production with another provider, another clock and another log.
//
// `verifyd dev`, `verifyd run` and package verifytest are thin around it. It is not for production: it asks
// nobody for a password before it shows a code, and keeps out web pages alone (package gate).
package devserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/clock"
	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/gate"
	"github.com/verifyd/verifyd/internal/inbox"
	"github.com/verifyd/verifyd/internal/intercept"
	"github.com/verifyd/verifyd/internal/journal"
	"github.com/verifyd/verifyd/internal/rules"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/internal/webhook"
	"github.com/verifyd/verifyd/provider"
)

// loopback are the addresses that webhooks of dev may go to, beside the public ones: the application runs
// on the same machine.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// Store is what a Server needs of a store: that of a server, which also goes back to where it was.
type Store interface {
	server.Store
	// Reset removes everything but the accounts and their keys.
	Reset(context.Context) error
	// SaveSnapshot keeps a copy of everything under a number, RestoreSnapshot puts it in the place of
	// everything, and DropSnapshot removes it, if it is there.
	SaveSnapshot(ctx context.Context, number int) error
	RestoreSnapshot(ctx context.Context, number int) error
	DropSnapshot(ctx context.Context, number int) error
	// NextDueOfService is when the next job about the records of a service is due, and HastenService has
	// them be due sooner.
	NextDueOfService(ctx context.Context, serviceSID string) (due time.Time, found bool, err error)
	HastenService(ctx context.Context, serviceSID string, by time.Duration) error
}

// Options say what a Server is made of. It takes over what they have open.
type Options struct {
	Log *slog.Logger
	// Store and Engine are what it works on (see OpenMemory), and Place names them for people.
	Store  Store
	Engine *verify.Engine
	Place  string
	// Listener is where it serves.
	Listener net.Listener
	// Alias is where it answers as verify.twilio.com, with certificates of Authority; nil for nowhere.
	Alias     net.Listener
	Authority *intercept.Authority
	// Hosts are what the server is called beside the names that every machine may have (package gate), each with
	// or without a port.
	Hosts []string
	// Limits has bursts, polling and guessing refused as serve does.
	Limits bool
	// Events is where the events of verifications go, "" for nowhere.
	Events string
	// Seed, if it is not nil, has everything that is made up be the same in every run, on a store in
	// memory; time stands still from the beginning.
	Seed *uint64
	// Rules say what becomes of messages by their destination, at first.
	Rules []rules.Rule
	// World is the file of a test world (see package world), "" for none. It is read again at every reset.
	World string
	// Carrier, if it is set, makes what messages go by on their way into the inbox.
	Carrier Carrier
	// Data is the folder in which simulated handsets are remembered, "" for none.
	Data string
	// Environ is searched for the SIDs of services that the application knows.
	Environ []string
	// Account and Token are those that the application has, "" for new ones.
	Account, Token string
}

// Server is one that is ready to Run.
type Server struct {
	*server.Server
	World World

	made      Options
	parts     parts
	snapshots snapshots
	services  *serviceClocks
	// startAgain empties what is kept in memory, and has rules hold.
	startAgain func([]rules.Rule)
}

// maxBody bounds what is read of a request below /dev/, in bytes: the largest are rules.
const maxBody = maxRules

// Close is for a server that does not come to run; Run closes by itself.
func (d *Server) Close() error { return d.made.Close() }

// New prepares everything; what is left is to run it, or to Close what it was given.
func New(ctx context.Context, o Options) (_ *Server, err error) {
	now, random := steer(o.Engine, o.Seed)
	happened := journal.New(now.Now)
	o.Engine.Store = happened.Watch(o.Engine.Store)
	wanted, err := o.readWorld()
	if err != nil {
		return nil, err
	}
	book := &rules.Book{}
	book.Set(slices.Concat(o.Rules, wanted.Rules))
	o.Engine.ChooseCode, o.Engine.Blocked, o.Engine.Lines = book.Code, book.Blocked, book
	if o.Limits {
		o.Engine.Limits = verify.BuiltIn()
	}
	d := &Server{made: o, Server: &server.Server{
		Log: o.Log, Store: o.Store, Engine: o.Engine, Listener: o.Listener, Alias: o.Alias,
		Webhooks: loopback,
		Jitter:   func() float64 { return 0 }, // the same every time
		Swept:    happened.Expire,
		WayBack:  &server.WayBack{},
	}}
	if o.Events != "" {
		if o.Engine.Announced, err = verify.Subscribe(verify.UsualEvents()); err != nil {
			return nil, err
		}
		d.Sink = webhook.Sink{URL: o.Events, Client: &http.Client{
			Timeout: webhook.CallTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}
	}
	if o.Alias != nil {
		d.AliasTLS = o.Authority.TLS()
	}
	if d.World, err = prepare(ctx, o.Engine, o, wanted); err != nil {
		return nil, err
	}
	d.World.Place, d.World.URL = o.Place, "http://"+Reachable(o.Listener.Addr())

	services := &serviceClocks{base: now, engine: o.Engine, parts: &d.parts, store: o.Store, by: map[string]*serviceClock{}}
	d.services, d.EngineOf = services, services.engineOf
	happened.Ahead(services.ahead)
	handsets, err := openHandsets(services, d.World, o.Data)
	if err != nil {
		return nil, err
	}
	factors := factor.NewEngine(o.Engine)
	box := inbox.New(inbox.Options{
		Now:      now.Now,
		Clock:    true,
		State:    services.statusOf,
		Sent:     func(m inbox.Message) { happened.Add("message", m) },
		Hint:     d.World.start(),
		Factors:  waitingFactors(factors),
		Factor:   waitingFactor(factors),
		Handsets: handsets,
		Rules:    func(m provider.Message) any { return book.About(m) },
	})
	byInbox := delivery.Route{Name: "inbox"}
	out := &exits{inbox: byServerTime{box, services}, by: map[string]provider.Provider{}}
	carrier := rules.NewCarrier(book, out, rules.CarrierOptions{
		Now:       now.Now,
		Report:    func(ctx context.Context, r provider.Report) error { return d.WayBack.Report(ctx, byInbox.Name, r) },
		ServiceOf: services.serviceOf,
		Log:       o.Log,
	})
	byInbox.Provider = carrier
	now.OnMove(func(s clock.State) {
		happened.Add("clock", s)
		carrier.Poke()
	})
	d.Providers = map[string]provider.Provider{byInbox.Name: byInbox.Provider}
	d.Routes = delivery.Routes{}
	for _, channel := range verify.Channels() {
		d.Routes[channel] = delivery.Anywhere(byInbox)
	}
	if o.Carrier != nil {
		if err := d.carry(o.Carrier, now.Now, carrier, out); err != nil {
			return nil, err
		}
	}
	d.Push = delivery.PushRoutes{Platforms: map[factor.Platform][]delivery.Route{factor.FCM: {byInbox}, factor.APN: {byInbox}}}
	d.startAgain = func(inWorld []rules.Rule) {
		book.Set(slices.Concat(o.Rules, inWorld))
		carrier.SetWaiting(nil)
		services.Restore(nil)
		box.Clear()
		happened.Forget()
		happened.Add("reset", struct{}{})
	}
	work := duties{d.Server, happened, carrier}
	d.parts = parts{clock: now, random: random, work: work, happened: happened, book: book, carrier: carrier, box: box, handsets: handsets, services: services}
	snapping, ruling, steering, messages := d.snapshotRoutes(), serveRules(book), now.Handler(work), box.Handler()
	guard := gate.Gate{Hosts: o.Hosts, Also: intercept.Diverts, Refuse: func(w http.ResponseWriter, text string) {
		refuse(w, 20403, http.StatusForbidden, text)
	}}
	d.Dev = guard.Before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody) // FormValue would read 10 MB, and write files of more
		switch path := r.URL.Path; {
		case path == "/":
			http.Redirect(w, r, "/dev/inbox", http.StatusFound)
		case path == "/dev/events":
			happened.ServeHTTP(w, r)
		case path == "/dev/clock" && r.FormValue("service") != "":
			d.serveService(w, r, r.FormValue("service"))
		case path == "/dev/clock":
			steering.ServeHTTP(w, r)
		case path == "/dev/clock/services":
			d.serveServices(w, r)
		case path == "/dev/reset":
			d.serveReset(w, r)
		case path == "/dev/snapshots" || strings.HasPrefix(path, "/dev/snapshots/"):
			snapping.ServeHTTP(w, r)
		case path == "/dev/rules":
			ruling.ServeHTTP(w, r)
		default:
			messages.ServeHTTP(w, r)
		}
	}))
	d.CloseStreams = func() {
		box.Close()
		happened.Close()
	}
	return d, nil
}

// Close gives back what is open already, for a server that does not come to run.
func (o Options) Close() error {
	var errs []error
	if o.Listener != nil {
		errs = append(errs, o.Listener.Close())
	}
	if o.Alias != nil {
		errs = append(errs, o.Alias.Close())
	}
	if o.Store != nil {
		errs = append(errs, o.Store.Close())
	}
	return errors.Join(errs...)
}

// Reachable is an address that a client on this machine can use: a listener on all interfaces is
// reached by loopback.
func Reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
