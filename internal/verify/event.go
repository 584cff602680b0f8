package verify

import "slices"

// EventType names something that happened to a factor or a challenge.
type EventType string

// The events, as the API spells them (factors reference, section 6.2). Nothing is told of wrong answers,
// of expiry, and of what ends with its service.
const (
	FactorCreated        EventType = "factor.created"
	FactorVerified       EventType = "factor.verified"
	FactorDeleted        EventType = "factor.deleted"
	ChallengeWasApproved EventType = "challenge.approved"
	ChallengeWasDenied   EventType = "challenge.denied"
	// EveryEvent stands for all of them in a webhook.
	EveryEvent EventType = "*"
)

var eventTypes = []EventType{EveryEvent, FactorCreated, FactorVerified, FactorDeleted, ChallengeWasApproved, ChallengeWasDenied}

// Event is something that happened to a factor, or to a challenge of it.
type Event struct {
	Type         EventType
	AccountSID   string
	ServiceSID   string
	Identity     string // of the entity, as it was first spelt
	FactorSID    string
	FactorType   string
	ChallengeSID string // "" for an event of a factor
}

// Wants reports whether a webhook is told of an event.
func (w *Webhook) Wants(kind EventType) bool {
	return w.Status == WebhookEnabled && (slices.Contains(w.EventTypes, kind) || slices.Contains(w.EventTypes, EveryEvent))
}

// parameters are what a webhook is sent, name by name. The first version of webhooks has no type of
// factor (factors reference, section 6.3). No name stands twice, because the validators of signatures
// do not agree about what that means.
func (w *Webhook) parameters(ev Event, uuid string) [][2]string {
	list := [][2]string{
		{"uuid", uuid}, {"type", string(ev.Type)}, {"account_sid", ev.AccountSID}, {"service_sid", ev.ServiceSID},
		{"entity_identity", ev.Identity}, {"factor_sid", ev.FactorSID},
	}
	if w.Version != WebhookV1 {
		list = append(list, [2]string{"factor_type", ev.FactorType})
	}
	if ev.ChallengeSID != "" {
		list = append(list, [2]string{"challenge_sid", ev.ChallengeSID})
	}
	return list
}
