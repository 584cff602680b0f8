package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

const (
	accountSID = "AC00000000000000000000000000000001"
	serviceSID = "VA00000000000000000000000000000001"
)

// numbered is the n-th SID of a kind; higher numbers are newer.
func numbered(prefix string, n int) string { return fmt.Sprintf("%s%016x%016x", prefix, n, n) }

// fill sets every field of the struct that p points to, however deep, to something that is not
// its zero value, so that a forgotten column cannot go unnoticed.
func fill(p any, seed int) {
	fillValue(reflect.ValueOf(p).Elem(), &seed)
}

func fillValue(v reflect.Value, seed *int) {
	*seed++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(noon.Add(time.Duration(*seed) * time.Second)))
		return
	case time.Duration:
		v.SetInt(int64(time.Duration(*seed) * time.Second))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *seed))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*seed))
	case reflect.Uint32:
		v.SetUint(uint64(*seed))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), seed)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(fmt.Append(nil, "bytes ", *seed))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillValue(v.Index(0), seed)
		fillValue(v.Index(1), seed)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fillValue(key, seed)
			fillValue(value, seed)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), seed)
		}
	default:
		panic("storetest cannot fill a " + v.Type().String())
	}
}

func account() *verify.Account {
	var a verify.Account
	fill(&a, 1)
	a.SID = accountSID
	return &a
}

func service(n int) *verify.Service {
	var s verify.Service
	fill(&s, n)
	s.SID, s.AccountSID = numbered("VA", n), accountSID
	return &s
}

func verification(n int) *verify.Verification {
	var v verify.Verification
	fill(&v, n)
	v.SID, v.AccountSID, v.ServiceSID = numbered("VE", n), accountSID, serviceSID
	v.HeldUntil = noon
	v.Status, v.Channel = verify.Pending, verify.SMS
	for i := range v.Sends {
		v.Sends[i].Channel = verify.Call
		v.Sends[i].AttemptSID = numbered("VL", i+1)
	}
	return &v
}

func putAccount(t *testing.T, s Store) {
	t.Helper()
	update(t, s, func(tx verify.Tx) { tx.PutAccount(account()) })
}

func accountsAndKeys(t *testing.T, s Store) {
	a := account()
	var k verify.Key
	fill(&k, 100)
	k.SID, k.AccountSID = numbered("SK", 1), a.SID
	update(t, s, func(tx verify.Tx) {
		tx.PutAccount(a)
		tx.PutKey(&k)
	})
	got := mustView(t, s, func(tx verify.Tx) (*verify.Account, error) { return tx.Account(a.SID) })
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("account:\n%s", diff)
	}
	gotKey := mustView(t, s, func(tx verify.Tx) (*verify.Key, error) { return tx.Key(k.SID) })
	if diff := cmp.Diff(&k, gotKey); diff != "" {
		t.Errorf("key:\n%s", diff)
	}
	a.Name, a.TokenHash, a.TokenSealed = "another", []byte("hash"), []byte("sealed")
	update(t, s, func(tx verify.Tx) { tx.PutAccount(a) })
	all := mustView(t, s, func(tx verify.Tx) ([]verify.Account, error) { return tx.Accounts() })
	if diff := cmp.Diff([]verify.Account{*a}, all); diff != "" {
		t.Errorf("accounts after a change:\n%s", diff)
	}
}

func servicesComeBack(t *testing.T, s Store) {
	putAccount(t, s)
	want := service(1)
	update(t, s, func(tx verify.Tx) { tx.PutService(want) })
	read := func(tx verify.Tx) (*verify.Service, error) { return tx.Service(want.SID) }
	if diff := cmp.Diff(want, mustView(t, s, read)); diff != "" {
		t.Errorf("service:\n%s", diff)
	}
	want.ServiceSettings = verify.ServiceSettings{FriendlyName: "bare"}
	want.UpdatedAt = noon.Add(time.Hour)
	update(t, s, func(tx verify.Tx) { tx.PutService(want) })
	if diff := cmp.Diff(want, mustView(t, s, read)); diff != "" {
		t.Errorf("service after a change:\n%s", diff)
	}
}

