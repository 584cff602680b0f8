// Package passkey reads what authenticators answer: a new key, and a proof that the key is there
// (W3C Web Authentication Level 3, sections 7.1 and 7.2). It says which part of an answer is wrong,
// because the API has a code for each.
//
// The encodings and the signatures are those of go-webauthn, which nobody else imports: its words
// end here. It is used by its parts and not through its ceremonies, which keep a session of their own
// and answer every refusal alike. Of an attestation the statement is not looked at: verifyd asks
// authenticators for none.
package passkey

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// Part is the part of an answer that is wrong.
type Part int

// The parts.
const (
	PartID Part = iota + 1
	PartRawID
	PartAttachment
	PartResponse
	PartAuthenticatorData
	PartClientData
	PartSignature
	PartRelyingParty
	PartPublicKey
	PartAttestation
	PartAttestedCredential
)

// Error refuses an answer.
type Error struct {
	Part Part
	Why  error // for people; it may quote the answer
}

func (e *Error) Error() string { return fmt.Sprintf("passkey: part %d: %v", e.Part, e.Why) }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Why }

func wrong(part Part, why string) error { return &Error{part, errors.New(why)} }

// Wanted is what an answer is held against.
type Wanted struct {
	Challenge string // as text, before it is encoded
	Site      string // the relying party's id: a domain
	// Origins are the web pages and the applications that may ask: https://example.com,
	// android:apk-key-hash:….
	Origins []string
	// VerifiedUser wants the authenticator to have checked who uses it, by a finger or a PIN.
	VerifiedUser bool
}

// Key is what is kept of a passkey.
type Key struct {
	ID     []byte
	Public []byte // COSE, for ES256
	// Count is the number that an authenticator raises with each answer, always 0 from those that
	// share their keys between devices.
	Count      uint32
	Transports []string // hints for the browser, as it gave them
	// Copyable says that the key may lie on several devices, and Copied that it does. Both change:
	// some authenticators tell only after they have shared it.
	Copyable, Copied bool
}

// Algorithm is the one signature algorithm that keys are asked for: ES256, by its COSE number. Every
// authenticator has it.
const Algorithm = int(webauthncose.AlgES256)

// Check holds a new key against what was asked.
func (r *Registration) Check(want Wanted) (Key, error) {
	if err := r.client.check(protocol.CreateCeremony, want); err != nil {
		return Key{}, err
	}
	var object protocol.AttestationObject
	if err := webauthncbor.Unmarshal(r.attestation, &object); err != nil {
		return Key{}, &Error{PartAttestation, err}
	}
	if object.Format == "" {
		return Key{}, wrong(PartAttestation, "it has no format")
	}
	data, err := readAuthenticatorData(object.RawAuthData, PartAttestedCredential)
	if err != nil {
		return Key{}, err
	}
	if err := checkAuthenticatorData(data, want); err != nil {
		return Key{}, err
	}
	if !data.Flags.HasAttestedCredentialData() || !bytes.Equal(data.AttData.CredentialID, r.ID) {
		return Key{}, wrong(PartAttestedCredential, "it is missing, or of another id")
	}
	if _, err := parseKey(data.AttData.CredentialPublicKey); err != nil {
		return Key{}, err
	}
	return Key{
		ID:         r.ID,
		Public:     data.AttData.CredentialPublicKey,
		Count:      data.Counter,
		Transports: r.transports,
		Copyable:   data.Flags.HasBackupEligible(),
		Copied:     data.Flags.HasBackupState(),
	}, nil
}

// Check holds a proof against what was asked and the key that was kept, and returns the key as it is
// to be kept from now on. A count that does not grow refuses the answer: another authenticator has
// the same key, which cannot be unless it was copied.
func (p *Proof) Check(want Wanted, key Key) (Key, error) {
	if err := p.client.check(protocol.AssertCeremony, want); err != nil {
		return Key{}, err
	}
	data, err := readAuthenticatorData(p.authenticator, PartAuthenticatorData)
	if err != nil {
		return Key{}, err
	}
	if err := checkAuthenticatorData(data, want); err != nil {
		return Key{}, err
	}
	public, err := parseKey(key.Public)
	if err != nil {
		return Key{}, err
	}
	hash := sha256.Sum256(p.client.text)
	if ok, err := public.Verify(slices.Concat(p.authenticator, hash[:]), p.signature); err != nil || !ok {
		return Key{}, wrong(PartSignature, "it is not that of the key")
	}
	if (key.Count != 0 || data.Counter != 0) && data.Counter <= key.Count {
		return Key{}, wrong(PartAuthenticatorData, "its count has not grown: the key was copied")
	}
	key.Count, key.Copyable, key.Copied = data.Counter, data.Flags.HasBackupEligible(), data.Flags.HasBackupState()
	return key, nil
}

// readAuthenticatorData decodes authenticator data. detail is the part to which what lies behind its
// head belongs.
func readAuthenticatorData(raw []byte, detail Part) (data protocol.AuthenticatorData, err error) {
	const head = sha256.Size + 1 + 4 // hash, flags, count
	if len(raw) < head {
		return data, wrong(PartAuthenticatorData, "it is too short")
	}
	if err := data.Unmarshal(raw); err != nil {
		return data, &Error{detail, err}
	}
	return data, nil
}

func checkAuthenticatorData(data protocol.AuthenticatorData, want Wanted) error {
	site := sha256.Sum256([]byte(want.Site))
	switch flags := data.Flags; {
	case !bytes.Equal(data.RPIDHash, site[:]):
		return wrong(PartRelyingParty, "it is for another relying party")
	case !flags.HasUserPresent():
		return wrong(PartAuthenticatorData, "nobody was there")
	case want.VerifiedUser && !flags.HasUserVerified():
		return wrong(PartAuthenticatorData, "the authenticator has not checked who was there")
	case flags.HasBackupState() && !flags.HasBackupEligible():
		return wrong(PartAuthenticatorData, "the key is copied and cannot be copied")
	}
	return nil
}

// check holds what the browser says against what was asked.
func (c clientData) check(ceremony protocol.CeremonyType, want Wanted) error {
	var web, apps []string
	for _, origin := range want.Origins {
		if strings.HasPrefix(origin, "http") {
			web = append(web, origin)
		} else {
			apps = append(apps, origin)
		}
	}
	err := c.said.Verify(encode(want.Challenge), ceremony, web, apps, nil, protocol.TopOriginExplicitVerificationMode, false)
	if err != nil {
		return &Error{PartClientData, err}
	}
	return nil
}

func parseKey(cose []byte) (*webauthncose.EC2PublicKeyData, error) {
	key, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return nil, &Error{PartPublicKey, err}
	}
	ec2, ok := key.(webauthncose.EC2PublicKeyData)
	if !ok || ec2.Algorithm != int64(Algorithm) {
		return nil, wrong(PartPublicKey, "it is not for ES256")
	}
	return &ec2, nil
}
