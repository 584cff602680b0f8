package main

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpapi"
	"github.com/verifyd/verifyd/provider/sip"
	"github.com/verifyd/verifyd/provider/smtp"
)

// providers are the types that a [providers.NAME] table may have.
var providers = map[string]provider.Builder{
	"httpapi": provider.Build(httpapi.New),
	"sip":     provider.Build(sip.New),
	"smtp":    provider.Build(smtp.New),
}
