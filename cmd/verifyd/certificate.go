package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateFiles is a certificate in two files that somebody renews.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu        sync.Mutex
	current   *tls.Certificate
	changed   time.Time // of the certificate file, as it was last read
	looked    time.Time
	complaint string // what was last wrong with the files; it is logged once, not at every look
}

// lookEvery bounds how often the files are looked at.
const lookEvery = time.Second

// get implements tls.Config.GetCertificate. A new pair that cannot be read leaves the old one in
// place: the renewal may be half written.
func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil && time.Since(f.looked) < lookEvery {
		return f.current, nil
	}
	f.looked = time.Now()
	err := f.look()
	if f.current == nil {
		return nil, err
	}
	complaint := ""
	if err != nil {
		complaint = err.Error()
	}
	if complaint != "" && complaint != f.complaint {
		f.log.Error("cannot read the certificate files, the certificate that was read before is kept",
			"cert_file", f.cert, "key_file", f.key, "error", err)
	}
	f.complaint = complaint
	return f.current, nil
}

// look reads the pair if its certificate file has changed.
func (f *certificateFiles) look() error {
	info, err := os.Stat(f.cert)
	if err != nil {
		return err
	}
	if f.current != nil && info.ModTime().Equal(f.changed) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	if f.current != nil {
		f.log.Info("certificate renewed", "not_after", pair.Leaf.NotAfter)
	}
	f.current, f.changed = &pair, info.ModTime()
	return nil
}
