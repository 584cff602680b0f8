package verify

import (
	"context"
	"sync"
)

// directory remembers accounts, keys, services and geo rules as they were last read, because every request
// needs them and they hardly ever change. An entry is good as long as the store's configuration
// version is the one it was read at, so a change is seen by the next request on this node, and on
// other nodes as soon as their store learns of it.
type directory struct {
	store Store

	mu          sync.RWMutex
	version     uint64 // at which everything below was read
	credentials map[string]credential
	services    map[string]*Service
	geographies map[string]Geography // by account
}

type credential struct {
	accountSID string
	hash       []byte
}

// maxDirectory bounds each map; a directory that is full starts anew.
const maxDirectory = 10_000

// credential is the account and the secret's hash of an AC… or SK… user name.
func (d *directory) credential(ctx context.Context, user string) (accountSID string, hash []byte, err error) {
	version := d.store.ConfigVersion()
	d.mu.RLock()
	c, known := d.credentials[user]
	known = known && d.version == version
	d.mu.RUnlock()
	if known {
		return c.accountSID, c.hash, nil
	}
	err = d.store.View(ctx, func(tx Tx) error {
		if len(user) > 2 && user[:2] == "SK" {
			k, err := tx.Key(user)
			if err != nil {
				return err
			}
			c = credential{k.AccountSID, k.SecretHash}
			return nil
		}
		a, err := tx.Account(user)
		if err != nil {
			return err
		}
		c = credential{a.SID, a.TokenHash}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	d.remember(version, func() { d.credentials[user] = c })
	return c.accountSID, c.hash, nil
}

// service is a service of an account. The caller must not change it.
func (d *directory) service(ctx context.Context, accountSID, serviceSID string) (*Service, error) {
	version := d.store.ConfigVersion()
	d.mu.RLock()
	s, known := d.services[serviceSID]
	known = known && d.version == version
	d.mu.RUnlock()
	if !known {
		err := d.store.View(ctx, func(tx Tx) (err error) {
			s, err = tx.Service(serviceSID)
			return err
		})
		if err != nil {
			return nil, err
		}
		d.remember(version, func() { d.services[serviceSID] = s })
	}
	if s.AccountSID != accountSID {
		return nil, ErrNotFound
	}
	return s, nil
}

// geography are the rules of an account. The caller must not change them.
func (d *directory) geography(ctx context.Context, accountSID string) (Geography, error) {
	version := d.store.ConfigVersion()
	d.mu.RLock()
	g, known := d.geographies[accountSID]
	known = known && d.version == version
	d.mu.RUnlock()
	if known {
		return g, nil
	}
	err := d.store.View(ctx, func(tx Tx) error {
		rules, err := tx.GeoRules(accountSID)
		g = rules
		return err
	})
	if err != nil {
		return nil, err
	}
	g.sort()
	d.remember(version, func() { d.geographies[accountSID] = g })
	return g, nil
}

// remember adds an entry that was read when the configuration had the given version, unless it
// has changed since.
func (d *directory) remember(version uint64, add func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if version < d.version {
		return
	}
	if version > d.version || d.services == nil || len(d.services)+len(d.credentials)+len(d.geographies) > maxDirectory {
		d.version = version
		d.services = map[string]*Service{}
		d.credentials = map[string]credential{}
		d.geographies = map[string]Geography{}
	}
	add()
}
