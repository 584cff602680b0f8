package intercept

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// TrustStore is where a system keeps the authorities that all its programs trust. The zero value is that
// of this machine.
type TrustStore struct {
	// Root is the folder in the place of /.
	Root string
	// Run runs a command; nil runs it on this machine.
	Run func(ctx context.Context, name string, args ...string) error
}

// trustStores are systems by the folder that an administrator's authorities go to, and by what takes them
// up from there.
var trustStores = []struct {
	folder, ending string
	update         []string
}{
	{"/usr/local/share/ca-certificates", ".crt", []string{"update-ca-certificates"}},           // Debian, Alpine
	{"/etc/pki/ca-trust/source/anchors", ".pem", []string{"update-ca-trust", "extract"}},       // Fedora
	{"/etc/ca-certificates/trust-source/anchors", ".crt", []string{"trust", "extract-compat"}}, // Arch
	{"/etc/pki/trust/anchors", ".pem", []string{"update-ca-certificates"}},                     // SUSE
}

const macKeychain = "/Library/Keychains/System.keychain"

// Install has every program of this machine trust an authority. It says where it was put.
func (s TrustStore) Install(ctx context.Context, a *Authority) (where string, err error) {
	if s.mac() {
		return macKeychain, s.run(ctx, "security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", macKeychain, a.path)
	}
	path, update, err := s.place(a)
	if err != nil {
		return "", err
	}
	if err := replace(path, a.text, 0o644); err != nil {
		return "", err
	}
	return path, s.run(ctx, update[0], update[1:]...)
}

// Uninstall takes an authority back. An authority that is not there is no error.
func (s TrustStore) Uninstall(ctx context.Context, a *Authority) (where string, err error) {
	if s.mac() {
		return macKeychain, s.run(ctx, "security", "remove-trusted-cert", "-d", a.path)
	}
	path, update, err := s.place(a)
	if err != nil {
		return "", err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return path, s.run(ctx, update[0], update[1:]...)
}

func (s TrustStore) mac() bool { return s.Root == "" && runtime.GOOS == "darwin" }

// place is the file of an authority; its name has a part of the digest, because there is one authority in
// every data folder.
func (s TrustStore) place(a *Authority) (path string, update []string, err error) {
	for _, known := range trustStores {
		folder := filepath.Join(s.Root, known.folder)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return filepath.Join(folder, fmt.Sprintf("verifyd-%.4x%s", sha256.Sum256(a.cert.Raw), known.ending)), known.update, nil
		}
	}
	return "", nil, fmt.Errorf("this system keeps trusted authorities where verifyd does not know: add %s to them by hand", a.path)
}

func (s TrustStore) run(ctx context.Context, name string, args ...string) error {
	if s.Run != nil {
		return s.Run(ctx, name, args...)
	}
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}
