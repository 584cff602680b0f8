# Every command below uses this Go, in which no vulnerability is known that verifyd reaches; the go
# command fetches it as a module where another one is installed.
export GOTOOLCHAIN := go1.27.3
# Nothing of ours is C. One value everywhere also means that nothing is compiled twice.
export CGO_ENABLED := 0

.PHONY: help run build test tools race lint vuln bench bench-peers golden docs

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run: ## build and start verifyd dev
	@go build -ldflags "-s -w" -o bin/ ./cmd/verifyd
	@bin/verifyd dev

build: ## build bin/verifyd and bin/fakecarrier
	@go build -ldflags "-s -w" -o bin/ ./cmd/verifyd ./cmd/fakecarrier

test: tools race ## run every test
	go vet -tags full ./...
	go test -vet=off -tags full -timeout 60m ./...

tools: ## install the software that tests need, where it is missing
	@scripts/install-test-tools

# The driver's translation of SQLite and of libc keeps no data race of ours, and takes very long to
# compile with the detector in it.
race: ## run the tests that need nothing but Go under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -timeout 60m \
		-gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false ./...

lint: ## run staticcheck
	go tool -modfile=tools/go.mod staticcheck ./...
	go tool -modfile=tools/go.mod staticcheck -tags full ./...

# The whole database of govulncheck is a module, so that its version is pinned as any other's.
vuln: ## look for known vulnerabilities that verifyd reaches
	go mod download -modfile=tools/go.mod golang.org/x/vulndb
	go tool -modfile=tools/go.mod indexdb -out .tools/vulndb \
		-vulns "$$(go list -modfile=tools/go.mod -m -f '{{.Dir}}' golang.org/x/vulndb)/data/osv"
	go tool -modfile=tools/go.mod govulncheck -db "file://$(CURDIR)/.tools/vulndb" ./...

bench: build ## measure verifyd against a bare net/http pair and against itself, in one run
	@go run ./tests/bench -binary bin/verifyd

bench-peers: build ## measure it against other software (tests/bench/peers/README.md)
	@npm ci --prefix tests/bench/peers/express-redis --no-audit --no-fund
	@go run ./tests/bench -binary bin/verifyd -legs bare,sqlite,express -connections 16,64

golden: ## write the golden files of the API and of the messages anew, for review
	go test ./internal/api ./internal/message -update

docs: ## write the OpenAPI document and docs/compatibility.md anew, from the tables of the API
	go generate ./internal/api
