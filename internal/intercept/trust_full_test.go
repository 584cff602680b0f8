//go:build full

package intercept

import (
	"context"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Debian's own command takes the certificate up into the bundle that its programs read, and out of it.
func TestDebianTakesTheAuthorityUp(t *testing.T) {
	a := openAuthority(t, t.TempDir())
	root := t.TempDir()
	anchors, certs, hooks := filepath.Join(root, "/usr/local/share/ca-certificates"), filepath.Join(root, "/etc/ssl/certs"), filepath.Join(root, "hooks")
	for _, folder := range []string{anchors, certs, hooks} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := TrustStore{Root: root, Run: func(ctx context.Context, name string, args ...string) error {
		args = append(args, "--localcertsdir", anchors, "--etccertsdir", certs, "--hooksdir", hooks)
		out, err := exec.CommandContext(ctx, "/usr/sbin/"+name, args...).CombinedOutput()
		if err != nil {
			t.Logf("`make tools` installs what is missing:\n%s", out)
		}
		return err
	}}
	believed := func() bool {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(certs, "ca-certificates.crt"))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(text)
		leaf, err := a.certificate(Host)
		if err != nil {
			t.Fatal(err)
		}
		_, err = leaf.Leaf.Verify(x509.VerifyOptions{DNSName: Host, Roots: roots})
		return err == nil
	}
	if _, err := s.Install(t.Context(), a); err != nil || !believed() {
		t.Errorf("installed, it is not believed; %v", err)
	}
	if _, err := s.Uninstall(t.Context(), a); err != nil || believed() {
		t.Errorf("taken back, it is believed; %v", err)
	}
}
