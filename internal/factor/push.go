package factor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/jose"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// PushConfig is the application on a handset, and the key that it signs with.
type PushConfig struct {
	SDKVersion string   `json:"sdk_version"`
	AppID      string   `json:"app_id"` // bundle id, package name
	Platform   Platform `json:"platform"`
	// PublicKey is the SubjectPublicKeyInfo of a P-256 key in base64, as it was sent.
	PublicKey string `json:"public_key"`
	// Unreachable says that the platform does not know the notification token any more. Nothing is
	// sent to it until the device brings another one.
	Unreachable bool `json:"unreachable"`
}

// Platform is who carries notifications to a handset.
type Platform string

// The platforms, as the API spells them.
const (
	APN Platform = "apn"
	FCM Platform = "fcm"
	// NoPlatform is an application that asks for its challenges.
	NoPlatform Platform = "none"
)

// PushParams are the parameters of a PushConfig that can change; nil means "not sent".
type PushParams struct {
	AppID                *string
	NotificationPlatform *string
	NotificationToken    *string
	SDKVersion           *string
}

// newPush reads what a new push factor needs. token is that of the platform, nil for none.
func newPush(p Params) (c *PushConfig, token []byte, err error) {
	c = &PushConfig{}
	if c.PublicKey, err = readPublicKey(p.BindingAlg, p.BindingPublicKey); err != nil {
		return nil, nil, err
	}
	for _, want := range []struct {
		param *string
		name  string
	}{
		{p.AppID, "Config.AppId"}, {p.NotificationPlatform, "Config.NotificationPlatform"}, {p.SDKVersion, "Config.SdkVersion"},
	} {
		if _, given := sent(want.param); !given {
			return nil, nil, missing(want.name)
		}
	}
	if err = c.apply(p.PushParams); err != nil {
		return nil, nil, err
	}
	if c.Platform == NoPlatform {
		return c, nil, nil
	}
	text, given := sent(p.NotificationToken)
	if !given {
		return nil, nil, missing("Config.NotificationToken")
	}
	return c, []byte(text), nil
}

// apply takes over what was sent, but for the token, which is a secret. It changes nothing where it
// returns an error.
func (c *PushConfig) apply(p PushParams) error {
	next := *c
	for _, t := range []struct {
		field *string
		sent  *string
		param string
		verify.Range
	}{
		{&next.AppID, p.AppID, "Config.AppId", AppIDs},
		{&next.SDKVersion, p.SDKVersion, "Config.SdkVersion", SDKVersions},
		{new(string), p.NotificationToken, "Config.NotificationToken", NotificationTokens},
	} {
		if text, given := sent(t.sent); given {
			if !verify.OneLine(text, t.Max) {
				return refuse(t.param)
			}
			*t.field = text
		}
	}
	if text, given := sent(p.NotificationPlatform); given {
		next.Platform = Platform(strings.ToLower(text))
		if !slices.Contains(PushPlatforms, string(next.Platform)) {
			return refuse("Config.NotificationPlatform")
		}
	}
	*c = next
	return nil
}

// changePush takes over what a device or the account says of an application. A token belongs to its
// platform: another platform needs another token.
func (e *Engine) changePush(f *Factor, p PushParams) error {
	c, before := *f.Config.Push, f.Config.Push.Platform
	f.Config.Push = &c
	if err := c.apply(p); err != nil {
		return err
	}
	token, given := sent(p.NotificationToken)
	switch {
	case c.Platform == NoPlatform:
		f.SecretSealed, c.Unreachable = nil, false
	case given:
		f.SecretSealed, c.Unreachable = e.verify.Keys.Seal(keyring.HandsetSeal, token, f.SID), false
	case c.Platform != before:
		return refuse("Config.NotificationToken")
	}
	return nil
}

// NotificationToken is the token under which a platform knows the handset of a push factor, "" if there
// is none.
func (e *Engine) NotificationToken(f *Factor) (string, error) {
	if f.Config.Push == nil || len(f.SecretSealed) == 0 {
		return "", nil
	}
	token, err := e.verify.Keys.Open(keyring.HandsetSeal, f.SecretSealed, f.SID)
	if err != nil {
		return "", fmt.Errorf("notification token of factor %s: %w", f.SID, err)
	}
	return token, nil
}

// newCredentialSID draws the name of a device's key. It says nothing of the time: a name that cannot be
// guessed keeps strangers from having signatures checked.
func newCredentialSID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("mint %s sid: %w", sid.PushCredential, err)
	}
	return sid.PushCredential + hex.EncodeToString(b[:]), nil
}

// publicKeyLength is that of a P-256 key in base64: 91 bytes of SubjectPublicKeyInfo, padded.
const publicKeyLength = 124

