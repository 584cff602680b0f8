package factor

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/verify"
)

// TOTPConfig is how an authenticator app computes the codes of a factor. The defaults are those of
// the service at the time when the factor was made.
type TOTPConfig struct {
	Alg        string `json:"alg"` // sha1, sha256, sha512
	Skew       int    `json:"skew"`
	CodeLength int    `json:"code_length"`
	TimeStep   int    `json:"time_step"` // seconds
}

// What a TOTPConfig is where neither the factor nor its service says (core reference, section 2.2).
const (
	defaultTimeStep   = 30
	defaultTOTPLength = 6
	defaultSkew       = 1
)

func (c *TOTPConfig) rule() otp.TOTP {
	return otp.TOTP{Hash: c.Alg, Step: time.Duration(c.TimeStep) * time.Second, Digits: c.CodeLength, Skew: c.Skew}
}

// TOTPParams are the parameters of a TOTPConfig; nil means "not sent".
type TOTPParams struct {
	Alg        *string
	TimeStep   *int
	CodeLength *int
	Skew       *int
}

// apply takes over what was sent. It changes nothing where it returns an error.
func (c *TOTPConfig) apply(p TOTPParams) error {
	next := *c
	if alg, given := sent(p.Alg); given {
		next.Alg = strings.ToLower(alg)
		if !slices.Contains(otp.Hashes(), next.Alg) {
			return refuse("Config.Alg")
		}
	}
	for _, n := range []struct {
		field *int
		sent  *int
		param string
		verify.Range
	}{
		{&next.TimeStep, p.TimeStep, "Config.TimeStep", verify.TOTPTimeSteps},
		{&next.CodeLength, p.CodeLength, "Config.CodeLength", verify.TOTPCodeLengths},
		{&next.Skew, p.Skew, "Config.Skew", verify.TOTPSkews},
	} {
		if n.sent == nil {
			continue
		}
		if !n.Holds(*n.sent) {
			return refuse(n.param)
		}
		*n.field = *n.sent
	}
	*c = next
	return nil
}

// totpDefaults are the numbers of a factor that chooses none.
func totpDefaults(s verify.TOTPSettings) TOTPConfig {
	or := func(chosen *int, usual int) int {
		if chosen == nil {
			return usual
		}
		return *chosen
	}
	return TOTPConfig{
		Alg:        otp.Hashes()[0],
		Skew:       or(s.Skew, defaultSkew),
		CodeLength: or(s.CodeLength, defaultTOTPLength),
		TimeStep:   or(s.TimeStep, defaultTimeStep),
	}
}

// TOTPBinding is what an authenticator app is told.
type TOTPBinding struct {
	Secret string // base32
	URI    string // otpauth://…, for a QR code
}

// totpBinding is what an authenticator app is told of a factor, with a secret that was sealed.
func (e *Engine) totpBinding(s *verify.Service, f *Factor) (*TOTPBinding, error) {
	secret, err := e.verify.Keys.Open(keyring.TOTPSeal, f.SecretSealed, f.SID)
	if err != nil {
		return nil, err
	}
	issuer := s.FriendlyName
	if s.TOTP.Issuer != nil {
		issuer = *s.TOTP.Issuer
	}
	return &TOTPBinding{
		Secret: otp.FormatSecret([]byte(secret)),
		URI:    f.Config.TOTP.rule().URI(issuer, f.FriendlyName, []byte(secret)),
	}, nil
}

// Enrolment is what an app is told of a factor that waits to be verified. It is for those who may read
// the store and its keys anyway, an operator or a developer: the API tells it once, when the factor is
// made. A factor that is verified, or has no app, is ErrNotFound.
func (e *Engine) Enrolment(ctx context.Context, factorSID string) (made *NewFactor, err error) {
	err = e.view(ctx, func(tx Tx) error {
		f, err := tx.Factor(factorSID)
		if err == nil {
			made, err = e.enrolment(tx, f)
		}
		return err
	})
	return made, err
}

// Enrolments are those of the newest factors that wait, at most limit.
func (e *Engine) Enrolments(ctx context.Context, limit int) (list []NewFactor, err error) {
	err = e.view(ctx, func(tx Tx) error {
		list = nil
		waiting, err := tx.Unverified(limit)
		if err != nil {
			return err
		}
		for i := range waiting {
			made, err := e.enrolment(tx, &waiting[i])
			if errors.Is(err, verify.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			list = append(list, *made)
		}
		return nil
	})
	return list, err
}

func (e *Engine) enrolment(tx Tx, f *Factor) (*NewFactor, error) {
	if f.Type != TOTP || f.Status != Unverified || f.GivenUp(e.verify.Now()) {
		return nil, verify.ErrNotFound
	}
	s, err := tx.Service(f.ServiceSID)
	if err != nil {
		return nil, err
	}
	binding, err := e.totpBinding(s, f)
	return &NewFactor{Factor: f, TOTP: binding}, err
}

// newTOTPSecret reads the secret that was sent, or draws one.
func newTOTPSecret(sentSecret *string, random io.Reader) (secret []byte, err error) {
	if text, given := sent(sentSecret); given {
		secret, ok := otp.ParseSecret(text)
		if !ok {
			return nil, &verify.Error{Code: CodeInvalidBinding, Param: "Binding.Secret"}
		}
		return secret, nil
	}
	secret = make([]byte, otp.NewSecretBytes)
	_, err = io.ReadFull(random, secret)
	return secret, err
}

// readCode holds a code against an authenticator app's factor. The end of the step of a code that is
// right has to be kept before anything is granted for it.
func (e *Engine) readCode(f *Factor, code string, now time.Time) (answer, error) {
	secret, err := e.verify.Keys.Open(keyring.TOTPSeal, f.SecretSealed, f.SID)
	if err != nil {
		return answer{}, err
	}
	end, ok := f.Config.TOTP.rule().Match([]byte(secret), code, now, f.SpentUntil)
	if !ok {
		return answer{}, nil
	}
	return answer{status: ChallengeApproved, spentUntil: end}, nil
}

// parseCode reads a code that a person typed, perhaps in groups. What cannot be a code of any factor
// is refused and not counted; what cannot be one of this factor is a wrong code.
func parseCode(payload string) (code string, ok bool) {
	code = strings.ReplaceAll(payload, " ", "")
	return code, verify.TOTPCodeLengths.Holds(len(code))
}
