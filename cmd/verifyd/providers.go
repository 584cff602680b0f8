package main

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/africastalking"
	"github.com/verifyd/verifyd/provider/apns"
	"github.com/verifyd/verifyd/provider/aws"
	"github.com/verifyd/verifyd/provider/fcm"
	"github.com/verifyd/verifyd/provider/httpapi"
	"github.com/verifyd/verifyd/provider/infobip"
	"github.com/verifyd/verifyd/provider/msg91"
	"github.com/verifyd/verifyd/provider/plivo"
	"github.com/verifyd/verifyd/provider/postmark"
	"github.com/verifyd/verifyd/provider/rcs"
	"github.com/verifyd/verifyd/provider/sendgrid"
	"github.com/verifyd/verifyd/provider/ses"
	"github.com/verifyd/verifyd/provider/sinch"
	"github.com/verifyd/verifyd/provider/sip"
	"github.com/verifyd/verifyd/provider/smpp"
	"github.com/verifyd/verifyd/provider/smtp"
	"github.com/verifyd/verifyd/provider/telnyx"
	"github.com/verifyd/verifyd/provider/twilio"
	"github.com/verifyd/verifyd/provider/vonage"
	"github.com/verifyd/verifyd/provider/webapi"
	"github.com/verifyd/verifyd/provider/whatsapp"
)

// providers are the types that a [providers.NAME] table may have.
var providers = map[string]provider.Builder{
	"africastalking": provider.Build(africastalking.New),
	"apns":           provider.Build(apns.New),
	"aws":            provider.Build(aws.New),
	"fcm":            provider.Build(fcm.New),
	"http":           provider.Build(webapi.New),
	"httpapi":        provider.Build(httpapi.New),
	"infobip":        provider.Build(infobip.New),
	"msg91":          provider.Build(msg91.New),
	"plivo":          provider.Build(plivo.New),
	"postmark":       provider.Build(postmark.New),
	"rcs":            provider.Build(rcs.New),
	"sendgrid":       provider.Build(sendgrid.New),
	"ses":            provider.Build(ses.New),
	"sinch":          provider.Build(sinch.New),
	"sip":            provider.Build(sip.New),
	"smpp":           provider.Build(smpp.New),
	"smtp":           provider.Build(smtp.New),
	"telnyx":         provider.Build(telnyx.New),
	"twilio":         provider.Build(twilio.New),
	"vonage":         provider.Build(vonage.New),
	"whatsapp":       provider.Build(whatsapp.New),
}