// readPublicKey checks the key of a device. It is kept as it was sent.
func readPublicKey(alg, key *string) (string, error) {
	if name, given := sent(alg); given && !strings.EqualFold(name, "ES256") {
		return "", &verify.Error{Code: CodeInvalidBinding, Param: "Binding.Alg"}
	}
	text, given := sent(key)
	if !given {
		return "", missing("Binding.PublicKey")
	}
	if _, err := parsePublicKey(text); err != nil {
		return "", &verify.Error{Code: CodeInvalidBinding, Param: "Binding.PublicKey"}
	}
	return text, nil
}

func parsePublicKey(text string) (*ecdsa.PublicKey, error) {
	if len(text) != publicKeyLength {
		return nil, fmt.Errorf("a key of %d characters", len(text))
	}
	der, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("a %T that is not on P-256", parsed)
	}
	return key, nil
}

// key is the key that the device of a push factor signs with.
func (f *Factor) key() (*ecdsa.PublicKey, error) {
	key, err := parsePublicKey(f.Config.Push.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("key of factor %s: %w", f.SID, err)
	}
	return key, nil
}

// readSigned holds what a device signed against its factor. A signature that is wrong is not counted:
// nobody guesses one.
func readSigned(f *Factor, c *Challenge, payload string) (answer, error) {
	key, err := f.key()
	if err != nil {
		return answer{}, err
	}
	if c == nil {
		if !provesFactor(key, f.SID, payload) {
			return answer{}, &verify.Error{Code: CodeFactorProof}
		}
		return answer{status: ChallengeApproved}, nil
	}
	status, ok := c.readStatement(key, payload)
	if !ok {
		return answer{}, &verify.Error{Code: CodeChallengeProof}
	}
	return answer{status: status}, nil
}

// provesFactor reports whether a payload is the signature of a factor's SID (factors reference, section
// 4.4): DER in base64. Padding and the alphabet of URLs do not matter.
func provesFactor(key *ecdsa.PublicKey, factorSID, payload string) bool {
	payload = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(payload), "=")
	signature, err := base64.RawStdEncoding.DecodeString(payload)
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(factorSID))
	return ecdsa.VerifyASN1(key, digest[:], signature)
}

// SignatureFields are the members of a challenge that its device signs, as it is told in a header
// (factors reference, section 4.6).
var SignatureFields = []string{
	"sid", "account_sid", "service_sid", "identity", "factor_sid", "date_created", "expiration_date", "status",
	"details", "hidden_details",
}

// readStatement reads what a device says of a challenge: the members that it was shown, with the status
// that the person chose. The SID among them makes a statement good for one challenge.
func (c *Challenge) readStatement(key *ecdsa.PublicKey, payload string) (ChallengeStatus, bool) {
	statement, err := jose.ParseJWS(payload)
	if err != nil || !statement.Verify(key) {
		return "", false
	}
	var claims map[string]any
	if err := json.Unmarshal(statement.Payload, &claims); err != nil {
		return "", false
	}
	shown := c.shown()
	for _, name := range SignatureFields {
		claim, signed := claims[name]
		if !signed || name != "status" && !reflect.DeepEqual(claim, shown[name]) {
			return "", false
		}
	}
	switch status, _ := claims["status"].(string); ChallengeStatus(status) {
	case ChallengeApproved:
		return ChallengeApproved, true
	case ChallengeDenied:
		return ChallengeDenied, true
	default:
		return "", false
	}
}

// shown is a challenge as its device was shown it, in the values that JSON is read into. None of them
// changes while the challenge is pending.
func (c *Challenge) shown() map[string]any {
	date := func(at time.Time) string { return at.UTC().Format(time.RFC3339) }
	shown := map[string]any{
		"sid": c.SID, "account_sid": c.AccountSID, "service_sid": c.ServiceSID, "identity": c.Identity, "factor_sid": c.FactorSID,
		"date_created": date(c.CreatedAt.Truncate(time.Second)), "expiration_date": date(c.ExpiresAt),
		"details": nil, "hidden_details": nil,
	}
	if d := c.Details; d != nil {
		fields := make([]any, 0, len(d.Fields))
		for _, f := range d.Fields {
			fields = append(fields, map[string]any{"label": f.Label, "value": f.Value})
		}
		details := map[string]any{"message": d.Message, "fields": fields}
		if d.Dated {
			details["date"] = shown["date_created"]
		}
		shown["details"] = details
	}
	if c.HiddenDetails != nil {
		hidden := make(map[string]any, len(c.HiddenDetails))
		for name, text := range c.HiddenDetails {
			hidden[name] = text
		}
		shown["hidden_details"] = hidden
	}
	return shown
}
