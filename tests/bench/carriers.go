package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
)

// The legs of carriers have a verifyd serve, which sends by SMPP to message centres in the process of the
// bench: they take their part of the same cores.
const (
	smppLeg = "smpp"
	lossLeg = "loss"
)

// carriers is what these legs have found; figures that were not measured are NaN.
type carriers struct {
	sms     float64 // a second, over one bind, from the first start to the last message at its end
	rss     float64 // MB, with a carrier that takes all
	rssSlow float64 // and with one that takes one a second
	waiting int     // messages that waited for that one
	loss    lossFigures
}

func noCarriers() carriers {
	nan := math.NaN()
	return carriers{sms: nan, rss: nan, rssSlow: nan, loss: lossFigures{inTime: nan, api: nan, lost: nan}}
}

// lossFigures are those of a carrier that is lost in mid-load.
type lossFigures struct {
	starts  int            // while it was lost
	inTime  float64        // the share of their messages that some carrier had within a second
	late    map[string]int // how many were not, by the way in which it was lost
	slowest float64        // s, of those
	lost    float64        // messages that nobody had in the end
	twice   int            // that arrived more than once
	thrice  int            // more than twice
	doubt   int            // hand-overs of unknown outcome
	api     float64        // p99 of starts while it was lost ÷ while it was well
	back    []float64
}

// center is a carrier's message centre behind a door.
type center struct {
	*smsc.Server
	address string
	door    net.Listener
}

const centerAccount, centerPassword = "bench", "secret"

func newCenter(c smsc.Config) (*center, error) {
	c.Accounts, c.Fates, c.Keep = map[string]string{centerAccount: centerPassword}, map[string]smsc.Fate{}, 10_000_000
	f := &center{Server: smsc.New(c), address: "127.0.0.1:0"}
	return f, f.open()
}

func (f *center) open() (err error) {
	if f.door, err = net.Listen("tcp", f.address); err != nil {
		return err
	}
	f.address = f.door.Addr().String()
	go f.Serve(f.door) // it ends with its listener
	return nil
}

// shut cuts all connections and refuses others.
func (f *center) shut() {
	f.door.Close()
	f.Cut()
}

// startServe starts a verifyd serve whose texts go to message centres, the first one preferred.
func (b *bench) startServe(ctx context.Context, name string, printed io.Writer, centers ...*center) (*child, error) {
	folder := b.folder(name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "verifyd.toml")
	var text, names strings.Builder
	fmt.Fprintf(&text, "listen = \"127.0.0.1:0\"\nstore = \"sqlite:%s/verifyd.db\"\nkey_file = \"%[1]s/verifyd.key\"\n", folder)
	for i, f := range centers {
		host, port, err := net.SplitHostPort(f.address)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&text, "[providers.c%d]\ntype = \"smpp\"\nhost = %q\nport = %s\ntls = \"none\"\nsystem_id = %q\npassword = %q\nfrom = \"Acme\"\n",
			i, host, port, centerAccount, centerPassword)
		fmt.Fprintf(&names, "\"c%d\",", i)
	}
	fmt.Fprintf(&text, "[routes]\nsms = [%s]\n", strings.TrimSuffix(names.String(), ","))
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	account := exec.CommandContext(ctx, b.binary, "account", "create", "--config", config, "--sid", accountSID, "--token-file", "-", "--countries", "all")
	account.Stdin = strings.NewReader(authToken)
	if said, err := account.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make an account: %w\n%s", err, said)
	}
	c := &child{name: "verifyd " + name, log: folder + ".log", printed: printed}
	c, err := withService(ctx)(start(ctx, c, nil, b.binary, "serve", "--config", config))
	if err != nil {
		return nil, err
	}
	for i, f := range centers { // its binds come after its first answers
		if err := waitFor(ctx, f.Changed, func() bool { return f.Counts().Binds > 0 }); err != nil {
			c.stop()
			return nil, c.failed(fmt.Errorf("carrier %d: %w", i, err))
		}
	}
	return c, nil
}

// waitFor waits until something is true of a message centre.
func waitFor(ctx context.Context, changed func() <-chan struct{}, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		next := changed()
		if done() {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return errors.New("waited in vain")
		}
	}
}

// start creates one, for a number never seen before.
func (c *client) start(number int64) error {
	c.form = fmt.Appendf(c.form[:0], "To=%%2B346%08d&Channel=sms", number)
	return c.want(c.create, 201, pending)
}

