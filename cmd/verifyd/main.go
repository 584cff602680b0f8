// Command verifyd verifies people by one-time passcodes and speaks the Verify v2 API of Twilio.
//
//	verifyd dev                 a server for a laptop or CI, with an inbox
//	verifyd run -- CMD          a command whose calls to Twilio Verify land here
//	verifyd inbox --to +34…     the code that a number was sent
//	verifyd serve               a server for production
//	verifyd doctor              whether the store and every provider would work
//	verifyd send                one test message by a provider, or as the routes say
//	verifyd migrate             the schema of the store, or a move from SQLite to PostgreSQL
//	verifyd account create      an account and its auth token
//	verifyd key create          an API key of an account
//	verifyd template add        a template of messages, from its file
//	verifyd geo allow           where messages may go
//	verifyd webhook deliveries  what webhooks were told
//	verifyd factor qr           the QR code that an authenticator app scans
//	verifyd service list        and all other commands that go through the API of a running server
//	verifyd completion bash     the same for a shell
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
	"slices"
	"strings"
	"syscall"

	"github.com/verifyd/verifyd/internal/operator"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], system{
		getenv: os.LookupEnv, environ: os.Environ, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	}))
}

// system is what a command has of the process it runs in.
type system struct {
	getenv  func(string) (string, bool)
	environ func() []string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	// describe, if there is one, is given the flags of a command whose help was asked for, instead of
	// people.
	describe func(*flag.FlagSet)
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// exitStatus ends the program with a code of somebody else's, and without a word.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// errUsage says that a command was called wrongly; the text has been printed.
var errUsage = errors.New("usage")

// subcommand is one command. The first words of the arguments choose it.
type subcommand struct {
	name   string // its words
	arg    string // what help calls its argument, "" if it takes none
	about  string // "" for what is no command of people
	run    func(context.Context, []string, system) error
	remote bool // it goes through the API of a server
	// suggest says what may stand in the place of a flag's value or, with of "", of the argument,
	// of which typed is there already; args are those before it. nil if nothing is known.
	suggest func(ctx context.Context, args []string, of, typed string, sys system) []operator.Suggestion
}

// commands is the whole command line.
func commands() []subcommand {
	return append([]subcommand{
		{name: "dev", about: "run a server for a laptop or CI, with an inbox of everything it sends", run: runDev},
		{name: "run", arg: "COMMAND", about: "run a command whose calls to verify.twilio.com reach a verifyd dev", run: runCommand},
		{name: "inbox", about: "print the code that was sent to a number, as soon as it has been", run: runInbox},
		{name: "clock show", about: "print the time of a verifyd dev, and when something is due next", run: steerClock("clock show", "", true)},
		{name: "clock freeze", about: "stop the time of a verifyd dev", run: steerClock("clock freeze", "freeze", false)},
		{name: "clock advance", arg: "DURATION", about: "move the time of a verifyd dev on; what is due on the way is done at its time", run: runClockAdvance},
		{name: "clock next", about: "move the time of a verifyd dev to what is due next, and have it done", run: steerClock("clock next", "next", true)},
		{name: "clock resume", about: "let the time of a verifyd dev run on from where it stands", run: steerClock("clock resume", "resume", false)},
		{name: "reset", about: "have a verifyd dev be as it was at its start: empty, with the same account and service", run: runReset},
		{name: "snapshot save", arg: "NAME", about: "keep everything that a verifyd dev has, its time too, under a name", run: snapshotCommand("snapshot save", "POST", "/dev/snapshots?name=%s")},
		{name: "snapshot restore", arg: "NAME", about: "have a verifyd dev be as it was when a snapshot was saved", run: snapshotCommand("snapshot restore", "POST", "/dev/snapshots/%s/restore")},
		{name: "snapshot list", about: "list the snapshots of a verifyd dev, each with its time", run: runSnapshotList},
		{name: "snapshot delete", arg: "NAME", about: "forget a snapshot", run: snapshotCommand("snapshot delete", "DELETE", "/dev/snapshots/%s")},
		{name: "ca path", about: "print where the certificate is that verifyd dev answers as verify.twilio.com with", run: runCAPath},
		{name: "ca install", about: "have all programs of this machine trust that certificate", run: runCAInstall},
		{name: "ca uninstall", about: "take that trust back", run: runCAUninstall},
		{name: "serve", about: "run a server for production", run: runServe},
		{name: "doctor", about: "say whether the configuration, the store and every provider would work", run: runDoctor},
		{name: "send", about: "send one test message by a provider, or as the routes say", run: runSend},
		{name: "migrate", about: "bring the schema of the store up; with --from and --to, move SQLite to PostgreSQL", run: runMigrate},
		{name: "account create", about: "make an account; prints its SID and auth token", run: runAccountCreate},
		{name: "account list", about: "list the accounts", run: runAccountList},
		{name: "template add", arg: "FILE", about: "make or change a template from its file", run: runTemplateAdd},
		{name: "template export", arg: "SID", about: "print a template as its file", run: runTemplateExport},
		{name: "template approve", arg: "SID", about: "approve the texts of a template, so that they are sent", run: runTemplateApprove},
		{name: "template remove", arg: "SID", about: "remove a template", run: runTemplateRemove},
		{name: "key create", about: "make an API key of an account; prints its SID and secret", run: runKeyCreate},
		{name: "geo list", about: "list where the messages of an account may go", run: runGeoList},
		{name: "geo allow", about: "let messages go to countries", run: changeGeography(verify.Allow)},
		{name: "geo deny", about: "keep messages from countries", run: changeGeography(verify.Deny)},
		{name: "geo inherit", about: "remove rules about countries, so that the wider rule decides", run: changeGeography(verify.Inherit)},
		{name: "factor qr", about: "draw the QR code of a totp factor that waits to be verified", run: runFactorQR},
		{name: "webhook deliveries", about: "list what webhooks were told, and what they answered", run: runWebhookDeliveries},
		{name: "webhook resend", arg: "SID", about: "have an event delivered again", run: runWebhookResend},
		{name: "completion", arg: "SHELL", about: "print what makes bash, zsh or fish complete these commands", run: runCompletion, suggest: suggestShells},
		{name: "version", about: "print the version", run: runVersion},
		{name: completeCommand, run: runComplete},
	}, operatorCommands()...)
}

// run runs one command and returns the exit code: 2 for a wrong call, 1 for a failure.
func run(ctx context.Context, args []string, sys system) int {
	if len(args) == 0 || isHelp(args[0]) {
		return runHelp(ctx, args, sys)
	}
	c, rest, found := find(args)
	switch {
	case !found && len(rest) > 0 && isHelp(rest[0]):
		return runHelp(ctx, append([]string{"help"}, args[:len(args)-len(rest)]...), sys)
	case !found:
		fmt.Fprintln(sys.stderr, noCommand(args))
		return exitUsage
	}
	err := c.run(ctx, rest, sys)
	if status, ok := errors.AsType[exitStatus](err); ok {
		return int(status)
	}
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

// find finds the command that the first words of the arguments choose; rest is what follows them. If
// there is none, rest is what follows the words with which some command begins.
func find(args []string) (c subcommand, rest []string, found bool) {
	if len(args) > 1 && args[0] == "attempt" && sid.Valid(sid.Attempt, args[1]) {
		args = slices.Insert(slices.Clone(args), 1, "story") // the SID in the log is all that has to be typed
	}
	rest = args
	for _, c := range commands() {
		words := strings.Fields(c.name)
		n := 0
		for n < len(words) && n < len(args) && args[n] == words[n] {
			n++
		}
		if n == len(words) {
			return c, args[n:], true
		}
		if len(args)-n < len(rest) {
			rest = args[n:]
		}
	}
	return subcommand{}, rest, false
}

// parse reads the flags of a command without arguments. A mistake is one line that says what to do.
func parse(flags *flag.FlagSet, args []string, sys system) error {
	found, err := parseArgs(flags, args, sys)
	if err == nil && len(found) > 0 {
		err = unexpected(flags, found[0], sys)
	}
	return err
}

// parseWith reads a command's flags and its one argument. what names it in the message of a call
// without it.
func parseWith(flags *flag.FlagSet, what string, args []string, sys system) (string, error) {
	found, err := parseArgs(flags, args, sys)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", misuse(flags, what+" is missing", sys)
	case len(found) > 1:
		return "", unexpected(flags, found[1], sys)
	default:
		return found[0], nil
	}
}

// parseArgs reads a command's flags and its arguments, which may stand before, between or after
// them.
func parseArgs(flags *flag.FlagSet, args []string, sys system) (found []string, err error) {
	for rest := args; ; {
		if err := parseSome(flags, rest, sys); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return found, nil
		}
		found = append(found, flags.Arg(0))
		rest = flags.Args()[1:]
	}
}

// parseSome reads the flags up to the first argument. Every command comes here before it does anything, so
// that this is where --help is answered.
func parseSome(flags *flag.FlagSet, args []string, sys system) error {
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		if sys.describe != nil {
			sys.describe(flags)
		} else {
			printHelp(sys.stdout, flags)
		}
		return err
	case err != nil:
		return misuse(flags, err.Error(), sys)
	default:
		return nil
	}
}

func unexpected(flags *flag.FlagSet, arg string, sys system) error {
	return misuse(flags, fmt.Sprintf("unexpected argument %q", arg), sys)
}

// version is set by a release build.
var version = ""

func runVersion(_ context.Context, args []string, sys system) error {
	if err := parse(flag.NewFlagSet("version", flag.ContinueOnError), args, sys); err != nil {
		return err
	}
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
