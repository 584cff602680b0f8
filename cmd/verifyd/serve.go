package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/verifyd/verifyd/internal/config"
	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/lookup"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/internal/webhook"
	"github.com/verifyd/verifyd/provider"
)

// configFlags adds the flag that every command of a production installation has.
func configFlags(name string) (*flag.FlagSet, *string) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	return flags, flags.String("config", "verifyd.toml", "the configuration `file`")
}

func runServe(ctx context.Context, args []string, sys system) (err error) {
	flags, path := configFlags("serve")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	c, err := config.Load(*path, sys.getenv)
	if err != nil {
		return err
	}
	lines := newLogBuffer(sys.stdout)
	defer func() { err = errors.Join(err, lines.Close()) }()
	log := newLog(lines, c.Log.Format, c.Log.Level)
	back := &server.WayBack{}
	built, err := buildProviders(c, log, back)
	if err != nil {
		return err
	}
	routes := routesOf(channelsOf(c.Routes), built)
	s := &server.Server{
		Log: log, WayBack: back, Providers: built, Routes: routes, Messaging: delivery.MessagingServices{}, PublicURL: c.PublicURL,
		Budget: delivery.Budget{MaxSends: c.Delivery.MaxSends, Deadline: time.Duration(c.Delivery.Deadline)},
	}
	if s.TPS, err = paces(c); err != nil {
		return err
	}
	for sid, table := range c.MessagingServices {
		s.Messaging[sid] = routesOf(table, built)
	}
	s.Push = pushRoutesOf(c, built)
	if s.TLS, err = loadTLS(c.TLS, log); err != nil {
		return err
	}
	announced, err := announcedTo(c.Events)
	if err != nil {
		return err
	}
	if s.Store, s.Engine, err = openConfigured(ctx, c, log, true, routes.Routed); err != nil {
		return err
	}
	s.Engine.Retention = verify.Retention{Records: time.Duration(c.Retention), Payments: time.Duration(c.PaymentRetention)}
	s.Engine.Carries = s.Messaging.Carry
	s.Engine.Brandless = func(country string) bool { return slices.Contains(c.BrandlessCountries, country) }
	if c.Lookup.URL != "" {
		s.Engine.Lines = lookup.New(c.Lookup.URL, c.Lookup.Secret, providerClient(), time.Now, log)
	}
	s.Webhooks = c.Webhooks.Allow
	s.Engine.RefuseWrongCodes = c.RefuseWrongCodes
	s.Engine.JSONWebhooks = c.Webhooks.Format == "json"
	if c.Events.URL != "" {
		key, err := c.Events.Key()
		if err != nil {
			return errors.Join(err, s.Store.Close())
		}
		client := providerClient()
		client.Timeout = webhook.CallTimeout
		s.Sink = webhook.Sink{URL: c.Events.URL, Key: key, Client: client}
		s.Engine.Announced = announced
	}
	if s.Listener, err = listen(c.Listen); err != nil {
		return errors.Join(err, s.Store.Close())
	}
	if c.BuiltInLimits {
		s.Engine.Limits = verify.BuiltIn()
	} else {
		log.Warn("the built-in limits are turned off: who may start verifications can guess codes in the end")
	}
	scheme := "http"
	if s.TLS != nil {
		scheme = "https"
	}
	log.Info("serving", "url", scheme+"://"+s.Listener.Addr().String(), "store", c.StoreName(),
		"channels", slices.Sorted(maps.Keys(c.Routes)))
	return s.Run(ctx)
}

// announcedTo is what the sink of a configuration is told of.
func announcedTo(c config.Events) (verify.Subscription, error) {
	types := c.Types
	if types == nil {
		types = verify.UsualEvents()
	}
	announced, err := verify.Subscribe(types)
	if err != nil {
		return nil, fmt.Errorf("events.types: %w", err)
	}
	return announced, nil
}

// listen opens the address, and says what to do where that fails.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; choose another address with --listen, for example --listen 127.0.0.1:0", address)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

// buildProviders makes every provider that a route names, and those that none names, so that a
// mistake in any table is found now.
func buildProviders(c config.Config, log *slog.Logger, back *server.WayBack) (map[string]provider.Provider, error) {
	built := map[string]provider.Provider{}
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		p, err := buildProvider(c, name, log, back)
		if err != nil {
			return nil, err
		}
		built[name] = p
	}
	return built, nil
}

