// Package pgtest starts throw-away PostgreSQL servers for tests and benchmarks: in a temporary
// folder, on a free port of loopback, with fsync on, gone with the process. It uses the PostgreSQL
// that is installed, and says what to install where there is none.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/store/postgres"
)

// Server is a PostgreSQL server.
type Server struct {
	bin, dir string
	port     int
	attr     *syscall.SysProcAttr
	options  []string
	process  *exec.Cmd
	ended    chan struct{}
	log      *os.File
	number   atomic.Int64 // of the last database
	receiver int          // process of a deaf standby

	mu   sync.Mutex
	free []string // databases that nobody uses
}

const startTimeout = time.Minute

// Start starts a server. options are settings such as "max_connections=20".
func Start(options ...string) (*Server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, options: options}
	if s.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return nil, err
	}
	if s.attr, err = unprivileged(s.dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if out, err := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), s.Close())
	}
	if s.port, err = freePort(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.Run(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// freePort is a port of loopback that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// find looks for the server's programs.
func find() (string, error) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // Debian and its children
	slices.Reverse(folders)
	folders = append(folders, "/usr/pgsql/bin", "/usr/local/pgsql/bin", "/usr/local/bin")
	if path, err := exec.LookPath("postgres"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	for _, dir := range folders {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("these tests need a PostgreSQL server of version 14 or later: apt-get install postgresql, dnf install postgresql-server, or brew install postgresql")
}

// unprivileged gives the folder to somebody else where the test runs as root, because the server
// refuses to.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, errors.Join(os.Chown(dir, uid, gid), os.Chmod(dir, 0o700))
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	return s.Command(filepath.Join(s.bin, name), args...)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Run starts the server after Kill, on the same data and port.
func (s *Server) Run() error {
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-k", s.dir,
		"-c", "logging_collector=off"}
	for _, o := range s.options {
		args = append(args, "-c", o)
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.log = log
	s.process = s.command("postgres", args...)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		_ = s.process.Wait()
		close(s.ended)
	}()
	for deadline := time.Now().Add(startTimeout); ; {
		if _, err = s.SQL("postgres", `SELECT 1`); err == nil {
			return nil
		}
		select {
		case <-s.ended:
			text, _ := os.ReadFile(s.logFile())
			return fmt.Errorf("postgres ended:\n%s", text)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres is not ready after %s: %w", startTimeout, err)
		}
	}
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// Kill stops the server as `pg_ctl stop -m immediate` does: without a checkpoint, in the middle of
// whatever it does.
func (s *Server) Kill() { s.stop(syscall.SIGQUIT) }

func (s *Server) stop(how syscall.Signal) {
	if s.process == nil || s.process.Process == nil {
		return
	}
	_ = s.process.Process.Signal(how)
	<-s.ended
	_ = s.log.Close()
	s.process = nil
}

// Close stops the server and removes its folder.
func (s *Server) Close() error {
	s.stop(syscall.SIGQUIT)
	return os.RemoveAll(s.dir)
}

// Address is the "host:port" of the server.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// PID is the process of the running server; those of its connections are its children.
func (s *Server) PID() int { return s.process.Process.Pid }

// DSN is the address of a database.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", s.Address(), database)
}

// SQL runs statements with psql and returns what they print.
func (s *Server) SQL(database, statements string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", s.DSN(database), "-c", statements)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// Empty makes a database without a schema, and returns its name.
func (s *Server) Empty(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("t%d", s.number.Add(1))
	if _, err := s.SQL("postgres", `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	return name
}

// wipe makes a database as good as new. Deleting a few rows is far quicker than a new database.
const wipe = `DELETE FROM attempt_count; DELETE FROM safe_number; DELETE FROM geo_rule; DELETE FROM webhook; DELETE FROM event_delivery; DELETE FROM challenge; DELETE FROM notification; DELETE FROM access_token; DELETE FROM factor;
	DELETE FROM entity; DELETE FROM job; DELETE FROM attempt; DELETE FROM verification; DELETE FROM bucket; DELETE FROM rate_limit;
	DELETE FROM meter; DELETE FROM messaging_configuration; DELETE FROM template; DELETE FROM service; DELETE FROM api_key;
	DELETE FROM account; DELETE FROM commit_mark; UPDATE config_version SET version = 1`

// Database is a database with the schema and nothing in it; its name is free again when the test
// has ended.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var name string
	if n := len(s.free); n > 0 {
		name, s.free = s.free[n-1], s.free[:n-1]
		if _, err := s.SQL(name, wipe); err != nil {
			t.Fatal(err)
		}
	} else {
		name = s.Empty(t)
		if _, _, err := postgres.Migrate(t.Context(), s.DSN(name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.free = append(s.free, name)
	})
	return name
}

// Command is a program that runs as the server does, with its end tied to the test's.
func (s *Server) Command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = s.attr
	cmd.Dir = s.dir
	return cmd
}

// Dir is a folder that belongs to the server's user.
func (s *Server) Dir() string { return s.dir }
