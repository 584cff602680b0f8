package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/clock"
	"github.com/verifyd/verifyd/internal/config"
	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/inbox"
	"github.com/verifyd/verifyd/internal/intercept"
	"github.com/verifyd/verifyd/internal/journal"
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/operator"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// The names under which an application has its credentials.
const (
	envAccount = "TWILIO_ACCOUNT_SID"
	envToken   = "TWILIO_AUTH_TOKEN"
)

// sampleNumber is a valid number that belongs to nobody we know of; the printed lines use it.
const sampleNumber = "+34612345678"

// The files of a data folder.
const (
	devStore = "verifyd.db"
	devKeys  = "verifyd.key"
)

// loopback are the addresses that webhooks of dev may go to, beside the public ones: the application runs
// on the same machine.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// devOptions say what a verifyd dev is made of.
type devOptions struct {
	listen   string // the address to serve on
	alias    string // the address to answer as verify.twilio.com on
	data     string // the folder that keeps everything
	database string // a PostgreSQL in the place of the folder's file, "" for none
	forget   bool   // keep the verifications in memory, and nothing but the certificates in the folder
	limits   bool
	// seed, if it is not nil, has everything that is made up be the same in every run: time stands still
	// from the beginning, and nothing was there before.
	seed *uint64
	// environ is searched for the SIDs of services that the application knows.
	environ []string
	// account and token are those that the application has, "" for new ones.
	account, token string
}

// devServer is a verifyd dev that is ready to run.
type devServer struct {
	*server
	world     devWorld
	authority *intercept.Authority
}

func runDev(ctx context.Context, args []string, sys system) (err error) {
	o := devOptions{environ: sys.environ()}
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8642", "the `address` to serve on")
	flags.StringVar(&o.alias, "alias", "127.0.0.1:0", "the `address` to answer as verify.twilio.com on, for a network that gives verifyd that name")
	flags.StringVar(&o.data, "data", defaultData(sys.getenv), "the `folder` that keeps the account and its verifications")
	flags.StringVar(&o.database, "store", "", "keep the verifications in this PostgreSQL `database` instead, postgres://user@host/database")
	flags.Var(seedValue{&o.seed}, "seed", "make the same SIDs and codes in every run with this `number`: starts empty, in memory, and time stands still until verifyd clock moves it")
	flags.BoolVar(&o.limits, "limits", false, "refuse bursts, polling and guessing as serve does")
	logLevel := flags.String("log", "info", "what to log: debug, info, warn or error")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	o.account, _ = sys.getenv(envAccount)
	o.token, _ = sys.getenv(envToken)
	lines := newLogBuffer(sys.stderr)
	defer func() { err = errors.Join(err, lines.Close()) }()
	d, err := newDev(ctx, o, newLog(lines, "text", *logLevel))
	if err != nil {
		return err
	}
	withdraw, err := d.announcement(o).Announce(o.data)
	if err != nil {
		return errors.Join(fmt.Errorf("cannot use the data folder: %w; choose another with --data", err), d.close())
	}
	defer func() { err = errors.Join(err, withdraw()) }()
	if o.data != defaultData(sys.getenv) {
		d.world.dataFlag = " --data " + o.data
	}
	d.world.print(sys.stdout)
	return d.run(ctx)
}

// newDev opens and prepares everything; what is left is to run it.
func newDev(ctx context.Context, o devOptions, log *slog.Logger) (_ *devServer, err error) {
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return nil, fmt.Errorf("cannot use the data folder: %w; choose another with --data", err)
	}
	d := &devServer{server: &server{log: log, webhooks: loopback}}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.listener, err = listen(o.listen); err != nil {
		return nil, err
	}
	if d.authority, err = intercept.OpenAuthority(o.data, time.Now); err != nil {
		return nil, err
	}
	d.aliasTLS = d.authority.TLS()
	if d.alias, err = net.Listen("tcp", o.alias); err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with --alias", o.alias, err)
	}
	place := "memory"
	if o.forget || o.seed != nil {
		d.store, d.engine, err = openForgetful(ctx, log)
	} else {
		d.store, d.engine, place, err = openDev(ctx, o.data, o.database, log)
	}
	if err != nil {
		return nil, err
	}
	engine, now := d.engine, o.steer(d.engine)
	happened := journal.New(now.Now)
	now.OnMove(func(s clock.State) { happened.Add("clock", s) })
	engine.Store = happened.Watch(engine.Store)
	d.clock, d.swept = now.Handler(duties{d.server, happened}), happened.Expire
	d.jitter = func() float64 { return 0 } // the same every time
	if o.limits {
		engine.Limits = verify.BuiltIn()
	}
	if d.world, err = prepareDev(ctx, engine, o); err != nil {
		return nil, err
	}
	d.world.place, d.world.url = place, "http://"+reachable(d.listener.Addr())

	box := inbox.New(inbox.Options{
		Now:   now.Now,
		Clock: true,
		State: func(ctx context.Context, verificationSID string) (string, error) {
			status, err := engine.StatusOf(ctx, verificationSID)
			return string(status), err
		},
		Sent:    func(m inbox.Message) { happened.Add("message", m) },
		Hint:    d.world.start(),
		Factors: waitingFactors(engine),
		Factor:  waitingFactor(engine),
	})
	d.inbox, d.events = box.Handler(), happened
	d.closeStreams = func() {
		box.Close()
		happened.Close()
	}
	d.routes = delivery.Routes{}
	for _, channel := range verify.Channels() {
		d.routes[channel] = []delivery.Route{{Name: "inbox", Provider: box}}
	}
	return d, nil
}

