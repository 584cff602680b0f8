package postgres

import (
	"strings"
	"testing"
)

// A mistake in an address is shown and logged, and a password may have any character in it.
func TestAMistakeInAnAddressDoesNotShowThePassword(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://user:s3cret@host/db?connect_timeout=x":     "invalid connect_timeout",
		"postgres://user:p@s3cret@host/db?connect_timeout=x":   "invalid connect_timeout",
		"postgres://user:p`: s3cret@host/db":                   "spaces",
		"postgres://user:s3c%zzret@host/db":                    "invalid percent-encoded token",
		"postgres://user@host/db?password=s3cret&sslmode=zz":   "sslmode is invalid",
		"postgres://user:p@s3cret@host/db?sslrootcert=/ca.pem": "/ca.pem",
	} {
		_, err := parse(dsn)
		if err == nil || strings.Contains(err.Error(), "s3c") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want that it says %q and not the password", dsn, err, want)
		}
	}
}
