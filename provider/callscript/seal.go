package callscript

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

// Param is the parameter of a URL under which a vendor brings a sealed page back.
const Param = "say"

// Seal closes pages for their way through a vendor. It is safe for concurrent use.
type Seal struct {
	aead     cipher.AEAD
	nonceKey []byte
}

// NewSeal makes a Seal of a secret that all nodes share, which is one of the vendor's credentials.
func NewSeal(secret string) *Seal {
	keys, err := hkdf.Key(sha256.New, []byte(secret), nil, "verifyd callscript 1", 64)
	if err != nil {
		panic(fmt.Sprintf("callscript: %v", err)) // 64 bytes are not too many for SHA-256
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		panic(fmt.Sprintf("callscript: %v", err)) // 32 bytes are a key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("callscript: %v", err))
	}
	return &Seal{aead: aead, nonceKey: keys[32:]}
}

// travelling is a page on its way, with what of its script is needed to go on.
type travelling struct {
	Page
	Language string `json:"g"`
	Voice    string `json:"v,omitempty"`
	Ends     int64  `json:"e"` // Unix seconds, 0 for never
	ID       string `json:"i"` // makes two calls of the same words differ
}

// Close seals a page of s as text for a URL; id is the key of the hand-over. A page that is closed
// twice is the same text: its nonce is the MAC of it, so that no nonce serves two texts.
func (s *Seal) Close(of Script, p Page, id string) string {
	t := travelling{Page: p, Language: of.Language, Voice: of.Voice, ID: id}
	if !of.Ends.IsZero() {
		t.Ends = of.Ends.Unix()
	}
	text, err := json.Marshal(t)
	if err != nil {
		panic(fmt.Sprintf("callscript: %v", err)) // texts and numbers have a form
	}
	mac := hmac.New(sha256.New, s.nonceKey)
	mac.Write(text)
	nonce := mac.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, text, nil))
}

// maxSealed is more than a call has lines for.
const maxSealed = 16 << 10

// Open opens a page that a vendor brings back; pressed says that a key was. It is not ok where the seal
// is not ours, the code has expired, or a key is wanted and none was pressed: then nothing is said. Of
// the script only Language, Voice and Ends are set.
func (s *Seal) Open(sealed string, pressed bool, now time.Time) (of Script, p Page, id string, ok bool) {
	if len(sealed) > maxSealed {
		return Script{}, Page{}, "", false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	n := s.aead.NonceSize()
	if err != nil || len(raw) < n {
		return Script{}, Page{}, "", false
	}
	text, err := s.aead.Open(nil, raw[:n], raw[n:], nil)
	var t travelling
	if err != nil || json.Unmarshal(text, &t) != nil {
		return Script{}, Page{}, "", false
	}
	if t.Ends != 0 {
		of.Ends = time.Unix(t.Ends, 0)
		if now.After(of.Ends) {
			return Script{}, Page{}, "", false
		}
	}
	of.Language, of.Voice = t.Language, t.Voice
	return of, t.Page, t.ID, !t.Key || pressed
}

// At is the URL under which a vendor asks for a sealed page.
func At(u *url.URL, sealed string) string {
	at := *u
	if at.RawQuery != "" {
		at.RawQuery += "&"
	}
	at.RawQuery += Param + "=" + sealed
	return at.String()
}