func buildProvider(c config.Config, name string, log *slog.Logger, back *server.WayBack) (provider.Provider, error) {
	kind, settings, err := c.Provider(name)
	if err != nil {
		return nil, fmt.Errorf("providers.%s: %w", name, err)
	}
	build, known := providers[kind]
	if !known {
		return nil, fmt.Errorf("providers.%s.type: %q is none of %s", name, kind, strings.Join(slices.Sorted(maps.Keys(providers)), ", "))
	}
	p, err := build(settings, provider.Deps{
		Log: log.With("provider", name), HTTP: providerClient(), Now: time.Now,
		Report:    func(ctx context.Context, r provider.Report) error { return back.Report(ctx, name, r) },
		ReportURL: func() string { return back.ReportURL(name) },
	})
	if err != nil {
		return nil, fmt.Errorf("providers.%s: %w", name, err)
	}
	return p, nil
}

// routesOf puts providers in the place of their names.
func routesOf(table config.Routes, built map[string]provider.Provider) delivery.Routes {
	routes := delivery.Routes{}
	for channel, list := range table {
		byCountry := delivery.ByCountry{}
		for _, route := range list {
			for _, country := range route.Countries {
				byCountry[country] = waysOf(route, built)
			}
		}
		routes[verify.Channel(channel)] = byCountry
	}
	return routes
}

func waysOf(route config.Route, built map[string]provider.Provider) (ways []delivery.Route) {
	for _, way := range route.Ways {
		ways = append(ways, delivery.Route{
			Name: way.Provider, Provider: built[way.Provider], From: way.From, Weight: way.Weight, Regulatory: regulatoryOf(way),
			Hedge: time.Duration(route.Hedge),
		})
	}
	return ways
}

func regulatoryOf(way config.Way) *provider.Regulatory {
	if way.DLTEntity == "" && way.DLTTemplate == "" {
		return nil
	}
	return &provider.Regulatory{DLTEntity: way.DLTEntity, DLTTemplate: way.DLTTemplate}
}

// platforms are the keys of the routes that are no channels: whoever carries notifications to handsets.
var platforms = []factor.Platform{factor.FCM, factor.APN}

// channelsOf are the routes of channels.
func channelsOf(table config.Routes) config.Routes {
	channels := maps.Clone(table)
	for _, p := range platforms {
		delete(channels, string(p))
	}
	return channels
}

// pushRoutesOf are the routes of notifications, which have no countries.
func pushRoutesOf(c config.Config, built map[string]provider.Provider) delivery.PushRoutes {
	routes := delivery.PushRoutes{Credentials: map[string][]delivery.Route{}, Platforms: map[factor.Platform][]delivery.Route{}}
	for sid, name := range c.PushCredentials {
		routes.Credentials[sid] = []delivery.Route{{Name: name, Provider: built[name]}}
	}
	for _, p := range platforms {
		for _, route := range c.Routes[string(p)] {
			routes.Platforms[p] = waysOf(route, built)
		}
	}
	return routes
}

// paces are the messages a second that providers take, of those that have a limit.
func paces(c config.Config) (map[string]float64, error) {
	tps := map[string]float64{}
	for name := range c.Providers {
		n, err := c.TPS(name)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			tps[name] = n
		}
	}
	return tps, nil
}

// maxAnswerHeader is what httpsend says of answers; net/http would take a hundred times as much, for
// each of the messages that are under way.
const maxAnswerHeader = 64 << 10

// providerClient is the HTTP client that a provider is lent: its own connections, and no redirect
// is followed, because a message with a code in it goes nowhere else.
func providerClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = server.ParallelSends
	transport.TLSHandshakeTimeout = 3 * time.Second
	transport.ResponseHeaderTimeout = 8 * time.Second
	transport.MaxResponseHeaderBytes = maxAnswerHeader
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// loadTLS reads the certificate; the files are read again when they change, so that a renewed one
// is taken up without a restart.
func loadTLS(c config.TLS, log *slog.Logger) (*tls.Config, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	files := &certificateFiles{cert: c.CertFile, key: c.KeyFile, log: log}
	if _, err := files.get(nil); err != nil {
		return nil, fmt.Errorf("certificate %s: %w", c.CertFile, err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get, NextProtos: []string{"h2", "http/1.1"}}, nil
}

func runAccountCreate(ctx context.Context, args []string, sys system) error {
	flags, path := configFlags("account create")
	name := flags.String("name", "", "a `name` for people")
	accountSID := flags.String("sid", "", "take this `SID` instead of a new one, to move from Twilio without a change")
	countries := flags.String("countries", "", "the `countries` that messages may go to, as ISO 3166-1 codes: ES,FR; or all. verifyd geo changes them later")
	tokenFile := flags.String("token-file", "", "read the auth token from this `file` instead of making one; - is standard input")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	if *countries == "" {
		return errors.New("say where messages may go: --countries ES,FR or --countries all; a stolen key sends to the dearest country it can")
	}
	token, err := readToken(*tokenFile, sys)
	if err != nil {
		return err
	}
	return withEngine(ctx, *path, sys, func(e *verify.Engine) error {
		a, token, err := e.CreateAccount(ctx, *name, *accountSID, token, commaList(*countries)...)
		if errors.Is(err, verify.ErrExists) {
			return fmt.Errorf("account %s exists already", *accountSID)
		}
		if err != nil {
			return geoMistake(err, "")
		}
		_, err = fmt.Fprintf(sys.stdout, "account SID  %s\nauth token   %s\n", a.SID, token)
		return err
	})
}

func readToken(path string, sys system) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := readInput(path, sys)
	if err != nil {
		return "", fmt.Errorf("read the auth token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	return token, verify.CheckToken(token)
}

// readInput reads a file, or standard input if it is called "-".
func readInput(path string, sys system) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(sys.stdin)
	}
	return os.ReadFile(path)
}

