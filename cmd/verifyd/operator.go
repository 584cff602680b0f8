package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/verifyd/verifyd/internal/operator"
)

// operatorCommands are the commands that go through the REST API of a server.
func operatorCommands() []subcommand {
	var all []subcommand
	for _, c := range operator.Commands() {
		all = append(all, subcommand{
			name: c.Name, arg: c.Arg, about: c.About, remote: true,
			run: func(ctx context.Context, args []string, sys system) error { return runOperator(ctx, c, args, sys) },
			suggest: func(ctx context.Context, args []string, of, typed string, sys system) []operator.Suggestion {
				call, server, flags := bind(c)
				flags.SetOutput(io.Discard)
				for len(args) > 0 && flags.Parse(args) == nil && flags.NArg() > 0 {
					args = flags.Args()[1:]
				}
				return call.Suggest(ctx, of, typed, finder(server, sys))
			},
		})
	}
	return all
}

func bind(c *operator.Command) (*operator.Call, *operator.Server, *flag.FlagSet) {
	flags := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	return c.Bind(flags), operator.ServerFlags(flags), flags
}

func finder(server *operator.Server, sys system) func() (*operator.Client, error) {
	return func() (*operator.Client, error) { return server.Find(sys.getenv, defaultData(sys.getenv)) }
}

func runOperator(ctx context.Context, c *operator.Command, args []string, sys system) error {
	call, server, flags := bind(c)
	found, err := parseArgs(flags, args, sys)
	if err != nil {
		return err
	}
	if most := min(len(c.Arg), 1); len(found) > most {
		return unexpected(flags, found[most], sys)
	}
	err = call.Run(ctx, found, time.Now(), finder(server, sys),
		operator.Output{W: sys.stdout, Notes: sys.stderr, Width: terminalWidth(sys.stdout)})
	if m, ok := errors.AsType[operator.Misuse](err); ok {
		return misuse(flags, string(m), sys)
	}
	return err
}

// terminalWidth is how many columns the terminal has that w is, 0 if w is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// misuse says what is wrong with a call.
func misuse(flags *flag.FlagSet, what string, sys system) error {
	fmt.Fprintf(sys.stderr, "verifyd %s: %s; see verifyd %[1]s --help\n", flags.Name(), what)
	return errUsage
}
