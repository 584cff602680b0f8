package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/verifyd/verifyd/internal/store/storetest"
)

// One server and commands beside it use the file at once.
func TestNodesOnAFile(t *testing.T) {
	storetest.RunNodes(t, func(t *testing.T, n int) []storetest.Store {
		path := filepath.Join(t.TempDir(), "verifyd.db")
		var stores []storetest.Store
		for i := range n {
			stores = append(stores, open(t, path, i == 0))
		}
		return stores
	})
}
