//go:build full

package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
)

// The story of an installation that outgrows its machine: SQLite first, then the move, then two
// nodes over PostgreSQL.
func TestFromOneMachineToTwoNodes(t *testing.T) {
	server, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	g := newGateway(t)
	in := install(t, g.URL)
	one := in.serve()
	status, started, _, err := in.post(t.Context(), one.base, "/Verifications", url.Values{"To": {"+34612345678"}, "Channel": {"sms"}})
	if err != nil || status != 201 {
		t.Fatalf("start: %d, %v", status, err)
	}
	waitFor(t, "the message", func() bool { return g.count(attemptOf(started)) == 1 })
	one.stop()

	// The move.
	dir := filepath.Dir(in.config)
	database := server.Empty(t)
	dsn := server.DSN(database)
	withPassword := strings.Replace(dsn, "postgres@", "postgres:s3cret@", 1)
	text, err := os.ReadFile(in.config)
	if err != nil {
		t.Fatal(err)
	}
	old := "sqlite:" + dir + "/verifyd.db"
	nodes := strings.Replace(string(text), old, withPassword, 1)
	if err := os.WriteFile(in.config, []byte(nodes), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := once(t, "serve", "--config", in.config); code != 1 || !strings.Contains(stderr, "run verifyd migrate") {
		t.Errorf("serve without a schema: %d %s", code, stderr)
	}
	stdout, stderr, code := once(t, "migrate", "--from", old, "--to", withPassword)
	if code != 0 || !regexp.MustCompile(`verification +1 rows`).MatchString(stdout) {
		t.Fatalf("move: %d %s%s", code, stdout, stderr)
	}
	said := stdout + stderr
	if stdout, stderr, code = once(t, "migrate", "--config", in.config); code != 0 || !strings.Contains(stdout, "was already at version") {
		t.Errorf("migrate afterwards: %d %s%s", code, stdout, stderr)
	}
	said += stdout + stderr

	// As if it had been broken off: the note of the move is still there.
	if _, err := server.SQL(database, `CREATE TABLE transfer (source text NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := once(t, "serve", "--config", in.config); code != 1 || !strings.Contains(stderr, "verifyd migrate --from") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("serve in the middle of a move: %d %s", code, stderr)
	} else {
		said += stderr
	}
	if _, err := server.SQL(database, `DROP TABLE transfer`); err != nil {
		t.Fatal(err)
	}

	// Two nodes: one checks what the single machine had started, and each knows the other's work.
	a, b := in.serve(), in.serve()
	status, body, _, err := in.post(t.Context(), a.base, "/VerificationCheck", url.Values{"To": {"+34612345678"}, "Code": {g.codeFor("+34612345678")}})
	if err != nil || status != 200 || body["status"] != "approved" {
		t.Errorf("a code from before the move: %d %v, %v", status, body, err)
	}
	status, started, _, err = in.post(t.Context(), a.base, "/Verifications", url.Values{"To": {"+34612345679"}, "Channel": {"sms"}})
	if err != nil || status != 201 {
		t.Fatalf("start on the first node: %d %v, %v", status, started, err)
	}
	waitFor(t, "the message", func() bool { return g.count(attemptOf(started)) == 1 })
	status, body, _, err = in.post(t.Context(), b.base, "/VerificationCheck", url.Values{"To": {"+34612345679"}, "Code": {g.codeFor("+34612345679")}})
	if err != nil || status != 200 || body["status"] != "approved" {
		t.Errorf("its code on the second node: %d %v, %v", status, body, err)
	}
	if resp, err := http.Get(b.base + "/readyz"); err != nil || resp.StatusCode != 200 {
		t.Errorf("readyz: %v, %v", resp, err)
	}

	// The database goes away and comes back.
	server.Kill()
	waitFor(t, "readyz to turn red", func() bool {
		resp, err := http.Get(b.base + "/readyz")
		return err == nil && resp.StatusCode == 503
	})
	status, body, header, err := in.post(t.Context(), b.base, "/VerificationCheck", url.Values{"To": {"+34612345679"}, "Code": {"000000"}})
	if err != nil || status != 503 || body["code"] != 20503.0 || header.Get("Retry-After") == "" {
		t.Errorf("without a database: %d %v, Retry-After %q, %v; want 503 with 20503", status, body, header.Get("Retry-After"), err)
	}
	if err := server.Run(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "readyz to turn green", func() bool {
		resp, err := http.Get(b.base + "/readyz")
		return err == nil && resp.StatusCode == 200
	})

	// A node with another key file must not start.
	if err := os.WriteFile(in.config, []byte(strings.Replace(nodes, "/verifyd.key", "/other.key", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := once(t, "serve", "--config", in.config); code != 1 || !strings.Contains(stderr, "copy the key file") {
		t.Errorf("serve without the key file: %d %s", code, stderr)
	} else {
		said += stderr
	}
	a.stop()
	b.stop()
	if all := said + a.errs.String() + b.errs.String() + a.out.String() + b.out.String(); strings.Contains(all, "s3cret") {
		t.Error("the password of the database was printed")
	}
}

// A laptop may develop against PostgreSQL: dev brings the schema up, and finds its account again.
func TestDevOverPostgres(t *testing.T) {
	server, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	data, database := t.TempDir(), server.Empty(t)
	overPostgres := func(data string) []string {
		return []string{"dev", "--listen", "127.0.0.1:0", "--data", data, "--log", "warn", "--store", server.DSN(database)}
	}
	first := begin(t, devReady, nil, overPostgres(data)...)
	account := first.said("account SID")
	status, body, _, err := post(t.Context(), first.base, account, first.said("auth token"),
		"/v2/Services/"+first.said("service SID")+"/Verifications", url.Values{"To": {"+34612345678"}, "Channel": {"sms"}})
	if err != nil || status != 201 {
		t.Fatalf("start: %d %v, %v", status, body, err)
	}
	if code := first.stop(); code != 0 {
		t.Errorf("stopped with exit code %d:\n%s", code, first.errs)
	}
	if got, err := server.SQL(database, `SELECT sid FROM verification`); err != nil || got != body["sid"] {
		t.Errorf("the database has %q, %v; want %v", got, err, body["sid"])
	}
	second := begin(t, devReady, nil, overPostgres(data)...)
	if got := second.said("account SID"); got != account {
		t.Errorf("the second start has account %s, want %s", got, account)
	}
	if code := second.stop(); code != 0 {
		t.Errorf("stopped with exit code %d:\n%s", code, second.errs)
	}
	if _, stderr, code := once(t, overPostgres(t.TempDir())...); code != 1 || !strings.Contains(stderr, "copy the key file") {
		t.Errorf("dev with another data folder: %d %s", code, stderr)
	}
}

// On PostgreSQL too dev starts over, and goes back to a snapshot.
func TestDevOverPostgresStartsOver(t *testing.T) {
	server, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	data, database := t.TempDir(), server.Empty(t)
	file := filepath.Join(data, "verifyd.world.toml")
	const service = "VA5c1d0e8f7a6b49325c1d0e8f7a6b4932"
	if err := os.WriteFile(file, []byte("[[service]]\nsid = \""+service+"\"\nfriendly_name = \"Acme\"\ncode_length = 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", data, "--log", "warn", "--store", server.DSN(database), "--world", file)
	dev := func(method, path string) {
		t.Helper()
		if err := devAddress(p.base).call(t.Context(), method, path, movePatience, nil); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() string {
		t.Helper()
		got, err := server.SQL(database, `SELECT (SELECT count(*) FROM verification) || ' verifications, ' || (SELECT count(*) FROM attempt) || ' attempts, ' ||
			(SELECT count(*) FROM service) || ' services, ' || (SELECT count(*) FROM account) || ' accounts'`)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	const empty, one = "0 verifications, 0 attempts, 1 services, 1 accounts", "1 verifications, 1 attempts, 1 services, 1 accounts"
	for range 2 {
		p.start("+34612345678", "sms")
		code := p.newest("+34612345678")
		dev("POST", "/dev/snapshots?name=started")
		if status := p.check("+34612345678", code); len(code) != 4 || status != "approved" {
			t.Errorf("the check of %s says %s", code, status)
		}
		dev("POST", "/dev/snapshots/started/restore")
		if status := p.check("+34612345678", code); status != "approved" || rows() != one {
			t.Errorf("after the restore the check says %s, with %s", status, rows())
		}
		dev("POST", "/dev/reset")
		if got := rows(); got != empty {
			t.Errorf("after the reset: %s", got)
		}
	}
	dev("DELETE", "/dev/snapshots/started")
	if got, err := server.SQL(database, `SELECT count(*) FROM pg_class WHERE relname LIKE 'snapshot%'`); err != nil || got != "0" {
		t.Errorf("tables of snapshots: %s, %v", got, err)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("stopped with exit code %d:\n%s", code, p.errs)
	}
}

// codeFor is the code that was sent to a number last, empty if there is none.
func (g *gateway) codeFor(to string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.code[to]
}
