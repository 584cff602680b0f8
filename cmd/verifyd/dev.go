package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/config"
	"github.com/verifyd/verifyd/internal/devserver"
	"github.com/verifyd/verifyd/internal/gate"
	"github.com/verifyd/verifyd/internal/intercept"
	"github.com/verifyd/verifyd/internal/operator"
	"github.com/verifyd/verifyd/internal/rules"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// The names under which an application has its credentials.
const (
	envAccount = "TWILIO_ACCOUNT_SID"
	envToken   = "TWILIO_AUTH_TOKEN"
)

// The files of a data folder.
const (
	devStore = "verifyd.db"
	devKeys  = "verifyd.key"
)

// devOptions say what a verifyd dev is made of.
type devOptions struct {
	listen   string   // the address to serve on
	alias    string   // the address to answer as verify.twilio.com on
	hosts    []string // the names under which it is reached
	data     string   // the folder that keeps everything
	database string   // a PostgreSQL in the place of the folder's file, "" for none
	forget   bool     // keep the verifications in memory, and nothing but the certificates in the folder
	limits   bool
	carrier  devserver.Carrier // what messages go by, nil for straight into the inbox
	events   string            // the URL that the events of verifications go to, "" for none
	rules    string            // the file of rules by destination, "" for none
	world    string            // the file of the test world, "" for none
	// seed, if it is not nil, has everything that is made up be the same in every run: time stands still
	// from the beginning, and nothing was there before.
	seed *uint64
	// environ is searched for the SIDs of services that the application knows.
	environ []string
	// account and token are those that the application has, "" for new ones.
	account, token string
}

func runDev(ctx context.Context, args []string, sys system) (err error) {
	o := devOptions{environ: sys.environ()}
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8642", "the `address` to serve on")
	flags.StringVar(&o.alias, "alias", "127.0.0.1:0", "the `address` to answer as verify.twilio.com on, for a network that gives verifyd that name")
	hosts := flags.String(gate.Flag, "", "the `names` under which browsers reach the inbox, with commas: verifyd.example.com; private ones need not be said (docs/testing.md)")
	flags.StringVar(&o.data, "data", defaultData(sys.getenv), "the `folder` that keeps the account and its verifications")
	flags.StringVar(&o.database, "store", "", "keep the verifications in this PostgreSQL `database` instead, postgres://user@host/database")
	flags.Var(seedValue{&o.seed}, "seed", "make the same SIDs and codes in every run with this `number`: starts empty, in memory, and time stands still until verifyd clock moves it")
	flags.StringVar(&o.rules, "rules", "", "do with messages what this `file` says by their destination (docs/testing.md)")
	flags.StringVar(&o.world, "world", "", "have the services, limits, templates, people and rules of this `file` (docs/testing.md)")
	flags.BoolVar(&o.limits, "limits", false, "refuse bursts, polling and guessing as serve does")
	flags.StringVar(&o.events, "events", "", "send the events of services with VerifyEventSubscriptionEnabled to this `URL`")
	withCarrier := flags.Bool("carrier", false, "send by SMPP, SIP, SMTP, WhatsApp and RCS to a fake carrier in this process (docs/fakecarrier.md)")
	logLevel := flags.String("log", "info", "what to log: debug, info, warn or error")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	if u, err := url.Parse(o.events); o.events != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return misuse(flags, fmt.Sprintf("--events: %q is no URL with http:// or https://", o.events), sys)
	}
	if o.hosts, err = gate.List(*hosts); err != nil {
		return misuse(flags, err.Error(), sys)
	}
	if o.seed != nil && o.database != "" {
		return misuse(flags, "--seed starts empty, and --store does not", sys)
	}
	o.account, _ = sys.getenv(envAccount)
	o.token, _ = sys.getenv(envToken)
	lines := newLogBuffer(sys.stderr)
	defer func() { err = errors.Join(err, lines.Close()) }()
	log := newLog(lines, "text", *logLevel)
	if *withCarrier {
		c := &devCarrier{log: log, hosts: o.hosts}
		defer func() { err = errors.Join(err, c.close()) }()
		o.carrier = c.start
	}
	d, err := newDev(ctx, o, log)
	if err != nil {
		return err
	}
	withdraw, err := announcement(d, o).Announce(o.data)
	if err != nil {
		return errors.Join(fmt.Errorf("cannot use the data folder: %w; choose another with --data", err), d.Close())
	}
	defer func() { err = errors.Join(err, withdraw()) }()
	if o.data != defaultData(sys.getenv) {
		d.World.DataFlag = " --data " + o.data
	}
	d.World.Print(sys.stdout)
	return d.Run(ctx)
}

// newDev opens what the options name, and prepares a server of it.
func newDev(ctx context.Context, o devOptions, log *slog.Logger) (_ *devserver.Server, err error) {
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return nil, fmt.Errorf("cannot use the data folder: %w; choose another with --data", err)
	}
	made := devserver.Options{Log: log, Hosts: append(slices.Clone(o.hosts), o.listen, o.alias), Limits: o.limits, Events: o.events, Seed: o.seed, World: o.world, Environ: o.environ, Account: o.account, Token: o.token, Carrier: o.carrier}
	defer func() {
		if err != nil {
			err = errors.Join(err, made.Close())
		}
	}()
	if o.rules != "" {
		text, err := os.ReadFile(o.rules)
		if err != nil {
			return nil, err
		}
		if made.Rules, err = rules.Parse(text); err != nil {
			return nil, fmt.Errorf("%s: %w", o.rules, err)
		}
	}
	if made.Listener, err = listen(o.listen); err != nil {
		return nil, err
	}
	if made.Authority, err = intercept.OpenAuthority(o.data, time.Now); err != nil {
		return nil, err
	}
	if made.Alias, err = net.Listen("tcp", o.alias); err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with --alias", o.alias, err)
	}
	if o.forget || o.seed != nil {
		made.Place = "memory"
		made.Store, made.Engine, err = devserver.OpenMemory(ctx, log)
	} else {
		made.Data = o.data
		made.Store, made.Engine, made.Place, err = openDev(ctx, o.data, o.database, log)
	}
	if err != nil {
		return nil, err
	}
	return devserver.New(ctx, made)
}

// announcement is what other commands are told.
func announcement(d *devserver.Server, o devOptions) operator.Dev {
	return operator.Dev{
		URL: d.World.URL, AccountSID: d.World.Account, AuthToken: d.World.Token, ServiceSID: d.World.Service,
		TLS: devserver.Reachable(d.Alias.Addr()), Borrowed: o.account != "" || o.token != "",
	}
}

// openDev opens the store of a data folder, or a database that is brought up to date first; place
// names it for people. The key file is in the data folder either way.
func openDev(ctx context.Context, data, database string, log *slog.Logger) (s devserver.Store, e *verify.Engine, place string, err error) {
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
	opened, e, err := openConfigured(ctx, c, log, true, func(verify.Channel) bool { return true })
	switch {
	case errors.Is(err, sqlite.ErrInUse):
		err = fmt.Errorf("another verifyd dev runs on the data folder %s; stop it, or choose another folder with --data and another address with --listen", data)
	case err != nil && database != "":
		err = fmt.Errorf("cannot use the database: %w; choose another with --store", err)
	case err != nil:
		err = fmt.Errorf("cannot use the data folder %s: %w; choose another with --data", data, err)
	}
	if err != nil {
		return nil, nil, place, err
	}
	return opened.(devserver.Store), e, place, nil // both are
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
