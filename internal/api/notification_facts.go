package api

import "github.com/verifyd/verifyd/internal/factor"

func notificationFacts() Resource {
	return Resource{
		Name:  "Notifications",
		About: "A notification tells a handset that there is a challenge.",
		Note: "One is sent when a push challenge is made; this sends another one, of the same challenge. A platform that\n" +
			"fails never fails the call (ours). After the platform has said that it does not know a handset any more nothing\n" +
			"is sent to it until it brings another token (ours).",
		Operations: []Operation{
			{Method: "POST", Path: "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{ChallengeSid}/Notifications", ID: "CreateNotification", About: "Tells the handset of a pending push challenge once more.", Params: notificationParams{}, Facts: []Fact{
				{Name: "Ttl", About: "Seconds that the platform keeps it for a handset that is off.", Range: factor.NotificationTTLs, Default: 300, Example: 150},
			}, Status: 201, Body: notificationBody{}, Codes: ofFactors(factor.CodeNoPlatform, factor.CodeTooManyNotices, factor.CodeChallengeResponded, factor.CodeChallengeExpired)},
		},
		Records: []Record{
			{Name: "Notification", Contract: "notification", About: "What tells a handset of a challenge.", Body: notificationBody{}, Facts: []Fact{
				{Name: "sid", About: "The notification.", SID: "NT"},
				ofEntity, ofIdentity,
				{Name: "challenge_sid", About: "The challenge.", SID: "YC"},
				{Name: "priority", About: "Always `high`.", Enum: []string{"high"}},
				{Name: "ttl", About: "Seconds that the platform keeps it.", Example: 150},
			}},
		},
	}
}
