package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/operator"
)

func isHelp(arg string) bool { return arg == "help" || arg == "-h" || arg == "--help" }

// runHelp answers verifyd help, with the words of a command behind it or only the first of them.
func runHelp(ctx context.Context, args []string, sys system) int {
	words := slices.DeleteFunc(slices.Clone(args), isHelp)
	if len(words) == 0 {
		overview(sys.stdout)
		return exitOK
	}
	c, rest, found := find(words)
	switch {
	case found && len(rest) == 0:
		_ = c.run(ctx, []string{"--help"}, sys) // ErrHelp: parseArgs has answered
		return exitOK
	case !found && len(rest) == 0:
		for _, c := range commands() {
			if strings.HasPrefix(c.name, strings.Join(words, " ")+" ") {
				fmt.Fprintln(sys.stdout, twoColumns("verifyd "+c.withArg(), c.about))
			}
		}
		return exitOK
	default:
		fmt.Fprintln(sys.stderr, noCommand(words))
		return exitUsage
	}
}

// withArg is a command's name and what it is given.
func (c subcommand) withArg() string {
	if c.arg == "" {
		return c.name
	}
	return c.name + " " + c.arg
}

// overview lists every command; those that go through the API, of which there are many, by noun.
func overview(w io.Writer) {
	fmt.Fprint(w, "verifyd verifies people by one-time passcodes.\n\nCommands, each with --help:\n")
	for _, c := range commands() {
		if !c.remote && c.about != "" {
			fmt.Fprintln(w, twoColumns("  verifyd "+c.name, c.about))
		}
	}
	fmt.Fprint(w, "\nCommands of a running server, through its API; verifyd help service lists those of services:\n")
	for _, noun := range operator.Nouns() {
		verbs := []string{}
		for _, c := range commands() {
			if verb, ok := strings.CutPrefix(c.name, noun[0]+" "); ok && c.remote {
				verbs = append(verbs, verb)
			}
		}
		fmt.Fprintln(w, twoColumns("  verifyd "+noun[0], noun[1]+": "+strings.Join(verbs, ", ")))
	}
}

// twoColumns is a line of a list for people; a left column that is too long has the line for itself.
func twoColumns(left, right string) string {
	const column = 34
	if len(left) > column-2 {
		return left + "\n" + strings.Repeat(" ", column) + right
	}
	return fmt.Sprintf("%-*s%s", column, left, right)
}

// noCommand says of words that are no command what would be one.
func noCommand(args []string) string {
	_, rest, found := find(args)
	group := strings.Join(args[:len(args)-len(rest)], " ")
	if found || group == "" {
		return fmt.Sprintf("verifyd: there is no command %q; verifyd help lists them", strings.Join(args, " "))
	}
	var verbs []string
	for _, c := range commands() {
		if verb, ok := strings.CutPrefix(c.name, group+" "); ok {
			verbs = append(verbs, verb)
		}
	}
	return fmt.Sprintf("verifyd %s: say what to do: %s; verifyd help %[1]s says more", group, strings.Join(verbs, ", "))
}

// printHelp prints the help of the command whose flags these are.
func printHelp(w io.Writer, flags *flag.FlagSet) {
	c, _, _ := find(strings.Fields(flags.Name()))
	fmt.Fprintf(w, "verifyd %s: %s.\n", c.withArg(), c.about)
	own, shared := "", ""
	flags.VisitAll(func(f *flag.Flag) {
		if c.remote && slices.Contains(operator.SharedFlags, f.Name) {
			shared += flagHelp(f)
		} else {
			own += flagHelp(f)
		}
	})
	if own != "" {
		fmt.Fprint(w, "\nFlags:\n", own)
	}
	if shared != "" {
		fmt.Fprint(w, "\nFlags of where the server is, and of what to print:\n", shared)
	}
}

func flagHelp(f *flag.Flag) string {
	value, _ := flag.UnquoteUsage(f)
	return twoColumns("  --"+strings.TrimSpace(f.Name+" "+value), usageOf(f)) + "\n"
}

// usageOf is what a flag is for. A word for its value with which that begins is no part of the
// sentence.
func usageOf(f *flag.Flag) string {
	value, usage := flag.UnquoteUsage(f)
	if strings.HasPrefix(f.Usage, "`") {
		usage = strings.TrimPrefix(usage, value+" ")
	}
	if f.DefValue != "" && f.DefValue != "false" {
		usage += " (default " + f.DefValue + ")"
	}
	return usage
}