// close gives back what was opened for a server that does not run.
func (d *devServer) close() error {
	var errs []error
	for _, l := range []net.Listener{d.listener, d.alias} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	return errors.Join(errs...)
}

// announcement is what other commands are told.
func (d *devServer) announcement(o devOptions) operator.Dev {
	return operator.Dev{
		URL: d.world.url, AccountSID: d.world.account, AuthToken: d.world.token, ServiceSID: d.world.service,
		TLS: reachable(d.alias.Addr()), Borrowed: o.account != "" || o.token != "",
	}
}

// openDev opens the store of a data folder, or a database that is brought up to date first; place
// names it for people. The key file is in the data folder either way.
func openDev(ctx context.Context, data, database string, log *slog.Logger) (s store, e *verify.Engine, place string, err error) {
	c := devConfig(data)
	place = "data folder " + data
	if database != "" {
		c.Store = database
		if !c.Postgres() {
			return nil, nil, "", errors.New("--store: want postgres://user@host/database")
		}
		place = "database " + c.StoreName()
		if _, _, err := postgres.Migrate(ctx, database); err != nil {
			return nil, nil, "", fmt.Errorf("cannot use the %s: %w; choose another with --store", place, err)
		}
	}
	s, e, err = openConfigured(ctx, c, log, true, func(verify.Channel) bool { return true })
	switch {
	case errors.Is(err, sqlite.ErrInUse):
		err = fmt.Errorf("another verifyd dev runs on the data folder %s; stop it, or choose another folder with --data and another address with --listen", data)
	case err != nil && database != "":
		err = fmt.Errorf("cannot use the database: %w; choose another with --store", err)
	case err != nil:
		err = fmt.Errorf("cannot use the data folder %s: %w; choose another with --data", data, err)
	}
	return s, e, place, err
}

// devConfig is the configuration of a data folder.
func devConfig(data string) config.Config {
	return config.Config{Store: "sqlite:" + filepath.Join(data, devStore), KeyFile: filepath.Join(data, devKeys)}
}

// defaultData is the folder for data of programs (XDG base directories), or one in the current
// folder where there is no home.
func defaultData(getenv func(string) (string, bool)) string {
	if dir, _ := getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "verifyd")
	}
	if home, _ := getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "share", "verifyd")
	}
	return "verifyd-data"
}

// reachable is an address that a client on this machine can use: a listener on all interfaces is
// reached by loopback.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// devWorld is what a developer is told at start.
type devWorld struct {
	account, token, service string
	found                   string // what was there already
	place, url              string
	dataFlag                string // what commands need to find the data folder, "" for the usual one
}

// prepareDev finds the account and the services of a data folder, and makes them where they are missing,
// under the SIDs that the application has, if its environment is there.
func prepareDev(ctx context.Context, e *verify.Engine, o devOptions) (devWorld, error) {
	accountSID, token := o.account, o.token
	account, err := findAccount(ctx, e, accountSID)
	if err != nil {
		return devWorld{}, err
	}
	w := devWorld{found: "a new account was made"}
	if account == nil {
		a, minted, err := e.CreateAccount(ctx, "dev", accountSID, token)
		if err != nil {
			return w, fmt.Errorf("TWILIO_ACCOUNT_SID: %w", err)
		}
		account, w.token = &a, minted
	} else {
		if w.token, err = e.Token(account); err != nil {
			return w, fmt.Errorf("the key file does not belong to this data folder: %w", err)
		}
		if token != "" && token != w.token {
			if err := e.ReplaceToken(ctx, account.SID, token); err != nil {
				return w, err
			}
			w.token = token
		}
	}
	w.account = account.SID
	services, err := allServices(ctx, e, account.SID)
	if err != nil {
		return w, err
	}
	if len(services) > 0 {
		w.service = services[len(services)-1].SID // the first that was made
		w.found = fmt.Sprintf("found its account and %d service(s)", len(services))
	}
	name := "Acme"
	for _, known := range servicesIn(o.environ) {
		_, err := e.ImportService(ctx, account.SID, known, verify.ServiceParams{FriendlyName: &name})
		if err != nil && !errors.Is(err, verify.ErrExists) {
			return w, err
		}
		w.service = known
	}
	if w.service == "" {
		s, err := e.CreateService(ctx, account.SID, verify.ServiceParams{FriendlyName: &name})
		if err != nil {
			return w, err
		}
		w.service = s.SID
	}
	if len(services) > 0 {
		return w, nil
	}
	return w, addSampleTemplate(ctx, e, account.SID)
}

