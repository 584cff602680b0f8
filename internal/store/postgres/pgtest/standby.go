package pgtest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
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

// Deafen keeps a standby from taking what its primary writes, so that commits there wait.
func (s *Server) Deafen() error {
	text, err := s.SQL("postgres", `SELECT pid FROM pg_stat_wal_receiver`)
	if err != nil {
		return err
	}
	if s.receiver, err = strconv.Atoi(text); err != nil {
		return fmt.Errorf("the standby has no receiver: %w", err)
	}
	return syscall.Kill(s.receiver, syscall.SIGSTOP)
}

// WaitingCommits is how many commits of a primary wait for its standby.
func (s *Server) WaitingCommits() (int, error) {
	text, err := s.SQL("postgres", `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// Promote ends the standby's following: it takes writes when Promote returns. What a deaf one has
// not read from its connection is lost.
func (s *Server) Promote() error {
	if s.receiver != 0 {
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGCONT} {
			if err := syscall.Kill(s.receiver, signal); err != nil {
				return err
			}
		}
	}
	done, err := s.SQL("postgres", `SELECT pg_promote()`)
	if err == nil && done != "t" {
		err = errors.New("the standby was not promoted within a minute")
	}
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
