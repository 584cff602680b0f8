package factor

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/jsonparam"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// ChallengeParams are the parameters of a new challenge (factors reference, section 3.1); nil means
// "not sent".
type ChallengeParams struct {
	FactorSID      *string
	ExpirationDate *string // ISO 8601
	DetailsMessage *string
	DetailsFields  []string // JSON objects {"label":…,"value":…}, or one array of them
	HiddenDetails  *string  // JSON object of texts
	AuthPayload    *string
}

// The bounds of a challenge.
const (
	challengeLife    = 5 * time.Minute
	maxChallengeLife = time.Hour
	maxDetailsFields = 20
	maxDetailsLabel  = 36 // characters
	maxDetailsValue  = 128
)

// factorSID reads the name of the factor.
func (p ChallengeParams) factorSID() (string, error) {
	name, given := sent(p.FactorSID)
	if !given {
		return "", missing("FactorSid")
	}
	if !sid.Valid(sid.Factor, name) {
		return "", refuse("FactorSid")
	}
	return name, nil
}

// read fills a challenge of a factor in. A push challenge asks something, and is answered by its device
// alone.
func (p ChallengeParams) read(c *Challenge, s *verify.Service, now time.Time) (err error) {
	if _, given := sent(p.DetailsMessage); c.FactorType == Push && !given {
		return missing("Details.Message")
	}
	c.ExpiresAt = now.Truncate(time.Second).Add(challengeLife)
	if text, given := sent(p.ExpirationDate); given {
		at, ok := parseDate(text)
		if !ok || !at.After(now) || at.After(now.Add(maxChallengeLife)) {
			return refuse("ExpirationDate")
		}
		c.ExpiresAt = at
	}
	if c.Details, err = p.details(); err != nil {
		return err
	}
	if c.HiddenDetails, err = optionalTexts(p.HiddenDetails, "HiddenDetails"); err != nil {
		return err
	}
	if c.FactorType == Push {
		c.Details.Dated = s.Push.IncludeDate
		return nil
	}
	if _, given := sent(p.AuthPayload); given {
		return checkPayload(c.FactorType, p.AuthPayload)
	}
	return nil
}

// details are nil where neither a message nor a field was sent.
func (p ChallengeParams) details() (*ChallengeDetails, error) {
	message, _ := sent(p.DetailsMessage)
	if !ChallengeMessages.Holds(utf8.RuneCountInString(message)) {
		return nil, refuse("Details.Message")
	}
	fields, ok := parseFields(p.DetailsFields)
	if !ok {
		return nil, refuse("Details.Fields")
	}
	if message == "" && len(fields) == 0 {
		return nil, nil
	}
	return &ChallengeDetails{Message: message, Fields: fields}, nil
}

// parseFields reads fields in their order: people are shown them so, and devices sign them so. A
// client that knows no repeated parameter sends one array.
func parseFields(values []string) (fields []DetailField, ok bool) {
	fields = []DetailField{}
	for _, value := range values {
		if value == "" {
			continue
		}
		if list, err := jsonparam.Array(value); err == nil && len(values) == 1 {
			for _, item := range list {
				object, _ := item.(map[string]any)
				field, ok := parseField(object)
				if !ok {
					return nil, false
				}
				fields = append(fields, field)
			}
			continue
		}
		object, err := jsonparam.Object(value)
		if err != nil {
			return nil, false
		}
		field, ok := parseField(object)
		if !ok {
			return nil, false
		}
		fields = append(fields, field)
	}
	return fields, len(fields) <= maxDetailsFields
}

func parseField(object map[string]any) (DetailField, bool) {
	label, hasLabel := object["label"].(string)
	value, hasValue := object["value"].(string)
	return DetailField{label, value}, len(object) == 2 && hasLabel && hasValue &&
		utf8.RuneCountInString(label) <= maxDetailsLabel && utf8.RuneCountInString(value) <= maxDetailsValue
}

// read checks the parameters of a list. A factor that nobody has gives an empty one.
func (p ListChallenges) read() (ChallengeQuery, error) {
	var q ChallengeQuery
	if status, given := sent(p.Status); given {
		q.Status = ChallengeStatus(strings.ToLower(status))
		if !slices.Contains(ChallengeStatuses(), q.Status) {
			return q, refuse("Status")
		}
	}
	if order, given := sent(p.Order); given {
		q.NewestFirst = strings.EqualFold(order, "desc")
		if !q.NewestFirst && !strings.EqualFold(order, "asc") {
			return q, refuse("Order")
		}
	}
	q.FactorSID, _ = sent(p.FactorSID)
	return q, nil
}
