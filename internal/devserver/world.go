package devserver

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/internal/world"
)

// SampleTemplate is what is there from the start; docs/templates.md shows it.
//
//go:embed sample_template.json
var SampleTemplate []byte

// SampleNumber is a valid number that belongs to nobody we know of; the printed lines use it.
const SampleNumber = "+34612345678"

// World is what there is at the start, and what a developer is told of it.
type World struct {
	Account, Token, Service string
	Found                   string // what was there already
	Place, URL              string
	Carrier                 string // the API of the fake carrier, "" where there is none
	DataFlag                string // what commands need to find the data folder, "" for the usual one
}

// readWorld reads the file of the test world; without one the world is empty.
func (o Options) readWorld() (*world.World, error) {
	if o.World == "" {
		return &world.World{}, nil
	}
	return world.Read(o.World)
}

// prepare finds the account and the services of a data folder, and makes them where they are missing,
// under the SIDs that the application has, if its environment is there; and it makes the test world. The first
// service of that is the one that people are told of.
func prepare(ctx context.Context, e *verify.Engine, o Options, wanted *world.World) (World, error) {
	accountSID, token := o.Account, o.Token
	account, err := findAccount(ctx, e, accountSID)
	if err != nil {
		return World{}, err
	}
	w := World{Found: "a new account was made"}
	if account == nil {
		a, minted, err := e.CreateAccount(ctx, "dev", accountSID, token)
		if err != nil {
			return w, fmt.Errorf("TWILIO_ACCOUNT_SID: %w", err)
		}
		account, w.Token = &a, minted
	} else {
		if w.Token, err = e.Token(account); err != nil {
			return w, fmt.Errorf("the key file does not belong to this data folder: %w", err)
		}
		if token != "" && token != w.Token {
			if err := e.ReplaceToken(ctx, account.SID, token); err != nil {
				return w, err
			}
			w.Token = token
		}
	}
	w.Account = account.SID
	services, err := e.AllServices(ctx, account.SID)
	if err != nil {
		return w, err
	}
	if len(services) > 0 {
		w.Service = services[len(services)-1].SID // the first that was made
		w.Found = fmt.Sprintf("found its account and %d service(s)", len(services))
	}
	if err := wanted.Apply(ctx, e, account.SID); err != nil {
		return w, wrongWorld{fmt.Errorf("%s: %w", o.World, err)}
	}
	name := "Acme"
	for _, known := range ServicesIn(o.Environ) {
		_, err := e.ImportService(ctx, account.SID, known, verify.ServiceParams{FriendlyName: &name})
		if err != nil && !errors.Is(err, verify.ErrExists) {
			return w, err
		}
		w.Service = known
	}
	if len(wanted.Services) > 0 {
		w.Service = wanted.Services[0].SID
	}
	if w.Service == "" {
		s, err := e.CreateService(ctx, account.SID, verify.ServiceParams{FriendlyName: &name})
		if err != nil {
			return w, err
		}
		w.Service = s.SID
	}
	if len(services) > 0 {
		return w, nil
	}
	return w, addSampleTemplate(ctx, e, account.SID)
}

var serviceSID = regexp.MustCompile(`^VA[0-9a-f]{32}$`)

// ServicesIn are the SIDs of services in an environment, whatever the names are under which the
// application keeps them; the first of its names comes last.
func ServicesIn(environ []string) (sids []string) {
	sorted := slices.Sorted(slices.Values(environ))
	for _, entry := range slices.Backward(sorted) {
		if _, value, _ := strings.Cut(entry, "="); serviceSID.MatchString(value) && !slices.Contains(sids, value) {
			sids = append(sids, value)
		}
	}
	return sids
}

// addSampleTemplate makes a template to try, unless the account has one of its name.
func addSampleTemplate(ctx context.Context, e *verify.Engine, accountSID string) error {
	file, err := message.ReadFile(SampleTemplate)
	if err != nil {
		return err
	}
	have, err := e.Templates(ctx, accountSID, file.Name, verify.Page{Size: 1})
	if err != nil || len(have) > 0 {
		return err
	}
	_, err = e.PutTemplate(ctx, accountSID, file, true)
	return err
}

// findAccount is the account with a SID, or the first one where none is named; nil if there is
// none.
func findAccount(ctx context.Context, e *verify.Engine, accountSID string) (*verify.Account, error) {
	accounts, err := e.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for i := range accounts {
		if accountSID == "" || accounts[i].SID == accountSID {
			return &accounts[i], nil
		}
	}
	return nil, nil
}

// The three lines to paste. Each works as it is; the last reads the code by itself.

func (w World) start() string {
	return fmt.Sprintf("curl -s %s/Verifications -u %s:%s -d Channel=sms --data-urlencode To=%s", w.serviceURL(), w.Account, w.Token, SampleNumber)
}

func (w World) readCode() string {
	return fmt.Sprintf("curl -s '%s/dev/inbox?to=%s&wait=5s&limit=1'", w.URL, strings.Replace(SampleNumber, "+", "%2B", 1))
}

func (w World) check() string {
	return fmt.Sprintf(`curl -s %s/VerificationCheck -u %s:%s --data-urlencode To=%s -d Code=$(%s | sed 's/.*"code":"\([^"]*\)".*/\1/')`,
		w.serviceURL(), w.Account, w.Token, SampleNumber, w.readCode())
}

func (w World) serviceURL() string { return w.URL + "/v2/Services/" + w.Service }

func (w World) carrier() string {
	if w.Carrier == "" {
		return ""
	}
	return "  carrier       " + w.Carrier + "\n"
}

// Print tells a developer how to begin.
func (w World) Print(out io.Writer) {
	fmt.Fprintf(out, `
verifyd dev is ready. Its %[1]s: %[2]s.

  account SID   %[3]s
  auth token    %[4]s
  service SID   %[5]s
  base URL      %[6]s
  inbox         %[6]s/dev/inbox
%[11]s
Start a verification, read its code, check it:

%[7]s
%[8]s
%[9]s

Point a client library here:

  Node    const client = require('twilio')('%[3]s', '%[4]s'); client.verify.baseUrl = '%[6]s'
  Python  client = twilio.rest.Client('%[3]s', '%[4]s'); client.verify.base_url = '%[6]s'
  Go      http.DefaultTransport = divert("%[6]s")  // a few lines: README.md, "From Go"

See what was sent, from another terminal (verifyd help lists all commands):

verifyd attempt list%[10]s

Ctrl-C stops it.

`, w.Place, w.Found, w.Account, w.Token, w.Service, w.URL, w.start(), w.readCode(), w.check(), w.DataFlag, w.carrier())
}
