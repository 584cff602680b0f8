package postgres

import (
	"time"
)

// resolvePatience bounds how long the callers of a commit wait to learn what became of it.
const resolvePatience = 6 * time.Second

// resolve learns whether a commit came about whose answer was lost.
//
// The mark of the commit is a row that the transaction wrote. resolve tries to put the mark there
// itself. Its key is unique, so the database makes one of the two wait for the other and lets one
// of them win: if the transaction's row is there, it was committed; if ours is, it was not and
// cannot be any more, even if its last bytes are still on their way to the server.
//
// A commit that waits for a synchronous standby when its client goes away ends the wait: it can be
// seen, and is lost all the same if that standby is promoted. So resolve writes in either case,
// which makes its own commit wait for the standby to have everything before it.
func (w *session) resolve(mark []byte) (committed bool, err error) {
	deadline := time.Now().Add(resolvePatience)
	for {
		if committed, err = w.askForMark(mark); err == nil {
			w.store.log.Warn("the answer to a commit was lost", "committed", committed)
			return committed, nil
		}
		w.drop()
		if time.Now().After(deadline) {
			w.store.log.Error("the answer to a commit was lost, and the database stays away", "error", err)
			return false, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (w *session) askForMark(mark []byte) (committed bool, err error) {
	if w.conn == nil {
		if w.conn, err = w.store.connect(); err != nil {
			return false, err
		}
	}
	answers, err := w.conn.run(
		statement{query: `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`},
		statement{query: settings},
		statement{query: `INSERT INTO commit_mark (mark, at, fenced) VALUES ($1, $2, 1)
			ON CONFLICT (mark) DO UPDATE SET at = excluded.at RETURNING fenced`, args: []any{mark, time.Now().UnixMilli()}},
		statement{query: `COMMIT`})
	if err != nil {
		return false, err
	}
	var fenced int64
	if err := (firstRow{a: answers[2]}).Scan(&fenced); err != nil {
		return false, err
	}
	return fenced == 0, nil
}
