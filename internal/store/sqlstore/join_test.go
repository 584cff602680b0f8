package sqlstore

import "testing"

func TestJoinRepeatsTheRow(t *testing.T) {
	for _, c := range []struct {
		query string
		n     int
		want  string
	}{
		{`INSERT INTO job (id, kind) VALUES ($1, $2)`, 1, `INSERT INTO job (id, kind) VALUES ($1, $2)`},
		{`INSERT INTO job (id, kind) VALUES ($1, $2)`, 3, `INSERT INTO job (id, kind) VALUES ($1, $2), ($3, $4), ($5, $6)`},
		{"INSERT INTO job (id)\n\t\tVALUES ($1)", 2, "INSERT INTO job (id)\n\t\tVALUES ($1), ($2)"},
	} {
		if got := Join(c.query, c.n); got != c.want {
			t.Errorf("Join(%q, %d) = %q, want %q", c.query, c.n, got, c.want)
		}
	}
}