func servicesAreListed(t *testing.T, s Store) {
	putAccount(t, s)
	other := account()
	other.SID = "AC00000000000000000000000000000002"
	update(t, s, func(tx verify.Tx) {
		tx.PutAccount(other)
		for n := 1; n <= 5; n++ {
			tx.PutService(service(n))
		}
		foreign := service(6)
		foreign.AccountSID = other.SID
		tx.PutService(foreign)
	})
	for _, c := range []struct {
		page verify.Page
		want []int
	}{
		{verify.Page{Size: 10}, []int{5, 4, 3, 2, 1}},
		{verify.Page{Size: 2}, []int{5, 4}},
		{verify.Page{Size: 2, After: numbered("VA", 4)}, []int{3, 2}},
		{verify.Page{Size: 2, Skip: 4}, []int{1}},
		{verify.Page{Size: 2, After: numbered("VA", 1)}, nil},
	} {
		list := mustView(t, s, func(tx verify.Tx) ([]verify.Service, error) { return tx.Services(accountSID, c.page) })
		if diff := cmp.Diff(allNumbered("VA", c.want), each(list, func(s verify.Service) string { return s.SID })); diff != "" {
			t.Errorf("page %+v:\n%s", c.page, diff)
		}
	}
}

// allNumbered are the SIDs with these numbers.
func allNumbered(prefix string, numbers []int) []string {
	return each(numbers, func(n int) string { return numbered(prefix, n) })
}

// each is what key says of every record of a list, nil if there is none.
func each[T any](list []T, key func(T) string) (keys []string) {
	for _, record := range list {
		keys = append(keys, key(record))
	}
	return keys
}

func deletedService(t *testing.T, s Store) {
	putAccount(t, s)
	v, approved := verification(1), verification(2)
	approved.Status = verify.Approved
	update(t, s, func(tx verify.Tx) {
		tx.PutService(service(1))
		tx.AddVerification(v)
		tx.AddVerification(approved)
	})
	update(t, s, func(tx verify.Tx) { tx.DeleteService(serviceSID) })
	if _, err := view(t, s, func(tx verify.Tx) (*verify.Service, error) { return tx.Service(serviceSID) }); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the service is still there: %v", err)
	}
	for sid, status := range map[string]verify.Status{v.SID: verify.Canceled, approved.SID: verify.Approved} {
		got := mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(sid) })
		if got.Status != status || got.Current || got.CodeMAC != nil || got.CodeSealed != nil {
			t.Errorf("verification: status %s, current %v, MAC %q, seal %q; want %s without a code", got.Status, got.Current, got.CodeMAC, got.CodeSealed, status)
		}
	}
}

func verificationsComeBack(t *testing.T, s Store) {
	want := verification(1)
	update(t, s, func(tx verify.Tx) { tx.AddVerification(want) })
	got := mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(want.SID) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by SID:\n%s", diff)
	}
	got = mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) {
		return tx.CurrentVerification(want.ServiceSID, want.Recipient)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by recipient:\n%s", diff)
	}
	got = mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.PeekVerification(want.SID) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("at a look:\n%s", diff)
	}
	bare := verification(50)
	bare.History, bare.HeldUntil = verify.History{}, time.Time{}
	bare.Sends, bare.CodeMAC, bare.CodeSealed, bare.Amount, bare.Payee, bare.Current = nil, nil, nil, "", "", false
	update(t, s, func(tx verify.Tx) { tx.AddVerification(bare) })
	got = mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(bare.SID) })
	if diff := cmp.Diff(bare, got); diff != "" {
		t.Errorf("with nothing in it that may be missing:\n%s", diff)
	}
}

func verificationsChange(t *testing.T, s Store) {
	v := verification(1)
	update(t, s, func(tx verify.Tx) { tx.AddVerification(v) })
	v.Send(verify.Email, numbered("VL", 9), noon.Add(time.Hour))
	v.Checks++
	v.Approve(v.CreatedAt)
	v.Forget()
	update(t, s, func(tx verify.Tx) { tx.PutVerification(v) })
	got := mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(v.SID) })
	if diff := cmp.Diff(v, got); diff != "" {
		t.Error(diff)
	}
}

