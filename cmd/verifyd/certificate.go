package main

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// certificateFiles is a certificate in two files that somebody renews.
type certificateFiles struct {
	cert, key string

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the certificate file, as it was last read
	looked  time.Time
}

// lookEvery bounds how often the files are looked at.
const lookEvery = 10 * time.Second

// get implements tls.Config.GetCertificate. A new pair that cannot be read leaves the old one in
// place: the renewal may be half written.
func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil && time.Since(f.looked) < lookEvery {
		return f.current, nil
	}
	f.looked = time.Now()
	info, err := os.Stat(f.cert)
	if err == nil && f.current != nil && info.ModTime().Equal(f.changed) {
		return f.current, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(f.cert, f.key); err == nil {
			f.current, f.changed = &pair, info.ModTime()
		}
	}
	if f.current == nil {
		return nil, err
	}
	return f.current, nil
}
