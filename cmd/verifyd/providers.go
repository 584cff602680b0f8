package main

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/apns"
	"github.com/verifyd/verifyd/provider/fcm"
	"github.com/verifyd/verifyd/provider/httpapi"
	"github.com/verifyd/verifyd/provider/smtp"
)

// providers are the types that a [providers.NAME] table may have.
var providers = map[string]provider.Builder{
	"apns":    provider.Build(apns.New),
	"fcm":     provider.Build(fcm.New),
	"httpapi": provider.Build(httpapi.New),
	"smtp":    provider.Build(smtp.New),
}