func runAccountList(ctx context.Context, args []string, sys system) error {
	flags, path := configFlags("account list")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	return withEngine(ctx, *path, sys, func(e *verify.Engine) error {
		accounts, err := e.Accounts(ctx)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			fmt.Fprintf(sys.stdout, "%s  %s  %s\n", a.SID, a.CreatedAt.Format(time.DateTime), a.Name)
		}
		return nil
	})
}

func runKeyCreate(ctx context.Context, args []string, sys system) error {
	flags := newStoreFlags("key create")
	name := flags.String("name", "", "a `name` for people")
	if err := parse(flags.FlagSet, args, sys); err != nil {
		return err
	}
	return flags.run(ctx, sys, func(e *verify.Engine, owner string) error {
		k, secret, err := e.CreateKey(ctx, owner, *name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sys.stdout, "account SID  %s\nkey SID      %s\nsecret       %s\n", k.AccountSID, k.SID, secret)
		return err
	})
}

// theAccount is the account that a command is about: the one that is named, or the only one.
func theAccount(ctx context.Context, e *verify.Engine, named string) (string, error) {
	accounts, err := e.Accounts(ctx)
	switch {
	case err != nil:
		return "", err
	case named == "" && len(accounts) == 1:
		return accounts[0].SID, nil
	case named == "":
		return "", fmt.Errorf("there are %d accounts: name one with --account; verifyd account list shows them", len(accounts))
	case !slices.ContainsFunc(accounts, func(a verify.Account) bool { return a.SID == named }):
		return "", fmt.Errorf("there is no account %s; verifyd account list shows them", named)
	default:
		return named, nil
	}
}

// storeFlags are the flags of commands that open the store of one account.
type storeFlags struct {
	*flag.FlagSet
	config, data, account *string
}

func newStoreFlags(name string) storeFlags {
	flags, config := configFlags(name)
	account := flags.String("account", "", "the `SID` of the account; may be left out if there is one account only")
	return storeFlags{flags, config, dataFlag(flags), account}
}

// run runs fn on the store and the account that the flags name.
func (f storeFlags) run(ctx context.Context, sys system, fn func(e *verify.Engine, account string) error) error {
	return withData(ctx, *f.data, *f.config, sys, func(e *verify.Engine) error {
		account, err := theAccount(ctx, e, *f.account)
		if err != nil {
			return err
		}
		return fn(e, account)
	})
}

// withEngine runs fn on the engine of a configuration, beside a server that may be running.
func withEngine(ctx context.Context, configPath string, sys system, fn func(*verify.Engine) error) error {
	c, err := config.Load(configPath, sys.getenv)
	if err != nil {
		return err
	}
	return withConfigured(ctx, c, sys, fn)
}

// withData is withEngine of a data folder of verifyd dev, or of a configuration if there is none.
func withData(ctx context.Context, data, configPath string, sys system, fn func(*verify.Engine) error) error {
	if data == "" {
		return withEngine(ctx, configPath, sys, fn)
	}
	if _, err := os.Stat(filepath.Join(data, devStore)); err != nil {
		return fmt.Errorf("%s is no data folder of verifyd dev: %w", data, err)
	}
	return withConfigured(ctx, devConfig(data), sys, fn)
}

func dataFlag(flags *flag.FlagSet) *string {
	return flags.String("data", "", "the data `folder` of a verifyd dev, instead of a configuration")
}

// withConfigured is withEngine of a configuration that was read.
func withConfigured(ctx context.Context, c config.Config, sys system, fn func(*verify.Engine) error) error {
	nobody := func(verify.Channel) bool { return false }
	store, engine, err := openConfigured(ctx, c, newLog(sys.stderr, "text", "warn"), false, nobody)
	if err != nil {
		return err
	}
	return errors.Join(fn(engine), store.Close())
}
