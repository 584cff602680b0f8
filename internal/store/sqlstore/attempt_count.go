package sqlstore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// The counters of attempts. Every attempt is in three of them: in that of its hour, of its day, and
// of its day and the beginning of its number. A commit adds up what its functions counted and
// writes each counter once, at the end, so that many callers share a write, and a counter is locked
// for the time of a commit alone. Where several writers commit at the same time, each has counters
// of its own (a slot), and a reader adds them up.

// count is the name of one counter.
type count struct {
	account string
	span    verify.Span
	number  int64 // of the hour or the day
	prefix  string
	service string
	channel verify.Channel
	country string
}

// spanKey is how the keys of the counters of a span begin, and timeKey how those of an hour or a day
// do; they sort by time.
func spanKey(account string, span verify.Span) string {
	return account + "/" + string(rune(span)) + "/"
}

func timeKey(account string, span verify.Span, number int64) string {
	return fmt.Sprintf("%s%010d", spanKey(account, span), number)
}

func (c count) key(slot string) string {
	return strings.Join([]string{timeKey(c.account, c.span, c.number), c.prefix, c.service, string(c.channel), c.country, slot}, "/")
}

// Count implements verify.Tx.
func (t *Tx) Count(y verify.Tally) { t.tallies = append(t.tallies, y) }

// SumTallies are the writes that count what functions tallied, in the order of their keys, so that
// two commits lock counters in the same order. Without a tally there are none.
func SumTallies(slot string, txs ...*Tx) []Write {
	sums := map[count]verify.AttemptCount{}
	for _, t := range txs {
		for _, y := range t.tallies {
			hour := sid.HourOfKey(sid.Key(y.AttemptSID))
			c := count{account: y.AccountSID, span: verify.Hours, number: hour, service: y.ServiceSID, channel: y.Channel, country: y.Country}
			day := c
			day.span, day.number = verify.Days, hour/24
			prefix := day
			prefix.span, prefix.prefix = verify.PrefixDays, y.Prefix()
			for _, c := range []count{c, day, prefix} {
				n := sums[c]
				n.Made += y.Made
				n.Converted += y.Converted
				sums[c] = n
			}
		}
	}
	writes := make([]Write, 0, len(sums))
	for c, n := range sums {
		writes = append(writes, Write{
			Query: `INSERT INTO attempt_count (key, number, prefix, service_sid, channel, country, made, converted)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
				ON CONFLICT (key) DO UPDATE SET made = attempt_count.made + $7, converted = attempt_count.converted + $8`,
			Args: []any{c.key(slot), c.number, c.prefix, c.service, string(c.channel), c.country, n.Made, n.Converted},
		})
	}
	slices.SortFunc(writes, func(a, b Write) int { return strings.Compare(a.Args[0].(string), b.Args[0].(string)) })
	return writes
}

// ofCount is ofFilter for counters: what is left of a filter after the range of keys.
const ofCount = ` ($3 = '' OR service_sid = $3) AND ($4 = '' OR channel = $4) AND ($5 = '' OR country = $5)`

func countArgs(f verify.AttemptFilter, span verify.Span, from, before int64, more ...any) []any {
	return append([]any{timeKey(f.AccountSID, span, from), timeKey(f.AccountSID, span, before),
		f.ServiceSID, string(f.Channel), f.Country}, more...)
}

// SumCounts implements verify.Tx.
func (t *Tx) SumCounts(f verify.AttemptFilter, span verify.Span, from, before int64) (n verify.AttemptCount, err error) {
	if span == verify.PrefixDays {
		err = t.sumPrefix(f, from, before).Scan(&n.Made, &n.Converted)
		return n, err
	}
	err = t.conn.QueryRow(`SELECT CAST(coalesce(sum(made), 0) AS bigint), CAST(coalesce(sum(converted), 0) AS bigint) FROM attempt_count
		WHERE key >= $1 AND key < $2 AND`+ofCount, countArgs(f, span, from, before)...).Scan(&n.Made, &n.Converted)
	return n, err
}

// sumPrefix looks at the counters of every day that begin with the filter's prefix, and at no others:
// an account with customers everywhere has thousands of them a day. Each day is a question of its own,
// because PostgreSQL may read all counters, once for each day, where days and counters are joined. A
// colon is what follows the digit nine.
func (t *Tx) sumPrefix(f verify.AttemptFilter, from, before int64) Row {
	const ofDay = ` FROM attempt_count
		WHERE key >= $6 || substr(CAST(10000000000 + d AS text), 2) || $7
			AND key < $6 || substr(CAST(10000000000 + d AS text), 2) || $8 AND` + ofCount
	return t.conn.QueryRow(`WITH RECURSIVE day (d) AS (SELECT CAST($1 AS bigint) UNION ALL SELECT d + 1 FROM day WHERE d < $2 - 1)
		SELECT CAST(coalesce(sum((SELECT sum(made)`+ofDay+`)), 0) AS bigint),
			CAST(coalesce(sum((SELECT sum(converted)`+ofDay+`)), 0) AS bigint) FROM day`,
		from, before, f.ServiceSID, string(f.Channel), f.Country,
		spanKey(f.AccountSID, verify.PrefixDays), "/"+f.Prefix, "/"+f.Prefix+":")
}

// LastCounted implements verify.Tx.
func (t *Tx) LastCounted(f verify.AttemptFilter, span verify.Span, from, before int64) (number int64, err error) {
	wantConverted, wantUnconverted := toBit(f.Conversion == verify.Converted), toBit(f.Conversion == verify.Unconverted)
	err = t.conn.QueryRow(`SELECT number FROM attempt_count
		WHERE key >= $1 AND key < $2 AND`+ofCount+` AND ($6 = 0 OR converted > 0) AND ($7 = 0 OR made > converted)
		ORDER BY key DESC LIMIT 1`,
		countArgs(f, span, from, before, wantConverted, wantUnconverted)...).Scan(&number)
	return number, err
}

// ForgetCounts implements verify.Tx.
func (t *Tx) ForgetCounts(accountSID string, span verify.Span, before int64, limit int) (more bool, err error) {
	from := timeKey(accountSID, span, 0)
	var found int64
	var last string
	if err := t.conn.QueryRow(`SELECT count(*), coalesce(max(key), '') FROM (
			SELECT key FROM attempt_count WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3
		) AS chunk`, from, timeKey(accountSID, span, before), limit).Scan(&found, &last); err != nil || found == 0 {
		return false, err
	}
	t.write(`DELETE FROM attempt_count WHERE key >= $1 AND key <= $2`, from, last)
	return found == int64(limit), nil
}
