package factor

import "github.com/verifyd/verifyd/internal/verify"

// factorEvent is what webhooks are told of a factor.
func factorEvent(kind verify.EventType, f *Factor) verify.Event {
	return verify.Event{
		Type: kind, AccountSID: f.AccountSID, ServiceSID: f.ServiceSID, Identity: f.Identity,
		FactorSID: f.SID, FactorType: string(f.Type),
	}
}

// challengeEvent is the event of a challenge that was answered.
func challengeEvent(c *Challenge) verify.Event {
	kind := verify.ChallengeWasApproved
	if c.Status == ChallengeDenied {
		kind = verify.ChallengeWasDenied
	}
	return verify.Event{
		Type: kind, AccountSID: c.AccountSID, ServiceSID: c.ServiceSID, Identity: c.Identity,
		FactorSID: c.FactorSID, FactorType: string(c.FactorType), ChallengeSID: c.SID,
	}
}
