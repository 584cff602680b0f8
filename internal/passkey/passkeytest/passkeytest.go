// Package passkeytest is an authenticator in software, for tests: it makes keys, answers as browsers
// do, and lies where it is told to.
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// Authenticator is one key in one authenticator. Its fields are what it says of itself; a test
// changes them before an answer.
type Authenticator struct {
	ID      []byte
	Site    string // the relying party's id
	Origin  string // of the page or the application that asks
	User    string // the user handle
	Count   uint32
	Flags   byte
	key     *ecdsa.PrivateKey
	CrossOf bool // the page lies in a frame of another site
}

// The flags of authenticator data.
const (
	Present  = 1 << 0
	Verified = 1 << 2
	Copyable = 1 << 3
	Copied   = 1 << 4
	attested = 1 << 6
)

// New makes an authenticator with a new key, in the hands of somebody whom it has checked. Its count
// stays 0, as it does in those that share their keys.
func New(site, origin string) *Authenticator {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // it never fails
	return &Authenticator{ID: id, Site: site, Origin: origin, Flags: Present | Verified, key: key}
}

// Answer is the JSON form of a PublicKeyCredential. A test changes what it wants to.
type Answer map[string]any

// Response is the member response.
func (a Answer) Response() map[string]any { return a["response"].(map[string]any) }

// JSON is the body of a request.
func (a Answer) JSON() []byte {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return b
}

// Read is an answer as a server reads it, in a struct with the names of the members.
func Read[T any](a Answer) (read T) {
	if err := json.Unmarshal(a.JSON(), &read); err != nil {
		panic(err)
	}
	return read
}

// Register answers a request for a new key. challenge and user are as they stand in the options:
// base64url.
func (a *Authenticator) Register(challenge, user string) Answer {
	handle, err := base64.RawURLEncoding.DecodeString(user)
	if err != nil {
		panic(err)
	}
	a.User = string(handle)
	return a.answer(map[string]any{
		"clientDataJSON":    encode(a.ClientData("webauthn.create", challenge)),
		"attestationObject": encode(Attestation("none", a.Attested(a.PublicKey()))),
		"transports":        []string{"internal"},
	})
}

// Prove answers a request for a proof.
func (a *Authenticator) Prove(challenge string) Answer {
	client, data := a.ClientData("webauthn.get", challenge), a.data(a.Flags)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(slices.Concat(data, hash[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		panic(err)
	}
	return a.answer(map[string]any{
		"clientDataJSON":    encode(client),
		"authenticatorData": encode(data),
		"signature":         encode(signature),
		"userHandle":        encode([]byte(a.User)),
	})
}

func (a *Authenticator) answer(response map[string]any) Answer {
	return Answer{
		"id":                      encode(a.ID),
		"rawId":                   encode(a.ID),
		"type":                    "public-key",
		"authenticatorAttachment": "platform",
		"clientExtensionResults":  map[string]any{},
		"response":                response,
	}
}

// ClientData is what the browser says.
func (a *Authenticator) ClientData(ceremony, challenge string) []byte {
	return fmt.Appendf(nil, `{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":%v}`, ceremony, challenge, a.Origin, a.CrossOf)
}

// data is authenticator data without anything behind its head.
func (a *Authenticator) data(flags byte) []byte {
	hash := sha256.Sum256([]byte(a.Site))
	return binary.BigEndian.AppendUint32(append(hash[:], flags), a.Count)
}

// Attested is authenticator data with a public key.
func (a *Authenticator) Attested(public []byte) []byte {
	data := append(a.data(a.Flags|attested), make([]byte, 16)...) // of no model
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.ID)))
	return slices.Concat(data, a.ID, public)
}

// Unattested is authenticator data as it stands in a proof.
func (a *Authenticator) Unattested() []byte { return a.data(a.Flags) }

// PublicKey is the key in COSE, for ES256.
func (a *Authenticator) PublicKey() []byte {
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return slices.Concat([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33], []byte{0x22, 0x58, 32}, point[33:])
}

// Attestation is an attestation object with an empty statement.
func Attestation(format string, data []byte) []byte {
	object := append([]byte{0xa3, 0x63}, "fmt"...)
	object = append(append(object, 0x60+byte(len(format))), format...)
	object = append(append(object, 0x67), "attStmt\xa0\x68authData\x59"...)
	return append(binary.BigEndian.AppendUint16(object, uint16(len(data))), data...)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
