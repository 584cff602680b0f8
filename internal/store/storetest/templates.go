package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

func template(n int) *verify.Template {
	var p verify.Template
	fill(&p, n)
	p.SID, p.AccountSID = numbered("HJ", n), accountSID
	return &p
}

// service1 is the SID of service(1), to which the messaging configurations belong.
var service1 = numbered("VA", 1)

func messaging(country string) *verify.MessagingConfiguration {
	var c verify.MessagingConfiguration
	fill(&c, 1)
	c.ServiceSID, c.AccountSID, c.Country = service1, accountSID, country
	return &c
}

func templatesComeBack(t *testing.T, s Store) {
	putAccount(t, s)
	want := template(1)
	update(t, s, func(tx verify.Tx) { tx.PutTemplate(want) })
	read := func(tx verify.Tx) (*verify.Template, error) { return tx.Template(want.SID) }
	if diff := cmp.Diff(want, mustView(t, s, read)); diff != "" {
		t.Errorf("template:\n%s", diff)
	}
	want.Name, want.UpdatedAt, want.TemplateContent = "another", noon.Add(time.Hour), verify.TemplateContent{Default: "en"}
	update(t, s, func(tx verify.Tx) { tx.PutTemplate(want) })
	if diff := cmp.Diff(want, mustView(t, s, read)); diff != "" {
		t.Errorf("template after a change:\n%s", diff)
	}
	update(t, s, func(tx verify.Tx) { tx.DeleteTemplate(want.SID) })
	if _, err := view(t, s, read); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("a deleted template: %v, want ErrNotFound", err)
	}
}

func templatesAreListed(t *testing.T, s Store) {
	putAccount(t, s)
	other := account()
	other.SID = "AC00000000000000000000000000000002"
	update(t, s, func(tx verify.Tx) {
		tx.PutAccount(other)
		for n := 1; n <= 5; n++ {
			tx.PutTemplate(template(n))
		}
		foreign := template(6)
		foreign.AccountSID, foreign.Name = other.SID, template(1).Name
		tx.PutTemplate(foreign)
	})
	for _, c := range []struct {
		name string
		page verify.Page
		want []int
	}{
		{"", verify.Page{Size: 10}, []int{5, 4, 3, 2, 1}},
		{"", verify.Page{Size: 2, After: numbered("HJ", 4)}, []int{3, 2}},
		{"", verify.Page{Size: 2, Skip: 4}, []int{1}},
		{template(1).Name, verify.Page{Size: 10}, []int{1}},
		{"nobody", verify.Page{Size: 10}, nil},
	} {
		list := mustView(t, s, func(tx verify.Tx) ([]verify.Template, error) { return tx.Templates(accountSID, c.name, c.page) })
		if diff := cmp.Diff(allNumbered("HJ", c.want), each(list, func(p verify.Template) string { return p.SID })); diff != "" {
			t.Errorf("templates named %q, page %+v:\n%s", c.name, c.page, diff)
		}
	}
}

func templateNames(t *testing.T, s Store) {
	putAccount(t, s)
	update(t, s, func(tx verify.Tx) { tx.PutTemplate(template(1)) })
	twin := template(2)
	twin.Name = template(1).Name
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.PutTemplate(twin)
		return nil
	})
	if !errors.Is(err, verify.ErrExists) {
		t.Errorf("a second template of that name: %v, want ErrExists", err)
	}
}

// putService makes what a messaging configuration belongs to.
func putService(t *testing.T, s Store) {
	t.Helper()
	putAccount(t, s)
	update(t, s, func(tx verify.Tx) { tx.PutService(service(1)) })
}

func messagingComesBack(t *testing.T, s Store) {
	putService(t, s)
	want := messaging("ES")
	update(t, s, func(tx verify.Tx) { tx.PutMessagingConfiguration(want) })
	read := func(tx verify.Tx) (*verify.MessagingConfiguration, error) {
		return tx.MessagingConfiguration(service1, "ES")
	}
	if diff := cmp.Diff(want, mustView(t, s, read)); diff != "" {
		t.Errorf("messaging configuration:\n%s", diff)
	}
	want.MessagingServiceSID, want.UpdatedAt = numbered("MG", 2), noon.Add(time.Hour)
	update(t, s, func(tx verify.Tx) { tx.PutMessagingConfiguration(want) })
	if diff := cmp.Diff(want, mustView(t, s, read)); diff != "" {
		t.Errorf("messaging configuration after a change:\n%s", diff)
	}
	update(t, s, func(tx verify.Tx) { tx.DeleteMessagingConfiguration(service1, "ES") })
	if _, err := view(t, s, read); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("a deleted messaging configuration: %v, want ErrNotFound", err)
	}
}

func messagingIsListed(t *testing.T, s Store) {
	putService(t, s)
	update(t, s, func(tx verify.Tx) {
		tx.PutService(service(2))
		for _, country := range []string{"US", "all", "CA", "ES"} {
			tx.PutMessagingConfiguration(messaging(country))
		}
		foreign := messaging("AD")
		foreign.ServiceSID = numbered("VA", 2)
		tx.PutMessagingConfiguration(foreign)
	})
	for _, c := range []struct {
		page verify.Page
		want []string
	}{
		{verify.Page{Size: 10}, []string{"CA", "ES", "US", "all"}},
		{verify.Page{Size: 2, After: "CA"}, []string{"ES", "US"}},
		{verify.Page{Size: 2, Skip: 3}, []string{"all"}},
		{verify.Page{Size: 2, After: "all"}, nil},
	} {
		list := mustView(t, s, func(tx verify.Tx) ([]verify.MessagingConfiguration, error) {
			return tx.MessagingConfigurations(service1, c.page)
		})
		if diff := cmp.Diff(c.want, each(list, func(c verify.MessagingConfiguration) string { return c.Country })); diff != "" {
			t.Errorf("page %+v:\n%s", c.page, diff)
		}
	}
}

func messagingOfDeletedService(t *testing.T, s Store) {
	putService(t, s)
	update(t, s, func(tx verify.Tx) { tx.PutMessagingConfiguration(messaging("ES")) })
	update(t, s, func(tx verify.Tx) { tx.DeleteService(service1) })
	_, err := view(t, s, func(tx verify.Tx) (*verify.MessagingConfiguration, error) {
		return tx.MessagingConfiguration(service1, "ES")
	})
	if !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("messaging configuration of a deleted service: %v, want ErrNotFound", err)
	}
}
