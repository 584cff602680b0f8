package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/verifyd/verifyd/internal/store/sqlstore"
	"github.com/verifyd/verifyd/internal/verify"
)

// statement is one step of a pipeline.
type statement struct {
	query string
	args  []any
}

// answer is what a statement returned, copied out of the connection's buffer. The schema has three
// kinds of column, numbers, texts and bytes, so the decoding is ours: the driver's own type map
// belongs to one connection, and answers outlive its turn.
type answer struct {
	rows [][]value
	at   int // rows already read
	tag  string
}

type value struct {
	binary bool
	bytes  []byte // nil for NULL
}

var (
	_ sqlstore.Rows = (*answer)(nil)
	_ sqlstore.Row  = firstRow{}
)

// Next implements sqlstore.Rows.
func (a *answer) Next() bool {
	a.at++
	return a.at <= len(a.rows)
}

// Scan implements sqlstore.Rows.
func (a *answer) Scan(dest ...any) error {
	row := a.rows[a.at-1]
	if len(dest) != len(row) {
		return fmt.Errorf("%d columns for %d variables", len(row), len(dest))
	}
	for i, d := range dest {
		if err := row[i].scan(d); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

// Err implements sqlstore.Rows.
func (a *answer) Err() error { return nil }

// Close implements sqlstore.Rows.
func (a *answer) Close() error { return nil }

// firstRow is an answer of which one row is wanted.
type firstRow struct {
	a   *answer
	err error
}

// Scan implements sqlstore.Row.
func (r firstRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if !r.a.Next() {
		return verify.ErrNotFound
	}
	return r.a.Scan(dest...)
}

var errNull = errors.New("NULL for a variable that has none")

func (v value) scan(dest any) error {
	switch d := dest.(type) {
	case *[]byte:
		return v.scanBytes(d)
	case *string:
		if v.bytes == nil {
			return errNull
		}
		*d = string(v.bytes)
		return nil
	case *int64:
		n, err := v.number()
		*d = n
		return err
	case *int:
		n, err := v.number()
		*d = int(n)
		return err
	}
	// The domain's own texts, such as verify.Channel.
	if d := reflect.ValueOf(dest); d.Kind() == reflect.Pointer && d.Elem().Kind() == reflect.String && v.bytes != nil {
		d.Elem().SetString(string(v.bytes))
		return nil
	}
	return fmt.Errorf("no way to read %T", dest)
}

func (v value) scanBytes(d *[]byte) (err error) {
	switch {
	case v.bytes == nil:
		*d = nil
	case v.binary:
		*d = append([]byte{}, v.bytes...)
	case len(v.bytes) < 2 || v.bytes[0] != '\\' || v.bytes[1] != 'x':
		return errors.New("bytes that are not in hexadecimal digits")
	default:
		*d, err = hex.AppendDecode([]byte{}, v.bytes[2:])
	}
	return err
}

func (v value) number() (int64, error) {
	switch {
	case v.bytes == nil:
		return 0, errNull
	case !v.binary:
		return strconv.ParseInt(string(v.bytes), 10, 64)
	case len(v.bytes) == 8:
		return int64(binary.BigEndian.Uint64(v.bytes)), nil
	case len(v.bytes) == 4:
		return int64(int32(binary.BigEndian.Uint32(v.bytes))), nil
	case len(v.bytes) == 2:
		return int64(int16(binary.BigEndian.Uint16(v.bytes))), nil
	default:
		return 0, fmt.Errorf("a number of %d bytes", len(v.bytes))
	}
}
