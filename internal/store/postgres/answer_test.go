package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"strconv"
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
)

func text(s string) value { return value{bytes: []byte(s)} }

func raw(b ...byte) value { return value{binary: true, bytes: b} }

func TestValuesInBothFormats(t *testing.T) {
	for _, c := range []struct {
		value value
		want  any // nil for an error
	}{
		{text("42"), int64(42)},
		{text("-9223372036854775808"), int64(-9223372036854775808)},
		{raw(0, 0, 0, 0, 0, 0, 1, 0), int64(256)},
		{raw(255, 255, 255, 255, 255, 255, 255, 255), int64(-1)},
		{raw(0, 0, 1, 0), int64(256)},
		{raw(255, 255, 255, 254), int64(-2)},
		{raw(255, 254), int64(-2)},
		{raw(0, 5), 5},
		{text("7"), 7},
		{text("Zürich"), "Zürich"},
		{raw([]byte("Zürich")...), "Zürich"},
		{text(""), ""},
		{text("sms"), verify.SMS},
		{raw(0, 1, 255), []byte{0, 1, 255}},
		{value{binary: true, bytes: []byte{}}, []byte{}},
		{text(`\x0001ff`), []byte{0, 1, 255}},
		{text(`\x`), []byte{}},
		{value{}, []byte(nil)},
	} {
		got := reflect.New(reflect.TypeOf(c.want))
		if err := c.value.scan(got.Interface()); err != nil || !reflect.DeepEqual(got.Elem().Interface(), c.want) {
			t.Errorf("%v as %T: %v, %v; want %v", c.value, c.want, got.Elem(), err, c.want)
		}
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		value value
		into  any
	}{
		{value{}, new(string)},
		{value{}, new(int64)},
		{value{}, new(int)},
		{value{}, new(verify.Channel)},
		{text("many"), new(int64)},
		{text("9223372036854775808"), new(int64)},
		{raw(1, 2, 3), new(int64)},
		{text("0001"), new([]byte)},
		{text(`\x0`), new([]byte)},
		{text(`\xgg`), new([]byte)},
		{text("1"), new(bool)},
		{text("1"), "no pointer"},
	} {
		if err := c.value.scan(c.into); err == nil {
			t.Errorf("%v went into a %T", c.value, c.into)
		}
	}
}

// Bytes that were read must not change with what they were read from.
func TestBytesAreCopied(t *testing.T) {
	from := raw(1, 2, 3)
	var got []byte
	if err := from.scan(&got); err != nil {
		t.Fatal(err)
	}
	from.bytes[0] = 9
	if !bytes.Equal(got, []byte{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}

func TestRowsAreReadInOrder(t *testing.T) {
	a := &answer{rows: [][]value{{text("1"), text("a")}, {text("2"), text("b")}}}
	var n int
	var s string
	for i, want := range []string{"a", "b"} {
		if !a.Next() {
			t.Fatalf("row %d is missing", i)
		}
		if err := a.Scan(&n, &s); err != nil || n != i+1 || s != want {
			t.Errorf("row %d: %d %q, %v", i, n, s, err)
		}
		if err := a.Scan(&n); err == nil {
			t.Error("two columns went into one variable")
		}
	}
	if a.Next() {
		t.Error("there is a third row")
	}
}

func TestTheFirstRow(t *testing.T) {
	var n int64
	if err := (firstRow{a: &answer{rows: [][]value{{text("7")}, {text("8")}}}}).Scan(&n); err != nil || n != 7 {
		t.Errorf("%d, %v; want 7", n, err)
	}
	if err := (firstRow{a: &answer{}}).Scan(&n); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("no row: %v, want ErrNotFound", err)
	}
	broken := errors.New("broken")
	if err := (firstRow{err: broken}).Scan(&n); !errors.Is(err, broken) {
		t.Errorf("an error instead of an answer: %v", err)
	}
}

// Whatever the server sends: no panic, and what is accepted is what was meant.
func FuzzValue(f *testing.F) {
	f.Add(true, []byte{0, 0, 0, 1})
	f.Add(false, []byte("-12"))
	f.Add(false, []byte(`\x00ff`))
	f.Fuzz(func(t *testing.T, isBinary bool, b []byte) {
		v := value{binary: isBinary, bytes: b}
		var n int64
		var content []byte
		switch err := v.scan(&n); {
		case err != nil:
		case isBinary:
			full := binary.BigEndian.AppendUint64(nil, uint64(n))
			if !bytes.HasSuffix(full, b) {
				t.Errorf("%x became %d", b, n)
			}
		default:
			if again, err := strconv.ParseInt(string(b), 10, 64); err != nil || again != n {
				t.Errorf("%q became %d", b, n)
			}
		}
		if err := v.scan(&content); err == nil && !isBinary && b != nil {
			if again, err := hex.DecodeString(string(b[2:])); err != nil || !bytes.Equal(again, content) {
				t.Errorf("%q became %x", b, content)
			}
		}
	})
}
