//go:build full

package postgres_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/postgres"
	"github.com/verifyd/verifyd/internal/store/storetest"
)

// startBouncer starts PgBouncer in transaction mode in front of the server.
func startBouncer(t *testing.T) (address string) {
	t.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		if path = "/usr/sbin/pgbouncer"; !exists(path) {
			t.Fatal("this test needs PgBouncer: apt-get install pgbouncer")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	host, serverPort, _ := strings.Cut(server.Address(), ":")
	settings := filepath.Join(server.Dir(), "pgbouncer.ini")
	// One server connection less than a store has clients, so that transactions change places.
	if err := os.WriteFile(settings, fmt.Appendf(nil, `[databases]
* = host=%s port=%s user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
`, host, serverPort, port), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := server.Command(path, settings)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	address = fmt.Sprintf("127.0.0.1:%d", port)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return address
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("pgbouncer does not listen:\n%s", text)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestBehindPgBouncer(t *testing.T) {
	bouncer := startBouncer(t)
	through := func(database string) string {
		return strings.Replace(server.DSN(database), server.Address(), bouncer, 1)
	}
	t.Run("exam", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, through(server.Database(t))) })
	})
	t.Run("nodes", func(t *testing.T) {
		storetest.RunNodes(t, func(t *testing.T, n int) []storetest.Store { return nodes(t, through(server.Database(t)), n) })
	})
	t.Run("a change is seen without notifications", func(t *testing.T) {
		database := server.Database(t)
		changeIsSeen(t, open(t, through(database)), open(t, through(database)))
	})
	t.Run("migrate asks for the database itself", func(t *testing.T) {
		if _, _, err := postgres.Migrate(t.Context(), through(server.Empty(t))); err == nil || !strings.Contains(err.Error(), "pooler") {
			t.Errorf("migrate through a pooler: %v", err)
		}
	})
}
