package verify

// factorEvent is what webhooks are told of a factor.
func factorEvent(kind EventType, f *Factor) Event {
	return Event{
		Type: kind, AccountSID: f.AccountSID, ServiceSID: f.ServiceSID, Identity: f.Identity,
		FactorSID: f.SID, FactorType: string(f.Type),
	}
}

// challengeEvent is the event of a challenge that was answered.
func challengeEvent(c *Challenge) Event {
	kind := ChallengeWasApproved
	if c.Status == ChallengeDenied {
		kind = ChallengeWasDenied
	}
	return Event{
		Type: kind, AccountSID: c.AccountSID, ServiceSID: c.ServiceSID, Identity: c.Identity,
		FactorSID: c.FactorSID, FactorType: string(c.FactorType), ChallengeSID: c.SID,
	}
}
