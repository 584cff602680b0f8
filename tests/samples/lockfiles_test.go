package samples

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A lockfile with the host of a registry works where that one is reached, and nowhere else. (npm leaves it
// out with --omit-lockfile-registry-resolved.)
func TestLockfilesNameNoRegistry(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && strings.Trim(d.Name(), ".") != ""):
			return fs.SkipDir
		case d.Name() != "package-lock.json":
			return nil
		}
		found++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var lock struct {
			Packages map[string]struct{ Resolved, Integrity string }
		}
		if err := json.Unmarshal(text, &lock); err != nil {
			return err
		}
		for name, p := range lock.Packages {
			if strings.Contains(p.Resolved, "://") {
				t.Errorf("%s: %s comes from %s", path, name, p.Resolved)
			}
		}
		return nil
	})
	if err != nil || found < 5 {
		t.Errorf("%d lockfiles, %v", found, err)
	}
}
