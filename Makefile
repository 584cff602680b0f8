# Every command below uses this Go, which has no known vulnerability in what verifyd reaches; the go
# command fetches it as a module if another one is installed.
export GOTOOLCHAIN := go1.27.3

.PHONY: help run build test
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: build ## build and start verifyd dev
	@bin/verifyd dev

build: ## build bin/verifyd
	@CGO_ENABLED=0 go build -ldflags "-s -w" -o bin/verifyd ./cmd/verifyd

test: ## install what the tests need, and run every test
	go vet ./...
	go test ./...