// measureSMPP measures the pace of one bind, and the memory when its other end takes one a second.
func (b *bench) measureSMPP(ctx context.Context, found *carriers) error {
	connections := b.connections[len(b.connections)-1]
	pour := func(name string, far *center) (c *child, starts int, began time.Time, err error) {
		if c, err = b.startServe(ctx, name, nil, far); err != nil {
			return nil, 0, began, err
		}
		c.call = func(client *client) error { return client.start(nextNumber()) }
		began = time.Now()
		took, _, err := c.load(ctx, connections, b.leg)
		if err != nil {
			err = c.failed(err)
			c.stop()
		}
		return c, len(took), began, err
	}

	var rates []float64
	for round := range b.rounds {
		far, err := newCenter(smsc.Config{})
		if err != nil {
			return err
		}
		c, starts, began, err := pour(fmt.Sprint(smppLeg, "-", round), far)
		if err != nil {
			return err
		}
		err = waitFor(ctx, far.Changed, func() bool { return far.Counts().Accepted >= starts })
		took := time.Since(began).Seconds()
		rss, memory := c.rss()
		c.stop()
		far.Close()
		if err = errors.Join(err, memory); err != nil {
			return c.failed(err)
		}
		rates = append(rates, float64(starts)/took)
		if !(found.rss >= rss) { // true of NaN
			found.rss = rss
		}
		b.say("round %d of %d, %s: %.0f SMS a second over one bind, %.1f MB", round+1, b.rounds, smppLeg, rates[round], rss)
	}
	found.sms = median(rates)

	slow, err := newCenter(smsc.Config{TPS: 1})
	if err != nil {
		return err
	}
	defer slow.Close()
	c, starts, _, err := pour(smppLeg+"-slow", slow)
	if err != nil {
		return err
	}
	defer c.stop()
	found.waiting = starts - slow.Counts().Accepted
	found.rssSlow, err = c.rss()
	b.say("%s: %d messages wait for a carrier that takes one a second, %.1f MB", smppLeg, found.waiting, found.rssSlow)
	return err
}

// lossRate is how many starts a second the leg of the loss has: so many that a carrier's loss is felt, and
// so few that the cores are not what is measured.
const lossRate = 300

// begun is a start.
type begun struct {
	number int64
	at     time.Time
	took   float64 // ms
	lost   string  // how a carrier was lost then, "" if it was well
}

// stream starts verifications at a steady pace until it is stopped.
type stream struct {
	lost atomic.Value // a string: how a carrier is lost, "" while it is well
	stop func() error

	mu  sync.Mutex
	all []begun
}

// stream begins one.
func (c *child) stream(ctx context.Context, connections int) (*stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{}
	s.lost.Store("")
	var group sync.WaitGroup
	var slot atomic.Int64
	origin := time.Now()
	for range connections {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			cancel(err)
			group.Wait()
			return nil, err
		}
		client := newClient(conn, c)
		group.Go(func() {
			defer conn.Close()
			for ctx.Err() == nil {
				due := origin.Add(time.Duration(slot.Add(1)) * time.Second / lossRate)
				at := due // of one that the others kept waiting, or a server that stands still is slow to few
				if early := time.Until(due); early > 0 {
					time.Sleep(early)
					at = time.Now()
				}
				one := begun{number: nextNumber(), at: at, lost: s.lost.Load().(string)}
				if err := client.start(one.number); err != nil {
					cancel(err)
					return
				}
				one.took = time.Since(one.at).Seconds() * 1000
				s.mu.Lock()
				s.all = append(s.all, one)
				s.mu.Unlock()
			}
		})
	}
	stopped := errors.New("stopped")
	s.stop = func() error {
		cancel(stopped)
		group.Wait()
		if err := context.Cause(ctx); err != stopped {
			return err
		}
		return nil
	}
	return s, nil
}

