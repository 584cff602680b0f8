package factor

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/verifyd/verifyd/internal/jose"
	"github.com/verifyd/verifyd/internal/verify"
)

// Device is a caller that proved with the key of a push factor that it is that factor's handset.
type Device struct {
	AccountSID string
	ServiceSID string
	Identity   string
	FactorSID  string
}

// The content type of the tokens by which devices log in, and how far their clocks may be off: a device
// learns the right time from the Date header of a refusal (factors reference, sections 4.5 and 4.8).
const (
	deviceContent   = "twilio-pba;v=1"
	deviceSkew      = time.Minute
	deviceTokenLife = 11 * time.Minute
)

// AuthenticateDevice finds the device that signed a token. The name of the key in it selects the factor,
// which need not be verified: its verification is the first call of its device. A refusal is an *Error
// with CodeUnauthorized.
func (e *Engine) AuthenticateDevice(ctx context.Context, token string) (*Device, error) {
	refused := &verify.Error{Code: verify.CodeUnauthorized}
	j, err := jose.ParseJWS(token)
	if err != nil || j.Header.Cty != deviceContent || j.Header.Kid == "" {
		return nil, refused
	}
	var f *Factor
	err = e.view(ctx, func(tx Tx) (err error) {
		f, err = tx.FactorOfDevice(j.Header.Kid)
		return err
	})
	if errors.Is(err, verify.ErrNotFound) {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	now := e.verify.Now()
	if f.Type != Push || f.GivenUp(now) {
		return nil, refused
	}
	key, err := f.key()
	if err != nil {
		return nil, err
	}
	if !j.Verify(key) || !validDeviceClaims(j.Payload, f.AccountSID, now) {
		return nil, refused
	}
	return &Device{AccountSID: f.AccountSID, ServiceSID: f.ServiceSID, Identity: f.Identity, FactorSID: f.SID}, nil
}

// validDeviceClaims checks account and times. Older devices claim more, which says nothing that the
// key does not.
func validDeviceClaims(payload []byte, accountSID string, now time.Time) bool {
	var claims struct {
		Sub string `json:"sub"`
		Exp *int64 `json:"exp"`
		Nbf *int64 `json:"nbf"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Exp == nil || claims.Nbf == nil {
		return false
	}
	begin, end, at, skew := *claims.Nbf, *claims.Exp, now.Unix(), int64(deviceSkew/time.Second)
	return claims.Sub == accountSID && begin <= at+skew && end > at-skew &&
		begin > 0 && end-begin <= int64(deviceTokenLife/time.Second)
}
