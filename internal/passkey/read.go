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

// envelope is the JSON form of a PublicKeyCredential.
type envelope struct {
	ID         any `json:"id"`
	RawID      any `json:"rawId"`
	Type       any `json:"type"`
	Attachment any `json:"authenticatorAttachment"`
	Response   struct {
		ClientData        any `json:"clientDataJSON"`
		AttestationObject any `json:"attestationObject"`
		Transports        any `json:"transports"`
		AuthenticatorData any `json:"authenticatorData"`
		Signature         any `json:"signature"`
		UserHandle        any `json:"userHandle"`
	} `json:"response"`
}

// ReadRegistration reads the JSON that a browser makes of a new key. An error is an *Error.
func ReadRegistration(body []byte) (*Registration, error) {
	e, id, err := readEnvelope(body)
	if err != nil {
		return nil, err
	}
	r := &Registration{ID: id}
	if r.client, err = readClientData(e.Response.ClientData, protocol.CreateCeremony); err != nil {
		return nil, err
	}
	var ok bool
	if r.attestation, ok = decode(e.Response.AttestationObject); !ok {
		return nil, wrong(PartAttestation, "it is missing, or not base64url")
	}
	transports, _ := e.Response.Transports.([]any)
	for _, t := range transports {
		if hint, ok := t.(string); ok && len(r.transports) < maxTransports && hint != "" && len(hint) <= maxTransport {
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

// ReadProof reads the JSON that a browser makes of a proof. An error is an *Error.
func ReadProof(body []byte) (*Proof, error) {
	e, id, err := readEnvelope(body)
	if err != nil {
		return nil, err
	}
	p := &Proof{ID: id}
	if p.client, err = readClientData(e.Response.ClientData, protocol.AssertCeremony); err != nil {
		return nil, err
	}
	var ok bool
	if p.authenticator, ok = decode(e.Response.AuthenticatorData); !ok {
		return nil, wrong(PartAuthenticatorData, "it is missing, or not base64url")
	}
	if p.signature, ok = decode(e.Response.Signature); !ok {
		return nil, wrong(PartSignature, "it is missing, or not base64url")
	}
	if handle := e.Response.UserHandle; handle != nil && handle != "" {
		user, ok := decode(handle)
		if !ok {
			return nil, wrong(PartResponse, "its user handle is not base64url")
		}
		p.User = string(user)
	}
	return p, nil
}

// readEnvelope reads what both answers have. rawId is the same bytes as id: in base64url, as browsers
// send it, or in hexadecimal, as Twilio's examples show it.
func readEnvelope(body []byte) (e envelope, id []byte, err error) {
	if err := json.Unmarshal(body, &e); err != nil {
		return e, nil, &Error{PartResponse, err}
	}
	id, ok := decode(e.ID)
	if !ok || len(id) > maxID {
		return e, nil, wrong(PartID, "it is missing, too long, or not base64url")
	}
	rawID, _ := e.RawID.(string)
	raw, ok := decode(rawID)
	if !(ok && bytes.Equal(raw, id)) && !strings.EqualFold(rawID, hex.EncodeToString(id)) {
		return e, nil, wrong(PartRawID, "it is not that of the id")
	}
	// twilio-go sends an empty attachment where there is none, and no type.
	switch e.Attachment {
	case nil, "", "platform", "cross-platform":
	default:
		return e, nil, wrong(PartAttachment, "it is neither platform nor cross-platform")
	}
	switch e.Type {
	case nil, "", "public-key":
	default:
		return e, nil, wrong(PartResponse, "it is of another type than public-key")
	}
	return e, id, nil
}

func readClientData(value any, ceremony protocol.CeremonyType) (c clientData, err error) {
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
func decode(value any) ([]byte, bool) {
	text, ok := value.(string)
	if !ok || strings.ContainsAny(text, "\r\n") { // which the decoder skips
		return nil, false
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	return b, err == nil && len(b) > 0
}
