package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/verifyd/verifyd/internal/config"
	"github.com/verifyd/verifyd/internal/devserver"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

var (
	_ devserver.Store = (*sqlite.Store)(nil)
	_ devserver.Store = (*postgres.Store)(nil)
)

// openConfigured opens the store and the keys of a configuration.
func openConfigured(ctx context.Context, c config.Config, log *slog.Logger, asServer bool, routed func(verify.Channel) bool) (server.Store, *verify.Engine, error) {
	if c.Postgres() {
		return openPostgres(ctx, c, log, routed)
	}
	path, err := c.SQLitePath()
	if err != nil {
		return nil, nil, err
	}
	return openSQLite(ctx, path, c.KeyPath(), log, asServer, routed)
}

// openSQLite opens a file and its keys, and puts the engine on them.
func openSQLite(ctx context.Context, storePath, keyPath string, log *slog.Logger, asServer bool, routed func(verify.Channel) bool) (server.Store, *verify.Engine, error) {
	keys, err := keyring.LoadOrGenerate(keyPath, rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("key file: %w", err)
	}
	s, err := sqlite.Open(ctx, storePath, sqlite.Options{Server: asServer, Now: time.Now, Log: log})
	if err != nil {
		return nil, nil, err
	}
	return s, verify.NewEngine(s, keys, time.Now, rand.Reader, routed), nil
}

// openPostgres opens a database and the keys that belong to it. A key file is made for a database
// without accounts alone: later it would be a second one, and what one node seals another could
// not open.
func openPostgres(ctx context.Context, c config.Config, log *slog.Logger, routed func(verify.Channel) bool) (_ server.Store, _ *verify.Engine, err error) {
	s, err := postgres.Open(ctx, c.Store, postgres.Options{Log: log})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.StoreName(), err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	var accounts []verify.Account
	if err := s.View(ctx, func(tx verify.Tx) (err error) {
		accounts, err = tx.Accounts()
		return err
	}); err != nil {
		return nil, nil, err
	}
	if _, err := os.Stat(c.KeyPath()); errors.Is(err, fs.ErrNotExist) && len(accounts) > 0 {
		return nil, nil, fmt.Errorf("key file %s is missing, and the database has accounts: copy the key file of the node that made them", c.KeyPath())
	}
	keys, err := keyring.LoadOrGenerate(c.KeyPath(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("key file: %w", err)
	}
	engine := verify.NewEngine(s, keys, s.Now, rand.Reader, routed)
	if len(accounts) > 0 {
		if _, err := engine.Token(&accounts[0]); err != nil {
			return nil, nil, fmt.Errorf("key file %s does not belong to this database: all nodes need the same one: %w", c.KeyPath(), err)
		}
	}
	return s, engine, nil
}
