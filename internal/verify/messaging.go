package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/sid"
)

// MessagingConfiguration says which messaging service carries a service's text messages to a
// country. A messaging service is a list of providers in the configuration of the server, known
// to clients by its SID.
type MessagingConfiguration struct {
	ServiceSID string
	AccountSID string
	// Country is an ISO 3166-1 alpha-2 code, or AllCountries. It is the key within the service.
	Country             string
	MessagingServiceSID string // MG…
	CreatedAt           time.Time
	UpdatedAt           time.Time
}

// AllCountries stands for every country that has no configuration of its own.
const AllCountries = "all"

// readCountry spells a country as it is kept.
func readCountry(s string) (string, bool) {
	if strings.EqualFold(s, AllCountries) {
		return AllCountries, true
	}
	country := strings.ToUpper(s)
	return country, phone.IsCountry(country)
}

// messagingService checks a SID from outside: one that the server knows no providers for is
// refused, so that a wrong one is found when it is set and not when messages go another way.
func (e *Engine) messagingService(s *string) (string, error) {
	switch {
	case s == nil:
		return "", missing("MessagingServiceSid")
	case !sid.Valid(sid.MessagingService, *s),
		e.Carries != nil && !e.Carries(*s, SMS) && !e.Carries(*s, RCS):
		return "", invalid("MessagingServiceSid")
	}
	return *s, nil
}

// CreateMessagingConfiguration makes the configuration of a country, which must have none (60213).
func (e *Engine) CreateMessagingConfiguration(ctx context.Context, accountSID, serviceSID string, country, messagingServiceSID *string) (*MessagingConfiguration, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	if country == nil {
		return nil, missing("Country")
	}
	code, ok := readCountry(*country)
	if !ok {
		return nil, invalid("Country")
	}
	carrier, err := e.messagingService(messagingServiceSID)
	if err != nil {
		return nil, err
	}
	now := e.Now()
	c := &MessagingConfiguration{
		ServiceSID: s.SID, AccountSID: s.AccountSID, Country: code, MessagingServiceSID: carrier, CreatedAt: now, UpdatedAt: now,
	}
	err = e.Store.Update(ctx, func(tx Tx) error {
		// The service may have been deleted since it was looked up.
		if _, err := ownService(tx, accountSID, serviceSID); err != nil {
			return err
		}
		if _, err := tx.MessagingConfiguration(s.SID, code); vacant(err) != nil {
			return vacant(err)
		}
		tx.PutMessagingConfiguration(c)
		return nil
	})
	if errors.Is(err, ErrExists) {
		return nil, &Error{Code: CodeMessagingExists}
	}
	return c, err
}

// MessagingConfiguration fetches the configuration of a country.
func (e *Engine) MessagingConfiguration(ctx context.Context, accountSID, serviceSID, country string) (*MessagingConfiguration, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var c *MessagingConfiguration
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		c, err = messagingInPath(tx, s, country)
		return err
	})
	return c, err
}

// UpdateMessagingConfiguration gives a country another messaging service.
func (e *Engine) UpdateMessagingConfiguration(ctx context.Context, accountSID, serviceSID, country string, messagingServiceSID *string) (*MessagingConfiguration, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	carrier, err := e.messagingService(messagingServiceSID)
	if err != nil {
		return nil, err
	}
	var c *MessagingConfiguration
	err = e.Store.Update(ctx, func(tx Tx) (err error) {
		if c, err = messagingInPath(tx, s, country); err != nil {
			return err
		}
		c.MessagingServiceSID, c.UpdatedAt = carrier, e.Now()
		tx.PutMessagingConfiguration(c)
		return nil
	})
	return c, err
}

// DeleteMessagingConfiguration removes the configuration of a country.
func (e *Engine) DeleteMessagingConfiguration(ctx context.Context, accountSID, serviceSID, country string) error {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return err
	}
	return e.Store.Update(ctx, func(tx Tx) error {
		c, err := messagingInPath(tx, s, country)
		if err != nil {
			return err
		}
		tx.DeleteMessagingConfiguration(c.ServiceSID, c.Country)
		return nil
	})
}

// MessagingConfigurations lists a service's configurations by country, AllCountries last.
func (e *Engine) MessagingConfigurations(ctx context.Context, accountSID, serviceSID string, page Page) ([]MessagingConfiguration, error) {
	s, err := e.serviceInPath(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, err
	}
	var list []MessagingConfiguration
	err = e.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.MessagingConfigurations(s.SID, page)
		return err
	})
	return list, err
}

func messagingInPath(tx Tx, s *Service, country string) (*MessagingConfiguration, error) {
	code, _ := readCountry(country)
	c, err := tx.MessagingConfiguration(s.SID, code)
	if errors.Is(err, ErrNotFound) {
		return nil, &Error{Code: CodeNotFound}
	}
	return c, err
}

// chooseRoute refuses a channel that nobody carries or that the service has switched off, and
// notes the messaging service that is to carry a text message: that of the country, else that of
// all countries; on WhatsApp that of the service, and its sender. One that the server has no providers
// for, or none any more, counts as none.
func (e *Engine) chooseRoute(ctx context.Context, s *Service, w *wish) error {
	if slices.Contains(s.DisabledChannels, w.channel) {
		return &Error{Code: CodeChannelDisabled}
	}
	if w.channel == WhatsApp {
		if from := s.WhatsApp.From; from != nil {
			n, _ := phone.Parse(strings.TrimPrefix(*from, whatsAppAddress)) // it was valid when it was set
			w.options.From = n.E164()
		}
		if carrier := s.WhatsApp.MessagingServiceSID; carrier != nil && (e.Carries == nil || e.Carries(*carrier, WhatsApp)) {
			w.options.MessagingServiceSID = *carrier
			return nil
		}
	}
	if w.channel == SMS || w.channel == RCS {
		byCountry, err := e.directory.messagingServices(ctx, s.SID)
		if err != nil {
			return err
		}
		for _, country := range [...]string{w.country, AllCountries} {
			carrier, configured := byCountry[country]
			if configured && (e.Carries == nil || e.Carries(carrier, w.channel)) {
				w.options.MessagingServiceSID = carrier
				return nil
			}
		}
	}
	if !e.Routed(w.channel) {
		refusal := channelRules[w.channel].unavailable
		return &refusal
	}
	return nil
}
