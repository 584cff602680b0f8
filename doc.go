// Package verifyd is the map of the house; the code lives below.
//
// In one sentence: api turns HTTP into Go values, verify (and factor on it) decides inside one transaction, the commit
// leaves rows and jobs, workers carry the jobs out, and only workers talk to the outside world.
//
//	cmd/verifyd          the binary: its commands, and what a configuration means (serve.go, dev.go)
//	cmd/fakecarrier      the other end of every provider, for tests: a thin main over internal/fakecarrier
//	internal/server      the wiring: what runs in every verifyd, started and stopped in order
//	internal/devserver   the wiring of dev: a server with an inbox, a clock that can be moved, a journal
//	internal/api         Twilio's wire: routes, forms, pages, errors, one file a resource
//	internal/apidoc      writes the OpenAPI document and docs/compatibility.md from the tables of api
//	internal/verify      the domain: nouns, rules, operations, and the contract of the store
//	internal/factor      its other half: authenticator apps, handsets and passkeys, and their challenges
//	internal/store       sqlstore has the statements, sqlite and postgres the databases, storetest the
//	                     exam, transfer the way from one to the other
//	internal/queue       durable jobs: claim, run, give back, bury
//	internal/delivery    the worker of a send: which provider, in which order, what follows
//	internal/health      which of several ways is fit to be taken: arithmetic over what became of each
//	internal/inbound     the URLs that carriers call to say what became of a message
//	internal/channel     an attempt becomes a message
//	internal/message     what messages say, in all languages (catalog/*.json), or in an operator's words
//	internal/gsm7        the alphabet of text messages, and what a text costs
//	internal/operator    the commands that go through the API of a running server
//	internal/handset     a telephone as the push libraries are, for tests and for `verifyd dev`
//	internal/inbox       the inbox of `verifyd dev`: a provider, a page, an API
//	internal/journal     what happens in a verifyd dev, as a stream of events
//	internal/clock       the time of a verifyd dev, which can be stopped and moved on
//	internal/world       the test world of a verifyd dev: a file with services, people, rules
//	internal/rules       what becomes of a message in a verifyd dev, by its destination
//	internal/intercept   how a program that has Twilio's host built in reaches verifyd: proxy, certificates
//	internal/config      verifyd.toml
//	internal/fakecarrier the other ends of the wires, which check what the real ones check: desk decides
//	                     what becomes of a message, vendors, smsc, sip, smtp, fcm and apns speak
//	internal/door        what connections from anywhere may cost
//	internal/fault       a panic as an error that repeats nothing
//	internal/gate        keeps web pages away from what is shown without a password
//	internal/wildcard    which destinations a pattern is about
//	internal/webhook     the worker that tells URLs of the application what happened
//	internal/lookup      what a service outside knows of a number
//	internal/keyring     keys: sealing, digests, rotation
//	internal/ratelimit   the arithmetic of limits
//	internal/sid, otp, jose, passkey, phone, mailaddr, jsonparam, tomlfile, qr   leaves: identifiers,
//	                     codes, tokens, keys of authenticators, addresses, JSON, TOML, pictures
//	internal/smpp        what carriers speak, in octets
//	verifytest           public: a server in the test process, with its inbox and its clock
//	npm/verifyd-test     the same beside the tests of a program of Node's
//	provider             the public contract of a provider, and one folder for each
//	examples             programs with their tests, for whoever begins
//	tests                what needs more than Go: official clients, the binary under fire, benchmarks
//
// The walk of a start: api/routes.go → api/verification.go → verify/verification_start.go →
// store/sqlite/writer.go, and the answer. Then, in a worker: queue/runner.go →
// delivery/deliver.go → channel → message → provider → verify/attempt_send.go.
//
// Who may import whom is a table in arch_test.go.
package verifyd