// measureLoss loses a carrier in every way, one after the other, under a steady stream of starts.
func (b *bench) measureLoss(ctx context.Context) (f lossFigures, err error) {
	first, err := newCenter(smsc.Config{})
	if err != nil {
		return f, err
	}
	defer first.Close()
	second, err := newCenter(smsc.Config{})
	if err != nil {
		return f, err
	}
	defer second.Close()
	log, err := os.Create(b.folder(lossLeg + ".out"))
	if err != nil {
		return f, err
	}
	defer log.Close()
	c, err := b.startServe(ctx, lossLeg, log, first, second)
	if err != nil {
		return f, err
	}
	stop := sync.OnceFunc(c.stop)
	defer stop()
	s, err := c.stream(ctx, 16)
	if err != nil {
		return f, err
	}
	pause := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
	pause(b.warmup)
	s.mu.Lock()
	s.all = nil // of the warm-up
	s.mu.Unlock()
	pause(b.leg)
	for _, way := range []struct {
		name      string
		lose, win func()
	}{
		{"cut again and again", func() {
			for range 4 {
				first.Cut()
				pause(b.leg / 4)
			}
		}, func() {}},
		{"refused", func() { first.shut(); pause(b.leg) }, func() { err = first.open() }},
		{"silent", func() { first.Mute(true); pause(b.leg) }, func() { first.Mute(false) }},
		{"throttling", func() { first.Set("", smsc.Fate{Status: smpp.Throttled}); pause(b.leg) }, func() { first.Unset("") }},
	} {
		s.lost.Store(way.name)
		way.lose()
		s.lost.Store("")
		way.win()
		if err != nil {
			break
		}
		was, began := first.Counts().Accepted, time.Now()
		if err = waitFor(ctx, first.Changed, func() bool { return first.Counts().Accepted >= was+lossRate/10 }); err != nil {
			err = fmt.Errorf("it was %s, and does not come back: %w", way.name, err)
			break
		}
		f.back = append(f.back, time.Since(began).Seconds())
		b.say("%s: the carrier was %s, and is back after %.1f s", lossLeg, way.name, f.back[len(f.back)-1])
		pause(b.leg)
	}
	if err = errors.Join(err, s.stop()); err != nil {
		return f, c.failed(err)
	}
	f.count(s.all, first, second)
	for end := time.Now().Add(time.Minute); f.lost > 0 && time.Now().Before(end); {
		pause(time.Second)
		f.count(s.all, first, second)
	}
	stop() // its last lines are out
	lines, err := os.ReadFile(log.Name())
	f.doubt = strings.Count(string(lines), `"outcome":"unknown"`)
	return f, err
}

// count compares what was started with the books of the carriers.
func (f *lossFigures) count(all []begun, centers ...*center) {
	arrived := map[int64][]time.Time{}
	for _, far := range centers {
		for _, m := range far.Messages("") {
			number, err := strconv.ParseInt(strings.TrimPrefix(m.To, "346"), 10, 64)
			if err == nil {
				arrived[number] = append(arrived[number], m.At)
			}
		}
	}
	var well, lost []float64
	f.starts, f.lost, f.twice, f.thrice, f.slowest, f.late = 0, 0, 0, 0, 0, map[string]int{}
	inTime := 0
	for _, one := range all {
		times := arrived[one.number]
		switch len(times) {
		case 0:
			f.lost++
		case 1:
		case 2:
			f.twice++
		default:
			f.thrice++
		}
		if one.lost == "" {
			well = append(well, one.took)
			continue
		}
		lost = append(lost, one.took)
		f.starts++
		if len(times) == 0 {
			continue
		}
		after := slices.MinFunc(times, time.Time.Compare).Sub(one.at).Seconds()
		f.slowest = max(f.slowest, after)
		if after <= 1 {
			inTime++
		} else {
			f.late[one.lost]++
		}
	}
	f.inTime = float64(inTime) / float64(f.starts)
	slices.Sort(well)
	slices.Sort(lost)
	f.api = percentile(lost, 99) / percentile(well, 99)
}

// lateInWords says when those were started that were late, " (2 refused, 10 silent)".
func (f lossFigures) lateInWords() string {
	var parts []string
	for _, way := range slices.Sorted(maps.Keys(f.late)) {
		parts = append(parts, fmt.Sprintf("%d %s", f.late[way], way))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// printCarriers prints what was found of carriers.
func printCarriers(out io.Writer, c carriers) {
	if !math.IsNaN(c.sms) {
		fmt.Fprintf(out, "smpp: %.0f SMS a second over one bind, RSS %.1f MB; %.1f MB while %d messages wait for a carrier that takes one a second\n",
			c.sms, c.rss, c.rssSlow, c.waiting)
	}
	if f := c.loss; !math.IsNaN(f.inTime) {
		fmt.Fprintf(out, "loss: of %d starts while a carrier was lost, %.2f %% were with a carrier within a second, the slowest after %.1f s%s; "+
			"%.0f are lost, %d arrived twice and %d more often, of %d in doubt; it was back after %.0f s at most\n",
			f.starts, 100*f.inTime, f.slowest, f.lateInWords(), f.lost, f.twice, f.thrice, f.doubt, slices.Max(f.back))
	}
}

// goals of carriers.
func (c carriers) goals() []goal {
	return []goal{
		{"SMS a second over one SMPP bind, both ends here", c.sms, 0, "≥", []float64{2000}},
		{"RSS with a carrier that takes one a second ÷ with one that takes all", c.rssSlow / c.rss, 2, "≤", []float64{1.2}},
		{"messages of a lost carrier that another had within a second, share", c.loss.inTime, 4, "≥", []float64{0.99}},
		{"messages lost with a carrier", c.loss.lost, 0, "≤", []float64{0}},
		{"p99 of starts while a carrier is lost ÷ while it is well", c.loss.api, 2, "≤", []float64{1.1}},
	}
}