func attemptsComeBack(t *testing.T, s Store) {
	var a verify.Attempt
	fill(&a, 1)
	a.SID = numbered("VL", 1)
	update(t, s, func(tx verify.Tx) { tx.AddAttempt(&a) })
	read := func(tx verify.Tx) (*verify.Attempt, error) { return tx.Attempt(a.SID) }
	if diff := cmp.Diff(&a, mustView(t, s, read)); diff != "" {
		t.Errorf("attempt:\n%s", diff)
	}
	look := func(tx verify.Tx) (*verify.Attempt, error) { return tx.PeekAttempt(a.SID) }
	if diff := cmp.Diff(&a, mustView(t, s, look)); diff != "" {
		t.Errorf("attempt, at a look:\n%s", diff)
	}
	a.UpdatedAt, a.State, a.Route, a.HandOvers = noon.Add(time.Hour), verify.AttemptSent, 7, 8
	a.Provider, a.ProviderID, a.ErrorCode, a.ErrorClass = "mail", "id", "", ""
	a.Price, a.Currency, a.MCC, a.MNC = "0.04", "EUR", "214", "07"
	a.Story, a.ReportKey = "[]", "mail/id"
	update(t, s, func(tx verify.Tx) { tx.PutAttempt(&a) })
	if diff := cmp.Diff(&a, mustView(t, s, read)); diff != "" {
		t.Errorf("attempt after a change:\n%s", diff)
	}
}

func oneIsCurrent(t *testing.T, s Store) {
	first, second := verification(1), verification(2)
	second.Recipient = first.Recipient
	update(t, s, func(tx verify.Tx) { tx.AddVerification(first) })
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		tx.AddVerification(second)
		return nil
	})
	if !errors.Is(err, verify.ErrExists) {
		t.Fatalf("a second current verification of one recipient: %v, want ErrExists", err)
	}
	first.Forget()
	update(t, s, func(tx verify.Tx) {
		tx.PutVerification(first)
		tx.AddVerification(second)
	})
	got := mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) {
		return tx.CurrentVerification(serviceSID, first.Recipient)
	})
	if got.SID != second.SID {
		t.Errorf("current is %s, want %s", got.SID, second.SID)
	}
}

