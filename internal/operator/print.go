package operator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Output is where answers go.
type Output struct {
	W     io.Writer
	Notes io.Writer // for what is no part of the answer
	Width int       // of the terminal; 0 if there is none, then nothing is cut
}

// column is a column of a table: a heading, and the keys under which a record has the value, with
// dots for objects in objects and | between alternatives.
type column struct{ title, keys string }

// table prints records in columns, page by page: columns become wider on a later page where its
// values need it, but never narrower.
type table struct {
	columns []column
	out     Output
	widths  []int
}

func (t *table) print(records []json.RawMessage) error {
	var rows [][]string
	if t.widths == nil {
		t.widths = make([]int, len(t.columns))
		var head []string
		for _, c := range t.columns {
			head = append(head, c.title)
		}
		rows = append(rows, head)
	}
	for _, r := range records {
		values, err := decodeRecord(r)
		if err != nil {
			return err
		}
		var row []string
		for _, c := range t.columns {
			row = append(row, cell(values, c.keys))
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i, value := range row {
			t.widths[i] = max(t.widths[i], columnsOf(value))
		}
	}
	var b bytes.Buffer
	for _, row := range rows {
		line := ""
		for i, value := range row {
			line += value + strings.Repeat(" ", t.widths[i]-columnsOf(value)+2)
		}
		b.WriteString(cut(strings.TrimRight(line, " "), t.out.Width) + "\n")
	}
	_, err := t.out.W.Write(b.Bytes())
	return err
}

// cell is the value of a record for people, "-" where there is none.
func cell(record map[string]any, keys string) string {
	for key := range strings.SplitSeq(keys, "|") {
		var value any = record
		for part := range strings.SplitSeq(key, ".") {
			object, _ := value.(map[string]any)
			value = object[part]
		}
		if s := inCell(value); s != "" {
			return s
		}
	}
	return "-"
}

func inCell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, inCell(one))
		}
		return strings.Join(all, ", ")
	case map[string]any:
		return languages(v)
	default:
		return printable(fmt.Sprint(v))
	}
}

// languages are the keys of an object of translations, the default one first, and those that wait
// for approval marked.
func languages(translations map[string]any) string {
	var all []string
	for tag, value := range translations {
		one, _ := value.(map[string]any)
		word := printable(tag)
		if one["status"] != "approved" {
			word += " (" + printable(fmt.Sprint(one["status"])) + ")"
		}
		if one["is_default_translation"] == true {
			word = "\x00" + word // before all others
		}
		all = append(all, word)
	}
	slices.Sort(all)
	return strings.TrimPrefix(strings.Join(all, ", "), "\x00")
}

// printRecord prints one record: a line for each value that is set, by its key, then what the
// server says in headers of its own.
func (call *Call) printRecord(out Output, got *reply) error {
	switch {
	case call.json:
		return printLines(out.W, []json.RawMessage{got.body})
	case call.quiet:
		return call.printIDs(out, []json.RawMessage{got.body})
	}
	lines, err := flatten(got.body)
	if err != nil {
		return err
	}
	inner := call.command.verb.inner
	lines = slices.DeleteFunc(lines, func(l [2]string) bool {
		return inner != "" && (l[0] == inner || strings.HasPrefix(l[0], inner+"."))
	})
	var own []string
	for name := range got.header {
		if strings.HasPrefix(name, "Verifyd-") {
			own = append(own, name)
		}
	}
	slices.Sort(own)
	for _, name := range own {
		lines = append(lines, [2]string{name, got.header.Get(name)})
	}
	wide := 0
	for _, l := range lines {
		wide = max(wide, columnsOf(l[0]))
	}
	var b bytes.Buffer
	for _, l := range lines {
		fmt.Fprintf(&b, "%-*s  %s\n", wide, l[0], l[1])
	}
	if _, err := out.W.Write(b.Bytes()); err != nil || inner == "" {
		return err
	}
	return call.printInner(out, got.body)
}

// printInner prints the list in a record as a table.
func (call *Call) printInner(out Output, body []byte) error {
	var record map[string]json.RawMessage
	if err := json.Unmarshal(body, &record); err != nil {
		return fmt.Errorf("a record that cannot be read: %w", err)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(record[call.command.verb.inner], &list); err != nil {
		return fmt.Errorf("%q: %w", call.command.verb.inner, err)
	}
	if _, err := fmt.Fprintln(out.W); err != nil {
		return err
	}
	t := table{columns: call.command.resource.columns, out: out}
	return t.print(list)
}

func (call *Call) printIDs(out Output, records []json.RawMessage) error {
	for _, r := range records {
		values, err := decodeRecord(r)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out.W, cell(values, call.command.resource.id)); err != nil {
			return err
		}
	}
	return nil
}

// printLines prints JSON as it came, one record a line.
func printLines(w io.Writer, records []json.RawMessage) error {
	for _, r := range records {
		if _, err := fmt.Fprintf(w, "%s\n", r); err != nil {
			return err
		}
	}
	return nil
}

func decodeRecord(text json.RawMessage) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil {
		return nil, fmt.Errorf("a record that cannot be read: %w", err)
	}
	return values, nil
}

// flatten makes lines of a record, in its own order, with dots for objects in objects. Values that
// are not set are left out, as are the addresses of other records, which are for programs.
func flatten(body []byte) ([][2]string, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var lines [][2]string
	var walk func(path string) error
	walk = func(path string) error {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("a record that cannot be read: %w", err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			from := len(lines)
			for i := 0; d.More(); i++ {
				key := strconv.Itoa(i)
				if token == json.Delim('{') {
					name, err := d.Token()
					if err != nil {
						return err
					}
					key = printable(fmt.Sprint(name))
				}
				if path != "" {
					key = path + "." + key
				}
				if err := walk(key); err != nil {
					return err
				}
			}
			if token == json.Delim('[') {
				lines = append(lines[:from], joined(path, lines[from:])...)
			}
			_, err = d.Token()
			return err
		case nil, "":
			return nil
		}
		if path != "url" && !strings.HasPrefix(path, "links.") {
			lines = append(lines, [2]string{path, printable(fmt.Sprint(token))})
		}
		return nil
	}
	return lines, walk("")
}

// joined is the lines of an array: one, if its elements are neither objects nor arrays.
func joined(path string, elements [][2]string) [][2]string {
	var values []string
	for i, e := range elements {
		if e[0] != path+"."+strconv.Itoa(i) {
			return elements
		}
		values = append(values, e[1])
	}
	if values == nil {
		return nil
	}
	return [][2]string{{path, strings.Join(values, ", ")}}
}

// printable keeps what others have written from steering the terminal: what is no letter, sign or
// space is written as Go escapes it.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// columnsOf is how many columns of a terminal a text takes.
func columnsOf(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOfRune(r)
	}
	return n
}

func columnsOfRune(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && isWide(width.LookupRune(r).Kind()):
		return 2
	default:
		return 1
	}
}

func isWide(k width.Kind) bool { return k == width.EastAsianWide || k == width.EastAsianFullwidth }

// cut cuts a line to the width of the terminal, 0 being no terminal.
func cut(line string, columns int) string {
	if columns <= 0 || columnsOf(line) <= columns {
		return line
	}
	used := 0
	for i, r := range line {
		if used += columnsOfRune(r); used >= columns {
			return line[:i] + "…"
		}
	}
	return line
}