var serviceSID = regexp.MustCompile(`^VA[0-9a-f]{32}$`)

// servicesIn are the SIDs of services in an environment, whatever the names are under which the
// application keeps them; the first of its names comes last.
func servicesIn(environ []string) (sids []string) {
	sorted := slices.Sorted(slices.Values(environ))
	for _, entry := range slices.Backward(sorted) {
		if _, value, _ := strings.Cut(entry, "="); serviceSID.MatchString(value) && !slices.Contains(sids, value) {
			sids = append(sids, value)
		}
	}
	return sids
}

// addSampleTemplate makes a template to try, unless the account has one of its name.
func addSampleTemplate(ctx context.Context, e *verify.Engine, accountSID string) error {
	file, err := message.ReadFile(sampleTemplate)
	if err != nil {
		return err
	}
	have, err := e.Templates(ctx, accountSID, file.Name, verify.Page{Size: 1})
	if err != nil || len(have) > 0 {
		return err
	}
	_, err = e.PutTemplate(ctx, accountSID, file, true)
	return err
}

// findAccount is the account with a SID, or the first one where none is named; nil if there is
// none.
func findAccount(ctx context.Context, e *verify.Engine, accountSID string) (*verify.Account, error) {
	accounts, err := e.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for i := range accounts {
		if accountSID == "" || accounts[i].SID == accountSID {
			return &accounts[i], nil
		}
	}
	return nil, nil
}

// allServices lists every service of an account, newest first.
func allServices(ctx context.Context, e *verify.Engine, accountSID string) ([]verify.Service, error) {
	const size = 1000
	var all []verify.Service
	for after := ""; ; after = all[len(all)-1].SID {
		list, err := e.Services(ctx, accountSID, verify.Page{Size: size, After: after})
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if len(list) < size {
			return all, nil
		}
	}
}

// The three lines to paste. Each works as it is; the last reads the code by itself.

func (w devWorld) start() string {
	return fmt.Sprintf("curl -s %s/Verifications -u %s:%s -d Channel=sms --data-urlencode To=%s", w.serviceURL(), w.account, w.token, sampleNumber)
}

func (w devWorld) readCode() string {
	return fmt.Sprintf("curl -s '%s/dev/inbox?to=%s&wait=5s&limit=1'", w.url, strings.Replace(sampleNumber, "+", "%2B", 1))
}

func (w devWorld) check() string {
	return fmt.Sprintf(`curl -s %s/VerificationCheck -u %s:%s --data-urlencode To=%s -d Code=$(%s | sed 's/.*"code":"\([^"]*\)".*/\1/')`,
		w.serviceURL(), w.account, w.token, sampleNumber, w.readCode())
}

func (w devWorld) serviceURL() string { return w.url + "/v2/Services/" + w.service }

func (w devWorld) print(out io.Writer) {
	fmt.Fprintf(out, `
verifyd dev is ready. Its %[1]s: %[2]s.

  account SID   %[3]s
  auth token    %[4]s
  service SID   %[5]s
  base URL      %[6]s
  inbox         %[6]s/dev/inbox

Start a verification, read its code, check it:

%[7]s
%[8]s
%[9]s

Point a client library here:

  Node    const client = require('twilio')('%[3]s', '%[4]s'); client.verify.baseUrl = '%[6]s'
  Python  client = twilio.rest.Client('%[3]s', '%[4]s'); client.verify.base_url = '%[6]s'
  Go      http.DefaultTransport = divert("%[6]s")  // a few lines: README.md, "From Go"

See what was sent, from another terminal (verifyd help lists all commands):

verifyd attempt list%[10]s

Ctrl-C stops it.

`, w.place, w.found, w.account, w.token, w.service, w.url, w.start(), w.readCode(), w.check(), w.dataFlag)
}
