// Package keyring keeps the secrets of an installation: it seals what must be read again (a code
// for its resend, an auth token that signs webhooks), and computes keyed digests of what must only
// be compared (the code of a check).
//
// Everything derives from root keys in one file. Each purpose has its own key (HKDF-SHA-256,
// RFC 5869), so that a value sealed for one is nothing to another. A sealed value begins with the
// number of its root key: after a rotation new values use the first key of the file, and old ones
// are still opened by the others.
package keyring

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
)

// Purpose separates keys. A new use of the ring is a new purpose.
type Purpose string

// The purposes in use.
const (
	PasscodeMAC  Purpose = "otp-mac"  // digests of codes, compared by a check
	PasscodeSeal Purpose = "otp-seal" // codes, read again for a resend
	TokenSeal    Purpose = "token-seal"
	MeterMAC     Purpose = "meter-mac"  // names of meters, so that what is counted is not stored
	TOTPSeal     Purpose = "totp-seal"  // seeds of authenticator apps, read for every answer
	ReportMAC    Purpose = "report-mac" // secrets in the URLs that carriers call
	// HandsetSeal is for the tokens under which push platforms know handsets: who has one and the
	// application's key can write to the person.
	HandsetSeal Purpose = "handset-seal"
	AccessSeal  Purpose = "access-token" // the claims of access tokens, and the tokens kept to be shown again
)

var purposes = []Purpose{PasscodeMAC, PasscodeSeal, TokenSeal, MeterMAC, TOTPSeal, ReportMAC, HandsetSeal, AccessSeal}

const rootBytes = 32

// Ring holds the keys derived from every root. It is safe for concurrent use.
type Ring struct {
	current byte // the root that seals
	roots   map[byte]root
}

// root is one root key's derived keys, prepared once: deriving one for each request would cost
// more than the sealing.
type root struct {
	mac  map[Purpose]*sync.Pool // of HMACs (hash.Hash): a new one digests its key first
	seal map[Purpose]cipher.AEAD
}

// ErrSealed says that a value does not open: it is damaged, belongs to another row, or was sealed
// by a root key that the ring does not have.
var ErrSealed = errors.New("sealed value does not open")

// Generate writes a new key file with one root, readable by its owner alone. It does not replace
// an existing file.
func Generate(path string, random io.Reader) error {
	var key [rootBytes]byte
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return fmt.Errorf("make a root key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "# verifyd root keys, one a line: number, 32 bytes in hex. The first one seals.\n"+
		"# Whoever has this file and the database can read pending codes and auth tokens.\n1 %x\n", key)
	return errors.Join(err, f.Sync(), f.Close())
}

// New makes a ring that is in no file: what it seals can be opened for as long as the process lives.
func New(random io.Reader) (*Ring, error) {
	var key [rootBytes]byte
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return nil, fmt.Errorf("make a root key: %w", err)
	}
	return Parse(fmt.Appendf(nil, "1 %x", key))
}

// Load reads a key file. A file that others may read is refused.
func Load(path string) (*Ring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s: others may read it (mode %04o): chmod 600 it", path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	ring, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// LoadOrGenerate reads the key file at path and makes it first where there is none.
func LoadOrGenerate(path string, random io.Reader) (*Ring, error) {
	ring, err := Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := Generate(path, random); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		return Load(path)
	}
	return ring, err
}

// Parse reads the text of a key file: lines of a number from 1 to 255 and 64 hexadecimal digits.
// Empty lines and lines that begin with # are passed over.
func Parse(text []byte) (*Ring, error) {
	ring := &Ring{roots: map[byte]root{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		number, digits, _ := strings.Cut(line, " ")
		id, err := strconv.ParseUint(number, 10, 8)
		if err != nil || id == 0 {
			return nil, fmt.Errorf("line %d: want a number from 1 to 255 and a key in hex", n)
		}
		key, err := hex.DecodeString(strings.TrimSpace(digits))
		if err != nil || len(key) != rootBytes {
			return nil, fmt.Errorf("line %d: key %d is not %d bytes in hex", n, id, rootBytes)
		}
		if _, twice := ring.roots[byte(id)]; twice {
			return nil, fmt.Errorf("line %d: key %d stands twice", n, id)
		}
		if ring.current == 0 {
			ring.current = byte(id)
		}
		if ring.roots[byte(id)], err = derive(key); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if ring.current == 0 {
		return nil, errors.New("no key in it")
	}
	return ring, nil
}

func derive(key []byte) (root, error) {
	r := root{mac: map[Purpose]*sync.Pool{}, seal: map[Purpose]cipher.AEAD{}}
	for _, p := range purposes {
		k, err := hkdf.Key(sha256.New, key, nil, "verifyd "+string(p), rootBytes)
		if err != nil {
			return root{}, err
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return root{}, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return root{}, err
		}
		r.mac[p] = &sync.Pool{New: func() any { return hmac.New(sha256.New, k) }}
		r.seal[p] = aead
	}
	return r, nil
}

// MAC is a keyed digest of parts, with the number of its root key in front: 33 bytes. Parts are
// length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
func (r *Ring) MAC(p Purpose, parts ...string) []byte {
	return r.mac(r.current, p, parts)
}

// MatchesMAC reports, in constant time, whether mac is the MAC of parts under the key that made it.
func (r *Ring) MatchesMAC(mac []byte, p Purpose, parts ...string) bool {
	if len(mac) == 0 {
		return false
	}
	if _, known := r.roots[mac[0]]; !known {
		return false
	}
	return hmac.Equal(mac, r.mac(mac[0], p, parts))
}

func (r *Ring) mac(id byte, p Purpose, parts []string) []byte {
	pool := r.roots[id].mac[p]
	h := pool.Get().(hash.Hash)
	defer pool.Put(h)
	h.Reset()
	text := make([]byte, 0, 128)
	for _, part := range parts {
		text = binary.LittleEndian.AppendUint64(text, uint64(len(part)))
		text = append(text, part...)
	}
	h.Write(text)
	return h.Sum(append(make([]byte, 0, 1+sha256.Size), id))
}

// Number is the number of the root key that seals.
func (r *Ring) Number() byte { return r.current }

// Seal encrypts a value for one place, named by row: the kind of value and the SID of its row. It
// opens in that place alone. A sealed value is the number of its root key, then a nonce of 12 bytes,
// the ciphertext and a tag of 16 bytes (AES-256-GCM, row being the additional data).
func (r *Ring) Seal(p Purpose, value, row string) []byte {
	return r.roots[r.current].seal[p].Seal([]byte{r.current}, nil, []byte(value), []byte(row))
}

// Open is the reverse of Seal. Its error is ErrSealed.
func (r *Ring) Open(p Purpose, sealed []byte, row string) (string, error) {
	if len(sealed) == 0 {
		return "", ErrSealed
	}
	root, known := r.roots[sealed[0]]
	if !known {
		return "", fmt.Errorf("root key %d is not in the key file: %w", sealed[0], ErrSealed)
	}
	value, err := root.seal[p].Open(nil, nil, sealed[1:], []byte(row))
	if err != nil {
		return "", ErrSealed
	}
	return string(value), nil
}
