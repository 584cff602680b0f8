# Every command below uses this Go, in which no vulnerability is known that verifyd reaches; the go
# command fetches it as a module where another one is installed.
export GOTOOLCHAIN := go1.27.3

.PHONY: help run build test race bench golden

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run: build ## build and start verifyd dev
	@bin/verifyd dev

build: ## build bin/verifyd
	@CGO_ENABLED=0 go build -ldflags "-s -w" -o bin/verifyd ./cmd/verifyd

test: ## run every test that needs nothing but Go
	go vet ./...
	go test -timeout 30m ./...

race: ## the same under the race detector (needs a C compiler; the SQLite driver takes long to compile)
	go test -race -timeout 60m ./...

bench: build ## compare verifyd with a bare net/http pair, in one run
	@go run ./tests/bench -binary bin/verifyd

golden: ## write the golden files of the API and of the messages anew, for review
	go test ./internal/api ./internal/message -update
