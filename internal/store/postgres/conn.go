package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// conn is one connection. It is used by one goroutine at a time.
type conn struct {
	c *pgx.Conn
	// pooled: a pooler such as PgBouncer stands in between. It may give every transaction another
	// connection to the database, so nothing can be left behind in a session.
	pooled bool
}

const (
	// statementTimeout bounds a statement at the server, lockTimeout a wait for another
	// transaction's row, idleTimeout the life of a transaction whose client is gone.
	statementTimeout = "6s"
	lockTimeout      = "4s"
	idleTimeout      = "10s"
	// pipelineTimeout bounds a pipeline at our end, where the server cannot be reached.
	pipelineTimeout = 8 * time.Second
	// connectTimeout bounds the way to one host, if the address does not (connect_timeout).
	connectTimeout = 5 * time.Second
)

// address is where a database is.
type address struct {
	config *pgx.ConnConfig
	// modeChosen: the address says how statements are sent (default_query_exec_mode).
	modeChosen bool
}

// parse reads the address of a database.
func parse(dsn string) (address, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return address{}, fmt.Errorf("address of the database: %s", withoutAddress(err))
	}
	if !strings.Contains(dsn, "connect_timeout") {
		config.ConnectTimeout = connectTimeout
	}
	return address{config, strings.Contains(dsn, "default_query_exec_mode")}, nil
}

// withoutAddress is what pgx says of an address, without repeating it. pgx blanks the password, but takes it
// to end at its first @.
func withoutAddress(err error) string {
	said := err.Error() // "cannot parse `postgres://…`: invalid port"
	if _, isOf := errors.AsType[*pgconn.ParseConfigError](err); isOf {
		said = said[strings.LastIndexByte(said, '`')+1:]
	}
	return strings.TrimPrefix(said, ": ")
}

// connect opens a connection, to the first host of the address that will do; every host has a
// connectTimeout, because a dead one may say nothing. Whether a pooler stands in between shows in
// the process number, because a pooler makes one up. Through a pooler statements are not prepared
// by name, as the next transaction may find another server that does not know them; the driver
// remembers what they look like and sends their text.
func (a address) connect(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(2+len(a.config.Fallbacks))*a.config.ConnectTimeout)
	defer cancel()
	c, err := pgx.ConnectConfig(ctx, a.config)
	if err != nil {
		return nil, err
	}
	var process int64
	if err := c.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&process); err != nil {
		_ = c.Close(ctx) // the first error says why
		return nil, err
	}
	pooled := process != int64(c.PgConn().PID())
	if pooled && !a.modeChosen {
		_ = c.Close(ctx)
		a.config, a.modeChosen = a.config.Copy(), true
		a.config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		return a.connect(ctx)
	}
	return &conn{c: c, pooled: pooled}, nil
}

// run sends statements as one pipeline and returns their answers: one round trip, whatever their
// number. An error is a *failure of the statement that caused it; those after it were not run.
func (c *conn) run(statements ...statement) ([]*answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), pipelineTimeout)
	defer cancel()
	var batch pgx.Batch
	for _, s := range statements {
		batch.Queue(s.query, s.args...)
	}
	results := c.c.SendBatch(ctx, &batch)
	answers := make([]*answer, 0, len(statements))
	for i, s := range statements {
		rows, err := results.Query()
		var a *answer
		if err == nil {
			a = readAll(rows)
			err = rows.Err()
		}
		if err != nil {
			_ = results.Close() // says the same
			return answers, &failure{at: i, query: s.query, err: err}
		}
		answers = append(answers, a)
	}
	if err := results.Close(); err != nil {
		return answers, &failure{at: len(statements), query: "end of the pipeline", err: err}
	}
	return answers, nil
}

// readAll copies the rows of an answer.
func readAll(rows pgx.Rows) *answer {
	a := &answer{}
	for rows.Next() {
		raw, fields := rows.RawValues(), rows.FieldDescriptions()
		size := 0
		for _, b := range raw {
			size += len(b)
		}
		kept, row := make([]byte, 0, size), make([]value, len(raw))
		for i, b := range raw {
			row[i].binary = fields[i].Format == 1
			if b != nil {
				from := len(kept)
				kept = append(kept, b...)
				row[i].bytes = kept[from:len(kept):len(kept)]
			}
		}
		a.rows = append(a.rows, row)
	}
	rows.Close()
	a.tag = rows.CommandTag().String()
	return a
}

// rollBack ends a transaction that came to nothing.
func (c *conn) rollBack() error {
	_, err := c.run(statement{query: `ROLLBACK`})
	return err
}

// inTransaction reports whether the server waits for the end of a transaction.
func (c *conn) inTransaction() bool { return c.c.PgConn().TxStatus() != 'I' }

func (c *conn) closed() bool { return c.c.IsClosed() }

func (c *conn) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.c.Close(ctx) // the server notices in any case
}
