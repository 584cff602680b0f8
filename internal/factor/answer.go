package factor

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// The types of factor meet in this file and in newBinding: a new one gets a row in the table, a case
// in each switch, and a file of its own for the rest.

// factorRule is what differs between the types of factor in numbers.
type factorRule struct {
	sid  sid.Type
	most int // of an entity (error page 60315)
	// apart says that the generic endpoints neither make nor ask a factor of the type.
	apart bool
}

// factorRules are the types of factor. No number is published of passkeys.
var factorRules = map[Type]factorRule{
	TOTP:     {sid: sid.TOTP, most: 100},
	Push:     {sid: sid.Push, most: 20},
	Passkeys: {sid: sid.Passkey, most: 100, apart: true},
}

// readFactorType reads FactorType. One that the generic endpoint does not make is refused as an
// unknown one is.
func readFactorType(p *string) (Type, error) {
	name, given := sent(p)
	if !given {
		return "", missing("FactorType")
	}
	kind := Type(strings.ToLower(name))
	if rule, known := factorRules[kind]; !known || rule.apart {
		return "", &verify.Error{Code: CodeInvalidFactorType}
	}
	return kind, nil
}

// answer is what an AuthPayload says.
type answer struct {
	// status is what the challenge becomes; "" is a wrong answer, which is counted.
	status ChallengeStatus
	// spentUntil is for the factor to keep, before anything is granted (see Factor.SpentUntil).
	spentUntil time.Time
}

// checkPayload refuses what no factor of a type would give as an answer. It needs no record, and what
// it refuses is not counted.
func checkPayload(kind Type, payload *string) error {
	text, given := sent(payload)
	switch kind {
	case TOTP:
		_, given = parseCode(text)
	case Push:
		given = given && SignedPayloads.Holds(utf8.RuneCountInString(text))
	case Passkeys: // answers elsewhere
		given = false
	}
	if !given {
		return refuse("AuthPayload")
	}
	return nil
}

// readAnswer holds an AuthPayload against a factor: a code of an authenticator app, a statement that
// a telephone signed, the answer of a passkey. c is the challenge that is answered, nil where the factor
// wants to be verified. An error refuses an answer that need not be counted.
func (e *Engine) readAnswer(f *Factor, c *Challenge, payload string, now time.Time) (answer, error) {
	switch f.Type {
	case TOTP:
		code, _ := parseCode(payload)
		return e.readCode(f, code, now)
	case Push:
		return readSigned(f, c, payload)
	default:
		return answer{}, refuse("AuthPayload")
	}
}

// spend keeps what makes a right answer good for one time only.
func (f *Factor) spend(a answer) {
	if a.spentUntil.After(f.SpentUntil) {
		f.SpentUntil = a.spentUntil
	}
}
