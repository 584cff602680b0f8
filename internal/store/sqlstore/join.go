package sqlstore

import (
	"strconv"
	"strings"
)

// Join is an INSERT of one row (see Write.Adds) as an INSERT of n, whose arguments come one row after the
// other. PostgreSQL spends more on the beginning and the end of a statement than on a row.
func Join(query string, n int) string {
	head, row, found := strings.Cut(query, "VALUES (")
	columns := strings.Count(row, "$")
	if !found || columns == 0 {
		panic("no INSERT of one row: " + query) // written in this package
	}
	b := []byte(head + "VALUES ")
	for i := range n {
		if i > 0 {
			b = append(b, ", "...)
		}
		for j := range columns {
			if j == 0 {
				b = append(b, '(')
			} else {
				b = append(b, ", "...)
			}
			b = strconv.AppendInt(append(b, '$'), int64(i*columns+j+1), 10)
		}
		b = append(b, ')')
	}
	return string(b)
}
