// Command verifyd verifies people by one-time passcodes and speaks the Verify v2 API of Twilio.
//
//	verifyd dev                 a server for a laptop or CI, with an inbox
//	verifyd serve               a server for production
//	verifyd migrate             the schema of the store, or a move from SQLite to PostgreSQL
//	verifyd account create      an account and its auth token
//	verifyd key create          an API key of an account
//	verifyd template add        a template of messages, from its file
//	verifyd geo allow           where messages may go
//	verifyd webhook deliveries  what webhooks were told
//	verifyd factor qr           the QR code that an authenticator app scans
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/verifyd/verifyd/internal/verify"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], system{os.LookupEnv, os.Stdin, os.Stdout, os.Stderr}))
}

// system is what a command has of the process it runs in.
type system struct {
	getenv func(string) (string, bool)
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage says that a command was called wrongly; the text has been printed.
var errUsage = errors.New("usage")

// commands is the whole command line. The first words of the arguments choose.
var commands = []struct {
	name  string
	about string
	run   func(context.Context, []string, system) error
}{
	{"dev", "run a server for a laptop or CI, with an inbox of everything it sends", runDev},
	{"serve", "run a server for production", runServe},
	{"migrate", "bring the schema of the store up; with --from and --to, move SQLite to PostgreSQL", runMigrate},
	{"account create", "make an account; prints its SID and auth token", runAccountCreate},
	{"account list", "list the accounts", runAccountList},
	{"template add", "make or change a template from its file", runTemplateAdd},
	{"template list", "list the templates", runTemplateList},
	{"template show", "print a template as its file", runTemplateShow},
	{"template approve", "approve the texts of a template, so that they are sent", runTemplateApprove},
	{"template remove", "remove a template", runTemplateRemove},
	{"key create", "make an API key of an account; prints its SID and secret", runKeyCreate},
	{"geo list", "list where the messages of an account may go", runGeoList},
	{"geo allow", "let messages go to countries", changeGeography(verify.Allow)},
	{"geo deny", "keep messages from countries", changeGeography(verify.Deny)},
	{"geo inherit", "remove rules about countries, so that the wider rule decides", changeGeography(verify.Inherit)},
	{"factor qr", "draw the QR code of a totp factor that waits to be verified", runFactorQR},
	{"webhook deliveries", "list what webhooks were told, and what they answered", runWebhookDeliveries},
	{"webhook resend", "have an event delivered again", runWebhookResend},
	{"version", "print the version", runVersion},
}

// run runs one command and returns the exit code: 2 for a wrong call, 1 for a failure.
func run(ctx context.Context, args []string, sys system) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(sys.stdout)
		return exitOK
	}
	for _, c := range commands {
		words := strings.Fields(c.name)
		if len(args) < len(words) || strings.Join(args[:len(words)], " ") != c.name {
			continue
		}
		err := c.run(ctx, args[len(words):], sys)
		switch {
		case err == nil || errors.Is(err, flag.ErrHelp):
			return exitOK
		case errors.Is(err, errUsage):
			return exitUsage
		default:
			oneLine := strings.Join(strings.Fields(err.Error()), " ") // drivers are talkative
			fmt.Fprintf(sys.stderr, "verifyd %s: %s\n", c.name, oneLine)
			return exitFailed
		}
	}
	fmt.Fprintf(sys.stderr, "verifyd: there is no command %q; verifyd help lists them\n", strings.Join(args, " "))
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprint(w, "verifyd verifies people by one-time passcodes.\n\nCommands (each has --help):\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  verifyd %-19s %s\n", c.name, c.about)
	}
}

// parse reads a command's flags. A mistake is one line that says what to do.
func parse(flags *flag.FlagSet, args []string, sys system) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(sys.stdout, "Flags of verifyd %s:\n", flags.Name())
		flags.SetOutput(sys.stdout)
		flags.PrintDefaults()
		return err
	case err != nil:
		fmt.Fprintf(sys.stderr, "verifyd %s: %v; see verifyd %s --help\n", flags.Name(), err, flags.Name())
		return errUsage
	case flags.NArg() > 0:
		return unexpected(flags, flags.Arg(0), sys)
	}
	return nil
}

// parseWith reads a command's flags and its one argument, which may stand before, between or after
// them. what names it in the message of a call without it.
func parseWith(flags *flag.FlagSet, what string, args []string, sys system) (string, error) {
	flags.SetOutput(io.Discard)
	var found []string
	for rest := args; ; {
		if err := flags.Parse(rest); err != nil {
			return "", parse(flags, rest, sys) // says it
		}
		if flags.NArg() == 0 {
			break
		}
		found = append(found, flags.Arg(0))
		rest = flags.Args()[1:]
	}
	switch len(found) {
	case 0:
		fmt.Fprintf(sys.stderr, "verifyd %s: %s is missing; see verifyd %s --help\n", flags.Name(), what, flags.Name())
		return "", errUsage
	case 1:
		return found[0], nil
	default:
		return "", unexpected(flags, found[1], sys)
	}
}

func unexpected(flags *flag.FlagSet, arg string, sys system) error {
	fmt.Fprintf(sys.stderr, "verifyd %s: unexpected argument %q; see verifyd %s --help\n", flags.Name(), arg, flags.Name())
	return errUsage
}

// version is set by a release build.
var version = ""

func runVersion(_ context.Context, _ []string, sys system) error {
	v := version
	if v == "" {
		v = "(development)"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
			v = info.Main.Version
		}
	}
	_, err := fmt.Fprintln(sys.stdout, "verifyd", v)
	return err
}
