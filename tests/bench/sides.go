package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
)

// side is a server that takes its turn in every round.
type side struct {
	name string
	base string // the side it is compared with
	// every says that it takes every number of connections, and not the largest alone.
	every bool
	// prepare makes what start needs and must not disturb a leg; nil if there is nothing.
	prepare func(ctx context.Context) error
	// start starts the server. It serves all rounds, unless the side is fresh.
	start func(ctx context.Context, round int) (*child, error)
	// fresh says that it is started anew for every leg; then after looks at what the leg left.
	fresh bool
	after func(ctx context.Context, round int) error
}

// allSides is every side, in the order of a round: most stand beside the one they are compared with.
func (b *bench) allSides() []side {
	var stored, expiring string // services
	return []side{
		{name: "bare", every: true, start: b.startBare},
		{name: "sqlite", base: "bare", every: true, start: func(ctx context.Context, _ int) (*child, error) {
			return withService(ctx)(b.startVerifyd(ctx, b.folder("sqlite")))
		}},
		{name: "limited", base: "sqlite", start: b.startLimited},
		{
			name: "stored", base: "sqlite",
			prepare: func(ctx context.Context) (err error) {
				stored, err = b.history(ctx, b.folder("stored"), b.stored, wasApproved)
				return err
			},
			start: func(ctx context.Context, _ int) (*child, error) {
				return inService(stored)(b.startVerifyd(ctx, b.folder("stored")))
			},
		},
		{
			name: "expiring", base: "sqlite", fresh: true,
			prepare: func(ctx context.Context) (err error) {
				if expiring, err = b.history(ctx, b.dueFolder(0), b.expiring, isDue); err != nil {
					return err
				}
				for round := 1; round < b.rounds; round++ {
					if err := copyFolder(b.dueFolder(round), b.dueFolder(0)); err != nil {
						return err
					}
				}
				return nil
			},
			start: func(ctx context.Context, round int) (*child, error) {
				c, err := inService(expiring)(b.startVerifyd(ctx, b.dueFolder(round)))
				if err == nil {
					c.busy = true
				}
				return c, err
			},
			after: func(ctx context.Context, round int) error {
				share, err := expired(ctx, b.dueFolder(round), expiring, b.expiring)
				b.expired = append(b.expired, share)
				return err
			},
		},
		{name: "postgres", base: "sqlite", every: true, prepare: b.needPostgres, start: func(ctx context.Context, _ int) (*child, error) {
			return b.startOverPostgres(ctx, "postgres", b.database.Address())
		}},
		{name: "delayed", base: "postgres", prepare: b.needPostgres, start: b.startDelayed},
		{name: "express", base: "sqlite", every: true, start: b.startExpress},
	}
}

// coldLeg is the leg of the cold starts, which has no sides.
const coldLeg = "cold"

// usualLegs is all but the peer, which wants software that nothing else of verifyd needs.
const usualLegs = "bare,sqlite,limited,stored,expiring,postgres,delayed," + factorsLeg + "," + smppLeg + "," + lossLeg + "," + attemptsLeg + "," + coldLeg + "," + proxyLeg

