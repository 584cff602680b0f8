package verify

import (
	"context"
	"sync"
)

// directory remembers accounts, keys, services, rate limits, templates, messaging configurations, geo
// rules and webhooks as they were last read, because every request needs them and they hardly ever change. An
// entry is good as long as the store's configuration version is the one it was read at, so a change is
// seen by the next request on this node, and on other nodes as soon as their store learns of it.
type directory struct {
	store Store

	mu          sync.RWMutex
	version     uint64 // at which everything below was read
	credentials map[string]credential
	services    map[string]*Service
	rateLimits  map[string][]meteredLimit // by service
	templates   map[string]*Template
	messaging   map[string]map[string]string // by service, then by country
	geographies map[string]Geography         // by account
	webhooks    map[string][]Webhook         // by service
	crowds      map[string]bool              // whether an account has many services
}

type credential struct {
	accountSID string
	hash       []byte
}

// maxDirectory bounds each map; a directory that is full starts anew.
const maxDirectory = 10_000

// credential is the account and the secret's hash of an AC… or SK… user name.
func (d *directory) credential(ctx context.Context, user string) (accountSID string, hash []byte, err error) {
	c, err := recall(ctx, d, &d.credentials, user, func(tx Tx) (credential, error) {
		if len(user) > 2 && user[:2] == "SK" {
			k, err := tx.Key(user)
			if err != nil {
				return credential{}, err
			}
			return credential{k.AccountSID, k.SecretHash}, nil
		}
		a, err := tx.Account(user)
		if err != nil {
			return credential{}, err
		}
		return credential{a.SID, a.TokenHash}, nil
	})
	return c.accountSID, c.hash, err
}

// service is a service of an account. The caller must not change it.
func (d *directory) service(ctx context.Context, accountSID, serviceSID string) (*Service, error) {
	s, err := recall(ctx, d, &d.services, serviceSID, func(tx Tx) (*Service, error) { return tx.Service(serviceSID) })
	if err != nil {
		return nil, err
	}
	if s.AccountSID != accountSID {
		return nil, ErrNotFound
	}
	return s, nil
}

// known is a service of any account, if it is in memory and nothing has changed since. The caller must not
// change it.
func (d *directory) known(serviceSID string) (s *Service, known bool) {
	version := d.store.ConfigVersion()
	d.mu.RLock()
	defer d.mu.RUnlock()
	s, known = d.services[serviceSID]
	return s, known && d.version == version
}

// limits are the rate limits of a service that have buckets. The caller must not change them.
func (d *directory) limits(ctx context.Context, serviceSID string) ([]meteredLimit, error) {
	return recall(ctx, d, &d.rateLimits, serviceSID, func(tx Tx) ([]meteredLimit, error) { return readMeteredLimits(tx, serviceSID) })
}

// template is a template of any account. The caller must not change it.
func (d *directory) template(ctx context.Context, templateSID string) (*Template, error) {
	return recall(ctx, d, &d.templates, templateSID, func(tx Tx) (*Template, error) { return tx.Template(templateSID) })
}

// messagingServices are the messaging services of a service by country. The caller must not change
// them.
func (d *directory) messagingServices(ctx context.Context, serviceSID string) (map[string]string, error) {
	return recall(ctx, d, &d.messaging, serviceSID, func(tx Tx) (map[string]string, error) {
		list, err := tx.MessagingConfigurations(serviceSID, Page{Size: maxCountries})
		byCountry := make(map[string]string, len(list))
		for i := range list {
			byCountry[list[i].Country] = list[i].MessagingServiceSID
		}
		return byCountry, err
	})
}

// geography are the rules of an account, in their order. The caller must not change them.
func (d *directory) geography(ctx context.Context, accountSID string) (Geography, error) {
	return recall(ctx, d, &d.geographies, accountSID, func(tx Tx) (Geography, error) {
		g, err := tx.GeoRules(accountSID)
		Geography(g).sort()
		return g, err
	})
}

// hooks are the webhooks of a service. The caller must not change them.
func (d *directory) hooks(ctx context.Context, serviceSID string) ([]Webhook, error) {
	return recall(ctx, d, &d.webhooks, serviceSID, func(tx Tx) ([]Webhook, error) {
		return tx.Webhooks(serviceSID, Page{Size: maxWebhooks})
	})
}

// moreServices reports whether an account has more services than so many.
func (d *directory) moreServices(ctx context.Context, accountSID string, than int) (bool, error) {
	return recall(ctx, d, &d.crowds, accountSID, func(tx Tx) (bool, error) {
		list, err := tx.Services(accountSID, Page{Size: than + 1})
		return len(list) > than, err
	})
}

// maxCountries is more than there are.
const maxCountries = 1000

// recall is what the directory has in one of its maps, or else what read finds.
func recall[T any](ctx context.Context, d *directory, in *map[string]T, key string, read func(Tx) (T, error)) (T, error) {
	version := d.store.ConfigVersion()
	d.mu.RLock()
	v, known := (*in)[key]
	known = known && d.version == version
	d.mu.RUnlock()
	if known {
		return v, nil
	}
	err := d.store.View(ctx, func(tx Tx) (err error) {
		v, err = read(tx)
		return err
	})
	if err == nil {
		d.remember(version, func() { (*in)[key] = v })
	}
	return v, err
}

// remember adds an entry that was read when the configuration had the given version, unless it
// has changed since.
func (d *directory) remember(version uint64, add func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if version < d.version {
		return
	}
	if version > d.version || d.services == nil ||
		len(d.services)+len(d.credentials)+len(d.rateLimits)+len(d.templates)+len(d.messaging)+len(d.geographies)+len(d.webhooks)+len(d.crowds) > maxDirectory {
		d.version = version
		d.services = map[string]*Service{}
		d.credentials = map[string]credential{}
		d.rateLimits = map[string][]meteredLimit{}
		d.templates = map[string]*Template{}
		d.messaging = map[string]map[string]string{}
		d.geographies = map[string]Geography{}
		d.webhooks = map[string][]Webhook{}
		d.crowds = map[string]bool{}
	}
	add()
}
