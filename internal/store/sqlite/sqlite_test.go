package sqlite_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/storetest"
	"github.com/verifyd/verifyd/internal/verify"
)

func open(t *testing.T, path string, server bool) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Server: server, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestExamOnAFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return open(t, filepath.Join(t.TempDir(), "verifyd.db"), true)
	})
}

func TestExamInMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, "memory:"+t.Name(), false) })
}

// A released migration must not change: databases that have it would differ from new ones.
func TestMigrationsAreAsReleased(t *testing.T) {
	released := map[string]string{}
	sums, err := sqlite.MigrationSums()
	if err != nil {
		t.Fatal(err)
	}
	for name, sum := range released {
		if sums[name] != sum {
			t.Errorf("%s was released with sum %s and has %s", name, sum, sums[name])
		}
	}
	if len(sums) < len(released) || len(sums) == 0 {
		t.Errorf("there are %d migrations, %v were released", len(sums), maps.Keys(released))
	}
}

func TestFactorsOfAnOlderRelease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verifyd.db")
	s := open(t, path, false)
	db, release, err := sqlite.OpenForCopy(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	storetest.OlderRelease(t, s, func(statement string) error {
		_, err := db.ExecContext(t.Context(), statement)
		return err
	})
	if err := release(); err != nil {
		t.Error(err)
	}
}

func TestOneServerAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verifyd.db")
	open(t, path, true)
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{Server: true, Now: time.Now}); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("a second server on one file: %v, want ErrInUse", err)
	}
}

func TestACommandsChangeIsSeenByTheServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verifyd.db")
	server := open(t, path, true)
	command := open(t, path, false)
	before := server.ConfigVersion()
	if err := command.Update(t.Context(), func(tx verify.Tx) error {
		tx.PutAccount(&verify.Account{SID: "AC00000000000000000000000000000001", TokenHash: []byte("x"), TokenSealed: []byte("x")})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for server.ConfigVersion() == before {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the server never saw the account that a command made")
		}
	}
}

func TestAServerTakesUpWhatADeadOneHadClaimed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verifyd.db")
	now := time.Now()
	dead := open(t, path, false) // claims, and will not come back
	if err := dead.Update(t.Context(), func(tx verify.Tx) error {
		tx.Enqueue(verify.Job{ID: 1, Kind: "sms", Ref: "VL1", Due: now})
		tx.Enqueue(verify.Job{ID: 2, Kind: "sms", Ref: "VL2", Due: now.Add(time.Hour)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if jobs, err := dead.Claim(t.Context(), "sms", now, now.Add(time.Hour), 10); err != nil || len(jobs) != 1 {
		t.Fatalf("claimed %v, %v", jobs, err)
	}
	server := open(t, path, true)
	jobs, err := server.Claim(t.Context(), "sms", time.Now(), time.Now().Add(time.Hour), 10)
	if err != nil || len(jobs) != 1 || jobs[0].Ref != "VL1" {
		t.Errorf("the new server claimed %v, %v, want VL1 at once and VL2 not before its time", jobs, err)
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	s, err := sqlite.Open(t.Context(), "memory:closed", sqlite.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	nothing := func(verify.Tx) error { return nil }
	if err := s.Update(t.Context(), nothing); !errors.Is(err, verify.ErrUnavailable) {
		t.Errorf("Update: %v, want ErrUnavailable", err)
	}
	if err := s.View(t.Context(), nothing); !errors.Is(err, verify.ErrUnavailable) {
		t.Errorf("View: %v, want ErrUnavailable", err)
	}
}

// The names inside a stored service and a stored template are the Go fields'. A renamed field would
// lose its value.
func TestStoredNamesStay(t *testing.T) {
	for stored, want := range map[reflect.Type][]string{
		reflect.TypeFor[verify.ServiceSettings](): {"FriendlyName", "CodeLength", "LookupEnabled", "SkipSMSToLandlines", "DTMFInputRequired", "TTSName",
			"PSD2Enabled", "DoNotShareWarningEnabled", "CustomCodeEnabled", "DefaultTemplateSID", "VerifyEventSubscription",
			"Push", "TOTP", "WhatsApp", "Passkeys", "DisabledChannels", "Fallback", "FallbackAfter", "CodeTTL", "MaxSends", "MaxChecks"},
		reflect.TypeFor[verify.TemplateContent](): {"Default", "Variables", "Translations"},
		reflect.TypeFor[verify.Translation]():     {"SMS", "Brandless", "Voice", "Approved", "CreatedAt", "UpdatedAt"},
	} {
		var got []string
		for _, f := range reflect.VisibleFields(stored) {
			if !f.Anonymous {
				got = append(got, f.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("a stored name of a %s has changed; old rows have the old one:\n%s", stored.Name(), diff)
		}
	}
}