// chooseSides are those that are among the legs asked for.
func (b *bench) chooseSides(legs []string) (chosen []side, err error) {
	all := b.allSides()
	known := []string{factorsLeg, smppLeg, lossLeg, attemptsLeg, coldLeg, proxyLeg}
	for _, s := range all {
		known = append(known, s.name)
		if slices.Contains(legs, s.name) {
			chosen = append(chosen, s)
		}
	}
	for _, name := range legs {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no leg %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// folder is the data folder of a side.
func (b *bench) folder(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) dueFolder(round int) string { return b.folder(fmt.Sprint("expiring-", round)) }

// copyFolder copies a data folder. The copy of the key file is for everybody to read at first, and
// verifyd refuses such a one.
func copyFolder(to, from string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return os.Chmod(filepath.Join(to, "verifyd.key"), 0o600)
}

// measureSides runs the rounds. What it started has ended when it returns.
func (b *bench) measureSides(ctx context.Context, sides []side) (results, error) {
	for _, s := range sides {
		if s.prepare != nil {
			b.say("preparing %s", s.name)
			if err := s.prepare(ctx); err != nil {
				return nil, fmt.Errorf("prepare %s: %w", s.name, err)
			}
		}
	}
	syscall.Sync() // what was prepared must not go to the disk while something else is measured

	running := map[string]*child{}
	for _, s := range sides {
		if s.fresh {
			continue
		}
		c, err := s.start(ctx, 0)
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", s.name, err)
		}
		defer c.stop()
		running[s.name] = c
	}
	largest := slices.Max(b.connections)
	for _, s := range sides {
		if c := running[s.name]; c != nil {
			b.say("warming %s up", s.name)
			if _, err := c.measure(ctx, largest, b.warmup); err != nil {
				return nil, err
			}
		}
	}

	found := results{}
	for round := range b.rounds {
		turns := slices.Clone(sides)
		if round%2 == 1 {
			slices.Reverse(turns)
		}
		for _, connections := range b.connections {
			for _, s := range turns {
				if !s.every && connections != largest {
					continue
				}
				l, err := b.turn(ctx, s, running[s.name], round, connections)
				if err != nil {
					return nil, err
				}
				found.add(s.name, connections, l)
				b.say("round %d of %d, %s at %d: %.0f verif/s, p99 %.1f ms", round+1, b.rounds, s.name, connections, l.rate, l.p99)
			}
		}
	}
	return found, nil
}

// freshWarmup is how long a server that is started for one leg is warmed up.
const freshWarmup = time.Second

// turn is one leg of a side. c is nil if the side is fresh.
func (b *bench) turn(ctx context.Context, s side, c *child, round, connections int) (leg, error) {
	if !s.fresh {
		return c.measure(ctx, connections, b.leg)
	}
	c, err := s.start(ctx, round)
	if err != nil {
		return leg{}, fmt.Errorf("start %s: %w", s.name, err)
	}
	l, err := func() (leg, error) {
		defer c.stop()
		if _, err := c.measure(ctx, connections, min(freshWarmup, b.warmup)); err != nil {
			return leg{}, err
		}
		return c.measure(ctx, connections, b.leg)
	}()
	if err != nil {
		return l, err
	}
	return l, s.after(ctx, round)
}

// withService makes the service that the load needs. It takes what a start returns.
func withService(ctx context.Context) func(*child, error) (*child, error) {
	return func(c *child, err error) (*child, error) {
		if err != nil {
			return nil, err
		}
		if err := c.makeService(ctx); err != nil {
			c.stop()
			return nil, err
		}
		return c, nil
	}
}

// inService uses a service that was made before; dev prints the first one.
func inService(service string) func(*child, error) (*child, error) {
	return func(c *child, err error) (*child, error) {
		if err == nil {
			c.service = service
		}
		return c, err
	}
}

// startBare builds the bare server, and starts it.
func (b *bench) startBare(ctx context.Context, _ int) (*child, error) {
	program := b.folder("bare-server")
	if _, err := os.Stat(program); err != nil {
		cmd := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", program, "github.com/verifyd/verifyd/tests/bench/bare")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the bare server: %w\n%s", err, out)
		}
	}
	return start(ctx, &child{name: "bare", log: b.folder("bare.log")}, nil, program)
}

// startVerifyd starts a verifyd dev with its defaults on a data folder.
func (b *bench) startVerifyd(ctx context.Context, data string, more ...string) (*child, error) {
	args := append([]string{"dev", "--listen", "127.0.0.1:0", "--data", data, "--log", "info"}, more...)
	return start(ctx, &child{name: "verifyd on " + filepath.Base(data), log: data + ".log"}, nil, b.binary, args...)
}

// startLimited starts a verifyd whose service has rate limits.
func (b *bench) startLimited(ctx context.Context, _ int) (*child, error) {
	c, err := withService(ctx)(b.startVerifyd(ctx, b.folder("limited")))
	if err != nil {
		return nil, err
	}
	if err := c.makeRateLimits(ctx); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// needPostgres starts the database server, unless it runs. Its settings are PostgreSQL's own; the
// two that make a commit durable are named so that nobody has to look them up.
func (b *bench) needPostgres(context.Context) (err error) {
	if b.database != nil {
		return nil
	}
	if b.database, err = pgtest.Start("fsync=on", "synchronous_commit=on"); err != nil {
		return fmt.Errorf("%w; -legs leaves parts out", err)
	}
	return nil
}

// startOverPostgres starts a verifyd whose store is a database of its own, at an address that leads
// to the database server.
func (b *bench) startOverPostgres(ctx context.Context, name, address string) (*child, error) {
	if _, err := b.database.SQL("postgres", "CREATE DATABASE bench_"+name); err != nil {
		return nil, err
	}
	dsn := strings.Replace(b.database.DSN("bench_"+name), b.database.Address(), address, 1)
	c, err := withService(ctx)(b.startVerifyd(ctx, b.folder(name), "--store", dsn))
	if err == nil {
		c.database = b.database.PID()
	}
	return c, err
}

// startDelayed starts a verifyd that reaches its database over a slower network.
func (b *bench) startDelayed(ctx context.Context, _ int) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	network, err := start(ctx, &child{name: "delay", log: b.folder("delay.log")}, nil, self, "-serve-delay", b.database.Address())
	if err != nil {
		return nil, err
	}
	c, err := b.startOverPostgres(ctx, "delayed", network.address)
	if err != nil {
		network.stop()
		return nil, err
	}
	c.below = []stopper{network}
	return c, nil
}
