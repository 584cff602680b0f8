package vendors

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/rcs"
	"github.com/verifyd/verifyd/internal/fakecarrier/sendgrid"
)

// Key is that of every account that has one of RSA. It takes long to make, so that a process has one.
var Key = sync.OnceValue(func() *rsa.PrivateKey {
	made, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // the system's randomness does not fail
	}
	return made
})

// All are the APIs of a fake carrier, with accounts that the whole world may know: nothing behind them
// costs anything. Now is the clock of those whose requests carry a time.
func All(now func() time.Time) []API {
	google, err := rcs.New(rcs.Options{Key: Key(), Now: now})
	if err != nil {
		panic(err) // its key is there
	}
	const gridKey = "SG.fakecarrier"
	grid, err := sendgrid.New(gridKey)
	if err != nil {
		panic(err) // as that of RSA
	}
	seed := sha256.Sum256([]byte("the fake carrier's key"))
	return []API{
		AfricasTalking(AfricasTalkingAccount{Username: "verifyd", Key: "africastalking-key"}),
		AWS(AWSAccount{Region: "eu-west-1", KeyID: "AKIAFAKECARRIER", Secret: "aws-secret"}),
		Jasmin(JasminAccount{Username: "verifyd", Password: "jasmin-password"}),
		Gateway(GatewayAccount{Secret: "whsec_ZmFrZWNhcnJpZXItZ2F0ZXdheS1zZWNyZXQ=", Now: now}),
		Infobip(InfobipAccount{Key: "infobip-key", ReportUsername: "infobip", ReportPassword: "infobip-reports"}),
		MSG91(MSG91Account{Key: "msg91-key", Template: "otp"}),
		Plivo(PlivoAccount{ID: "MAFAKECARRIER", Token: "plivo-token"}),
		Postmark(PostmarkAccount{Token: "postmark-token", ReportUsername: "postmark", ReportPassword: "postmark-reports"}),
		RCS(google),
		SendGrid(grid, gridKey),
		SES(SESAccount{KeyID: "AKIAFAKECARRIER", Secret: "aws-secret", Domain: "acme.example", Now: now}),
		Sinch(SinchAccount{Plan: "fakecarrier", Token: "sinch-token", WebhookSecret: "sinch-reports",
			Application: "11111111-2222-3333-4444-00000000fake", Secret: "c2luY2gtdm9pY2U="}),
		Telnyx(TelnyxAccount{Key: "telnyx-key", Connection: "1494404757140276705", Private: ed25519.NewKeyFromSeed(seed[:])}),
		Twilio(TwilioAccount{SID: "AC00000000000000000000000000000fac", Token: "twilio-token"}),
		Vonage(VonageAccount{Key: "fakecarrier", Secret: "vonage-secret", SignatureSecret: "vonage-reports",
			Application: "aaaaaaaa-bbbb-cccc-dddd-00000000fake", Private: Key()}),
		WhatsApp(WhatsAppAccount{NumberID: "106540352242922", Token: "whatsapp-token", AppSecret: "whatsapp-app", VerifyToken: "whatsapp-webhook"}),
	}
}
