package postgres

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// The attempts of each day are a partition, named for the day, that is dropped as a whole when it
// is old. The nodes make partitions ahead and drop old ones; any may do it, and several may at once.
//
// Statements about an attempt name its day's partition. Through the table above, PostgreSQL plans
// every statement anew and finds the partition in a way that costs four times the statement, and a
// DROP would have to wait for all of them. Where a partition is not known to be there, the table
// above takes the statement: it has a default partition, so that an attempt is stored in any case.

const (
	// daysAhead is how many days are made before they come, for a time in which no node runs.
	daysAhead = 7
	// daysLock is the advisory lock of those who make and drop partitions: "verifyd" in ASCII.
	daysLock = 0x76657269667964
	// dayTimeouts: whoever waits for a partition's lock keeps others waiting, so it does not wait
	// long.
	dayTimeouts = `SELECT set_config('lock_timeout', '500ms', true), set_config('statement_timeout', '5s', true)`
	dayPrefix   = "attempt_"
)

// days are the partitions that this node knows.
type days struct {
	tables atomic.Pointer[map[sid.Day]string]
	done   atomic.Bool // for the two days below everything was seen to

	mu sync.Mutex // held by who makes and drops
	// today and oldest are the days of the last look: of new rows, and of the first to be kept.
	today, oldest sid.Day
}

// named are the partitions that statements may name.
func (d *days) named() map[sid.Day]string {
	if tables := d.tables.Load(); tables != nil {
		return *tables
	}
	return nil
}

// know takes note of the partitions that are there. Those before yesterday are not named, because
// nothing is in a hurry there, and sooner or later they are dropped.
func (d *days) know(there map[sid.Day]bool, today sid.Day) {
	tables := map[sid.Day]string{}
	for day, writable := range there {
		if writable && day >= today-1 {
			tables[day] = dayPrefix + day.String()
		}
	}
	d.tables.Store(&tables)
}

// forget is for a partition that was named and is not there: a database was restored, or somebody
// dropped it by hand. It reports whether any was named.
func (d *days) forget() bool {
	d.done.Store(false)
	old := d.tables.Swap(nil)
	return old != nil && len(*old) > 0
}

// keepDays makes the partitions of the days to come, and drops those of days before the oldest.
func (s *Store) keepDays(now, before time.Time) error {
	d := &s.days
	d.mu.Lock()
	defer d.mu.Unlock()
	today, oldest := sid.DayOf(now), sid.DayOf(before)
	if d.done.Load() && d.today == today && d.oldest == oldest {
		return nil
	}
	c, err := s.connect()
	if err != nil {
		return kind(err)
	}
	defer c.close()
	there, err := listDays(c)
	if err != nil {
		return kind(err)
	}
	errs := []error{makeMissing(c, there, daysToCome(today))}
	for day := range there {
		if day < oldest {
			errs = append(errs, dropDay(c, day))
		}
	}
	if there, err = listDays(c); err != nil {
		return errors.Join(append(errs, kind(err))...)
	}
	d.know(there, today)
	err = errors.Join(errs...)
	d.today, d.oldest = today, oldest
	d.done.Store(err == nil)
	return err
}

// listDays are the days that have a partition, and whether this role may write to it by name: for
// one that it does not own, a right to write to the table above does not suffice.
func listDays(c *conn) (map[sid.Day]bool, error) {
	answers, err := c.run(statement{query: `SELECT c.relname::text,
			(has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE'))::int
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'attempt'::regclass`})
	if err != nil {
		return nil, err
	}
	there := map[sid.Day]bool{}
	for a := answers[0]; a.Next(); {
		var name string
		var writable int
		if err := a.Scan(&name, &writable); err != nil {
			return nil, err
		}
		if day, ok := sid.ParseDay(strings.TrimPrefix(name, dayPrefix)); ok {
			there[day] = writable == 1
		}
	}
	return there, nil
}

// makeDay makes the partition of a day. To attach a table disturbs nobody who reads or writes
// attempts; to make it as a partition at once would. It gets the indexes of the table above then; the
// defaults it must have before, for nodes of an earlier release that name it and do not know all of
// its columns. A day of which the default partition has rows already stays there.
func makeDay(c *conn, day sid.Day) error {
	name := dayPrefix + day.String()
	err := alter(c,
		`CREATE TABLE `+name+` (LIKE attempt INCLUDING DEFAULTS) WITH (fillfactor = 75)`,
		fmt.Sprintf(`ALTER TABLE attempt ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, name, day.FirstKey(), (day+1).FirstKey()))
	switch code(err) {
	case codeDuplicateTable, codeCheck: // another node was quicker, or rows are in the default partition
		return nil
	}
	if err != nil {
		return fmt.Errorf("make partition %s: %w", name, kind(err))
	}
	return nil
}

func dropDay(c *conn, day sid.Day) error {
	name := dayPrefix + day.String()
	if err := alter(c, `DROP TABLE IF EXISTS `+name); err != nil {
		return fmt.Errorf("drop partition %s: %w", name, kind(err))
	}
	return nil
}

// alter runs statements in a transaction, while no other node does.
func alter(c *conn, statements ...string) error {
	pipeline := []statement{{query: `BEGIN`}, {query: dayTimeouts}, {`SELECT pg_advisory_xact_lock($1)`, []any{int64(daysLock)}}}
	for _, s := range statements {
		pipeline = append(pipeline, statement{query: s})
	}
	_, err := c.run(append(pipeline, statement{query: `COMMIT`})...)
	if err != nil && !c.closed() && c.inTransaction() {
		err = errors.Join(err, c.rollBack())
	}
	return err
}

// makeDays makes the partitions of the days to come, from today by the database's clock, and of
// others.
func makeDays(c *conn, others ...sid.Day) error {
	answers, err := c.run(statement{query: `SELECT (extract(epoch FROM now()) * 1000000)::bigint`})
	if err != nil {
		return err
	}
	var micros int64
	if err := (firstRow{a: answers[0]}).Scan(&micros); err != nil {
		return err
	}
	there, err := listDays(c)
	if err != nil {
		return err
	}
	return makeMissing(c, there, append(daysToCome(sid.DayOf(time.UnixMicro(micros))), others...))
}

// daysToCome are today and the days that are made ahead.
func daysToCome(today sid.Day) (days []sid.Day) {
	for day := today; day <= today+daysAhead; day++ {
		days = append(days, day)
	}
	return days
}

// makeMissing makes the partitions of those days that have none.
func makeMissing(c *conn, there map[sid.Day]bool, days []sid.Day) error {
	var errs []error
	for _, day := range days {
		if _, ok := there[day]; !ok {
			errs = append(errs, makeDay(c, day))
		}
	}
	return errors.Join(errs...)
}
