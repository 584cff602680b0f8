package pgtest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// standbyName is the name by which a primary knows its standby.
const standbyName = "standby"

// Standby starts a second server that follows s as a synchronous standby: from then on a commit at
// s is answered only when the standby has it on its disk too.
func (s *Server) Standby() (*Server, error) {
	standby := &Server{bin: s.bin, options: s.options}
	err := standby.follow(s)
	if err == nil {
		err = s.waitForStandby()
	}
	if err != nil {
		return nil, errors.Join(err, standby.Close())
	}
	return standby, nil
}

// follow makes a copy of a primary and starts it as its standby.
func (s *Server) follow(primary *Server) (err error) {
	if s.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return err
	}
	if s.attr, err = unprivileged(s.dir); err != nil {
		return err
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=%s", primary.port, standbyName)
	if out, err := s.command("pg_basebackup", "-D", s.data(), "-d", from, "-R", "-X", "stream", "-c", "fast", "--no-sync").CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return s.Run()
}

// waitForStandby makes the standby a synchronous one, and waits until it is.
func (s *Server) waitForStandby() error {
	for _, statement := range []string{
		`ALTER SYSTEM SET synchronous_standby_names = '` + standbyName + `'`,
		`SELECT pg_reload_conf()`,
	} {
		if _, err := s.SQL("postgres", statement); err != nil {
			return err
		}
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(50 * time.Millisecond) {
		state, err := s.SQL("postgres", `SELECT sync_state FROM pg_stat_replication WHERE application_name = '`+standbyName+`'`)
		if err != nil || state == "sync" {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the standby is %q after %s, not synchronous", state, startTimeout)
		}
	}
}

// Promote ends the standby's following: it takes writes when Promote returns.
func (s *Server) Promote() error {
	_, err := s.SQL("postgres", `SELECT pg_promote()`)
	return err
}

// KillMinusNine kills the server's main process; its others end when they notice.
func (s *Server) KillMinusNine() { s.stop(syscall.SIGKILL) }

// DSNWith is the address of a database that has this server and its standby as hosts, of which the
// one that takes writes is wanted.
func (s *Server) DSNWith(standby *Server, database string) string {
	return fmt.Sprintf("postgres://postgres@%s,%s/%s?sslmode=disable&target_session_attrs=read-write",
		s.Address(), standby.Address(), database)
}
