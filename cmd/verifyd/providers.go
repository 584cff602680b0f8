package main

import (
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpapi"
	"github.com/verifyd/verifyd/provider/smpp"
	"github.com/verifyd/verifyd/provider/smtp"
)

// providers are the types that a [providers.NAME] table may have.
var providers = map[string]provider.Builder{
	"httpapi": provider.Build(httpapi.New),
	"smpp":    provider.Build(smpp.New),
	"smtp":    provider.Build(smtp.New),
}
