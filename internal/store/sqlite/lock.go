package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// fileLock keeps two servers from one database: both would run the same jobs. The operating system
// drops it when the process ends, however it ends.
type fileLock struct{ f *os.File }

// ErrInUse says that another server has the database.
var ErrInUse = errors.New("another verifyd uses this database")

func lockFile(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrInUse, f.Close())
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return &fileLock{f}, nil
}

func (l *fileLock) release() error { return l.f.Close() }
