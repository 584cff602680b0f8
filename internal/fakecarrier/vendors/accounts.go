package vendors

import (
	"crypto/ed25519"
	"crypto/sha256"
	"time"
)

// All are the APIs of a fake carrier, with accounts that the whole world may know: nothing behind them
// costs anything. Now is the clock of those whose requests carry a time.
func All(now func() time.Time) []API {
	seed := sha256.Sum256([]byte("the fake carrier's key"))
	return []API{
		AfricasTalking(AfricasTalkingAccount{Username: "verifyd", Key: "africastalking-key"}),
		AWS(AWSAccount{Region: "eu-west-1", KeyID: "AKIAFAKECARRIER", Secret: "aws-secret"}),
		Jasmin(JasminAccount{Username: "verifyd", Password: "jasmin-password"}),
		Gateway(GatewayAccount{Secret: "whsec_ZmFrZWNhcnJpZXItZ2F0ZXdheS1zZWNyZXQ=", Now: now}),
		Infobip(InfobipAccount{Key: "infobip-key", ReportUsername: "infobip", ReportPassword: "infobip-reports"}),
		MSG91(MSG91Account{Key: "msg91-key", Template: "otp"}),
		Plivo(PlivoAccount{ID: "MAFAKECARRIER", Token: "plivo-token"}),
		Sinch(SinchAccount{Plan: "fakecarrier", Token: "sinch-token", WebhookSecret: "sinch-reports"}),
		Telnyx(TelnyxAccount{Key: "telnyx-key", Private: ed25519.NewKeyFromSeed(seed[:])}),
		Twilio(TwilioAccount{SID: "AC00000000000000000000000000000fac", Token: "twilio-token"}),
		Vonage(VonageAccount{Key: "fakecarrier", Secret: "vonage-secret", SignatureSecret: "vonage-reports"}),
		WhatsApp(WhatsAppAccount{NumberID: "106540352242922", Token: "whatsapp-token", AppSecret: "whatsapp-app", VerifyToken: "whatsapp-webhook"}),
	}
}
