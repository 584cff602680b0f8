package passkey

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
)

// Registration is an answer with a new key, read but not checked.
type Registration struct {
	ID          []byte // of the key
	client      clientData
	attestation []byte
	transports  []string
}

// Proof is an answer that proves that a key is there, read but not checked.
type Proof struct {
	ID            []byte // of the key
	User          string // who the authenticator says it is; "" if it says nothing
	client        clientData
	authenticator []byte
	signature     []byte
}

// clientData is what the browser says about the page that asked.
type clientData struct {
	text []byte // as it was signed
	said protocol.CollectedClientData
}

// Challenge is the challenge that an answer names, "" if it is no text that was ever asked.
func (r *Registration) Challenge() string { return r.client.challenge() }

// Challenge is the challenge that an answer names, "" if it is no text that was ever asked.
func (p *Proof) Challenge() string { return p.client.challenge() }

func (c clientData) challenge() string {
	text, err := base64.RawURLEncoding.DecodeString(c.said.Challenge)
	if err != nil {
		return ""
	}
	return string(text)
}

// RegistrationJSON is a new key as browsers write it: RegistrationResponseJSON of Web Authentication,
// section 5.1. twilio-go sends every member, with nothing in those that it does not know.
type RegistrationJSON struct {
	ID         string `json:"id"`    // base64url
	RawID      string `json:"rawId"` // the same bytes, in base64url or hexadecimal
	Attachment string `json:"authenticatorAttachment"`
	Type       string `json:"type"`
	Response   struct {
		ClientData  string   `json:"clientDataJSON"`    // base64url
		Attestation string   `json:"attestationObject"` // base64url
		Transports  []string `json:"transports"`
	} `json:"response"`
}

// ProofJSON is a proof as browsers write it: AuthenticationResponseJSON.
type ProofJSON struct {
	ID         string `json:"id"`
	RawID      string `json:"rawId"`
	Attachment string `json:"authenticatorAttachment"`
	Type       string `json:"type"`
	Response   struct {
		ClientData    string `json:"clientDataJSON"`    // base64url
		Authenticator string `json:"authenticatorData"` // base64url
		Signature     string `json:"signature"`         // base64url
		UserHandle    string `json:"userHandle"`        // base64url
	} `json:"response"`
}

// ReadRegistration reads what a browser says of a new key. An error is an *Error.
func ReadRegistration(answer RegistrationJSON) (*Registration, error) {
	id, err := readHead(answer.ID, answer.RawID, answer.Attachment, answer.Type)
	if err != nil {
		return nil, err
	}
	r := &Registration{ID: id}
	if r.client, err = readClientData(answer.Response.ClientData, protocol.CreateCeremony); err != nil {
		return nil, err
	}
	var ok bool
	if r.attestation, ok = decode(answer.Response.Attestation); !ok {
		return nil, wrong(PartAttestation, "it is missing, or not base64url")
	}
	for _, hint := range answer.Response.Transports {
		if len(r.transports) < maxTransports && hint != "" && len(hint) <= maxTransport {
			r.transports = append(r.transports, hint)
		}
	}
	return r, nil
}

// The bounds of what is kept as the browser gave it, in bytes where they are not numbers of texts.
const (
	maxID         = 1023 // Web Authentication, section 4
	maxTransports = 8
	maxTransport  = 32
)

// ReadProof reads what a browser says of a proof. An error is an *Error.
func ReadProof(answer ProofJSON) (*Proof, error) {
	id, err := readHead(answer.ID, answer.RawID, answer.Attachment, answer.Type)
	if err != nil {
		return nil, err
	}
	p := &Proof{ID: id}
	if p.client, err = readClientData(answer.Response.ClientData, protocol.AssertCeremony); err != nil {
		return nil, err
	}
	var ok bool
	if p.authenticator, ok = decode(answer.Response.Authenticator); !ok {
		return nil, wrong(PartAuthenticatorData, "it is missing, or not base64url")
	}
	if p.signature, ok = decode(answer.Response.Signature); !ok {
		return nil, wrong(PartSignature, "it is missing, or not base64url")
	}
	if handle := answer.Response.UserHandle; handle != "" {
		user, ok := decode(handle)
		if !ok {
			return nil, wrong(PartResponse, "its user handle is not base64url")
		}
		p.User = string(user)
	}
	return p, nil
}

// readHead reads what both answers have, and returns the key's id. rawId is the same bytes: in
// base64url, as browsers send it, or in hexadecimal, as Twilio's examples show it.
func readHead(keyID, rawID, attachment, kind string) ([]byte, error) {
	id, ok := decode(keyID)
	if !ok || len(id) > maxID {
		return nil, wrong(PartID, "it is missing, too long, or not base64url")
	}
	raw, ok := decode(rawID)
	if !(ok && bytes.Equal(raw, id)) && !strings.EqualFold(rawID, hex.EncodeToString(id)) {
		return nil, wrong(PartRawID, "it is not that of the id")
	}
	switch attachment {
	case "", "platform", "cross-platform":
	default:
		return nil, wrong(PartAttachment, "it is neither platform nor cross-platform")
	}
	switch kind {
	case "", "public-key":
	default:
		return nil, wrong(PartResponse, "it is of another type than public-key")
	}
	return id, nil
}

func readClientData(value string, ceremony protocol.CeremonyType) (c clientData, err error) {
	text, ok := decode(value)
	if !ok {
		return c, wrong(PartClientData, "it is missing, or not base64url")
	}
	c.text = text
	if err := json.Unmarshal(text, &c.said); err != nil {
		return c, &Error{PartClientData, err}
	}
	if c.said.Type != ceremony {
		return c, wrong(PartClientData, "it is of another ceremony")
	}
	return c, nil
}

// Encode is base64url without padding, the form of bytes in the JSON of browsers.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func encode(text string) string { return Encode([]byte(text)) }

// decode reads base64url. Nothing is no value.
func decode(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") { // which the decoder skips
		return nil, false
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	return b, err == nil && len(b) > 0
}
