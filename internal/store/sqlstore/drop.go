package sqlstore

import (
	"context"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/sid"
)

// dropChunk bounds the time that one step of a Dropper keeps a writer busy to less than a
// millisecond.
const dropChunk = 100

// Dropper removes old rows, chunk by chunk, from tables whose id is the key of a SID.
type Dropper struct {
	Tables []string

	mu sync.Mutex
	// gone is the id up to which a table is empty. Until PostgreSQL vacuums a table, its index still
	// has the rows that were deleted; without this, every walk would pass over all of them.
	gone map[string]int64
}

// DropBefore removes the rows that were minted before a time. update runs a function in a
// transaction of its own.
func (d *Dropper) DropBefore(ctx context.Context, update func(context.Context, func(*Tx) error) error, before time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, table := range d.Tables {
		from, begun := d.gone[table]
		if !begun {
			from = -1
		}
		for more := true; more && ctx.Err() == nil; {
			var last int64
			if err := update(ctx, func(tx *Tx) (err error) {
				last, more, err = tx.dropChunk(table, from, sid.KeyAt(before))
				return err
			}); err != nil {
				return err
			}
			from = last
		}
		if d.gone == nil {
			d.gone = map[string]int64{}
		}
		d.gone[table] = from
	}
	return nil
}

// dropChunk removes the next rows after an id and below another one. It returns the last of them.
func (t *Tx) dropChunk(table string, from, below int64) (last int64, more bool, err error) {
	var found int64
	if err := t.conn.QueryRow(`SELECT count(*), coalesce(max(id), 0) FROM (
			SELECT id FROM `+table+` WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3
		) AS chunk`, from, below, dropChunk).Scan(&found, &last); err != nil || found == 0 {
		return from, false, err
	}
	t.many = true
	t.write(`DELETE FROM `+table+` WHERE id > $1 AND id <= $2`, from, last)
	return last, found == dropChunk, nil
}