func notFound(t *testing.T, s Store) {
	// A SID with the number of another one is another one.
	v := verification(1)
	update(t, s, func(tx verify.Tx) { tx.AddVerification(v) })
	twin := v.SID[:len(v.SID)-1] + "f"
	for name, read := range map[string]func(verify.Tx) error{
		"account":              func(tx verify.Tx) error { _, err := tx.Account(accountSID); return err },
		"key":                  func(tx verify.Tx) error { _, err := tx.Key(numbered("SK", 1)); return err },
		"template":             func(tx verify.Tx) error { _, err := tx.Template(numbered("HJ", 1)); return err },
		"messaging":            func(tx verify.Tx) error { _, err := tx.MessagingConfiguration(serviceSID, "ES"); return err },
		"service":              func(tx verify.Tx) error { _, err := tx.Service(serviceSID); return err },
		"verification":         func(tx verify.Tx) error { _, err := tx.Verification(numbered("VE", 2)); return err },
		"twin of another":      func(tx verify.Tx) error { _, err := tx.Verification(twin); return err },
		"something else":       func(tx verify.Tx) error { _, err := tx.Verification("no SID"); return err },
		"a text with a NUL":    func(tx verify.Tx) error { _, err := tx.CurrentVerification(serviceSID, "a\x00b"); return err },
		"invalid UTF-8":        func(tx verify.Tx) error { _, err := tx.CurrentVerification(serviceSID, "a\xffb"); return err },
		"current verification": func(tx verify.Tx) error { _, err := tx.CurrentVerification(serviceSID, "nobody"); return err },
		"attempt":              func(tx verify.Tx) error { _, err := tx.Attempt(numbered("VL", 1)); return err },
		"look at nothing":      func(tx verify.Tx) error { _, err := tx.PeekVerification(twin); return err },
		"look at no attempt":   func(tx verify.Tx) error { _, err := tx.PeekAttempt(numbered("VL", 1)); return err },
	} {
		if err := s.View(t.Context(), read); !errors.Is(err, verify.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
		if err := s.Update(t.Context(), read); !errors.Is(err, verify.ErrNotFound) {
			t.Errorf("%s in an Update: %v, want ErrNotFound", name, err)
		}
	}
}

// pendingOnes goes along the walk of expiry and looks for those that it is to end.
func pendingOnes(t *testing.T, s Store, walk verify.Expiry) {
	t.Helper()
	var want, got []verify.VerificationPlace
	for _, i := range []int{10, 11, 12, 13, 14, 1, 2, 3, 4, 5, 6, 7, 8, 9} { // in the order of their ends, then of their SIDs
		want = append(want, verify.VerificationPlace{SID: numbered("VE", 1+i*100), ServiceSID: numbered("VA", 1+i%3), AccountSID: accountSID, Recipient: fmt.Sprintf("+34600000%03d", i)})
	}
	steps := 0
	for more := true; more; steps++ {
		if err := s.View(t.Context(), func(tx verify.Tx) error {
			list, rest, left, err := tx.PendingVerifications(walk, 4)
			if len(list) > 4 {
				t.Errorf("a step of 4 has %d verifications", len(list))
			}
			got = append(got, list...)
			walk, more = rest, left
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || steps != 15/4+1 {
		t.Errorf("%d steps for 15 verifications in chunks of 4:\n%s", steps, diff)
	}
}

func expiry(t *testing.T, s Store) {
	const n = 25
	update(t, s, func(tx verify.Tx) {
		for i := range n {
			v := verification(1 + i*100)
			v.ServiceSID = numbered("VA", 1+i%3)
			v.Recipient = fmt.Sprintf("+3460000%04d", i)
			switch {
			case i < 10: // time is up
				v.ExpiresAt = noon.Add(-time.Minute) // all of them at once
			case i < 15: // time was up long ago
				v.ExpiresAt = noon.Add(-2*time.Hour + time.Duration(i)*time.Millisecond)
			default:
				v.ExpiresAt = noon.Add(time.Duration(i-14) * time.Second)
			}
			if i == 11 { // its history still counts
				v.HeldUntil = noon.Add(time.Second)
			}
			if i == 0 {
				v.Status, v.CodeMAC, v.CodeSealed = verify.Approved, nil, nil
			}
			tx.AddVerification(v)
		}
	})
	steps := 0
	walk := verify.Expiry{Until: noon, Now: noon, Forget: noon.Add(-time.Hour)}
	pendingOnes(t, s, walk)
	for more := true; more; steps++ {
		update(t, s, func(tx verify.Tx) {
			rest, left, err := tx.ExpireVerifications(walk, 4)
			if err != nil {
				t.Fatal(err)
			}
			walk, more = rest, left
		})
	}
	if steps != 15/4+1 {
		t.Errorf("the walk took %d steps for 15 verifications in chunks of 4", steps)
	}
	// A walk over a part leaves the rest as it is.
	part := verify.Expiry{After: noon.Add(time.Second + time.Millisecond), Until: noon.Add(2 * time.Second), Now: noon.Add(time.Minute), Forget: noon}
	update(t, s, func(tx verify.Tx) {
		if _, more, err := tx.ExpireVerifications(part, 4); err != nil || more {
			t.Errorf("a walk over one: more %v, %v", more, err)
		}
	})
	for i := range n {
		v := mustView(t, s, func(tx verify.Tx) (*verify.Verification, error) { return tx.Verification(numbered("VE", 1+i*100)) })
		status, current := verify.Pending, true
		switch {
		case i == 0:
			status = verify.Approved
		case i < 10:
			status = verify.Expired
		case i < 15:
			status, current = verify.Expired, i == 11
		case i == 16:
			status = verify.Expired
		}
		if v.Status != status || v.Current != current || (v.CodeSealed == nil) != (i < 15 || i == 16) {
			t.Errorf("verification %d: %s, current %v, code %q; want %s, %v", i, v.Status, v.Current, v.CodeSealed, status, current)
		}
	}
}
