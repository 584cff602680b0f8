package intercept

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// On each kind of system the certificate goes where its own command takes it up, and comes back from there.
func TestAnAuthorityIsInstalledAndTakenBack(t *testing.T) {
	a := openAuthority(t, t.TempDir())
	for _, system := range trustStores {
		var ran []string
		s := TrustStore{Root: t.TempDir(), Run: func(_ context.Context, name string, args ...string) error {
			ran = append(ran, strings.Join(append([]string{name}, args...), " "))
			return nil
		}}
		folder := filepath.Join(s.Root, system.folder)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for range 2 { // again changes nothing
			where, err := s.Install(t.Context(), a)
			if err != nil || filepath.Dir(where) != folder {
				t.Fatalf("installed at %s, %v; want in %s", where, err, folder)
			}
			if text, err := os.ReadFile(where); err != nil || string(text) != string(a.PEM()) {
				t.Errorf("%s has not the certificate: %v", where, err)
			}
		}
		for range 2 {
			if _, err := s.Uninstall(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("%s has %v left, %v", system.folder, left, err)
		}
		want := strings.Repeat(strings.Join(system.update, " ")+"\n", 4)
		if got := strings.Join(ran, "\n") + "\n"; got != want {
			t.Errorf("it ran\n%swant\n%s", got, want)
		}
	}
}

func TestAnUnknownSystemIsToldTheFile(t *testing.T) {
	a := openAuthority(t, t.TempDir())
	if _, err := (TrustStore{Root: t.TempDir()}).Install(t.Context(), a); err == nil || !strings.Contains(err.Error(), a.Path()) {
		t.Errorf("got %v, want an error with %s", err, a.Path())
	}
}
