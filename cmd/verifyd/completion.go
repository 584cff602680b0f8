package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/operator"
)

// The scripts hold no commands: they ask completeCommand of the program that is typed, so that they
// are never older than it.
//
//go:embed completion
var completionScripts embed.FS

// completeCommand is for the scripts alone. It is given the words after verifyd, the last of which is
// not finished, and prints what it may become: a line each, perhaps with a tab and a word for people
// behind it. The line anyFile alone says that it is a path.
const (
	completeCommand = "__complete"
	anyFile         = ":files"
)

// completeTimeout is how long whoever presses Tab waits for a server that does not answer.
const completeTimeout = 2 * time.Second

func runCompletion(_ context.Context, args []string, sys system) error {
	flags := flag.NewFlagSet("completion", flag.ContinueOnError)
	shell, err := parseWith(flags, "the shell (bash, zsh, fish)", args, sys)
	if err != nil {
		return err
	}
	script, err := completionScripts.ReadFile("completion/" + shell)
	if err != nil {
		return misuse(flags, fmt.Sprintf("there is none for %q, but for bash, zsh and fish", shell), sys)
	}
	_, err = sys.stdout.Write(script)
	return err
}

func suggestShells(context.Context, []string, string, string, system) []operator.Suggestion {
	return []operator.Suggestion{{Value: "bash"}, {Value: "zsh"}, {Value: "fish"}}
}

func runComplete(ctx context.Context, words []string, sys system) error {
	if len(words) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	for _, s := range candidates(ctx, words, sys) {
		line := s.Value
		if s.About != "" {
			line += "\t" + s.About
		}
		if _, err := fmt.Fprintln(sys.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// candidates says what the last of the words may become.
func candidates(ctx context.Context, words []string, sys system) []operator.Suggestion {
	before, typed := words[:len(words)-1], words[len(words)-1]
	if len(before) > 0 && before[0] == "help" {
		return nextWords(before[1:], typed)
	}
	c, args, found := find(before)
	if !found {
		return nextWords(before, typed)
	}
	flags := flagsOf(ctx, c, sys)
	var all []operator.Suggestion
	prefix := ""
	switch name, value, hasValue := strings.Cut(typed, "="); {
	case strings.HasPrefix(typed, "-") && hasValue:
		prefix = name + "="
		all = values(ctx, c, args, flags.Lookup(strings.TrimLeft(name, "-")), value, sys)
	case strings.HasPrefix(typed, "-"):
		flags.VisitAll(func(f *flag.Flag) {
			all = append(all, operator.Suggestion{Value: "--" + f.Name, About: usageOf(f)})
		})
	default:
		if f := wantsValue(flags, args); f != nil {
			all = values(ctx, c, args[:len(args)-1], f, typed, sys)
		} else {
			all = values(ctx, c, args, nil, typed, sys)
		}
	}
	for i := range all {
		if all[i].Value != anyFile {
			all[i].Value = prefix + all[i].Value
		}
	}
	return slices.DeleteFunc(all, func(s operator.Suggestion) bool {
		return s.Value != anyFile && !strings.HasPrefix(s.Value, typed)
	})
}

// nextWords are the words with which the name of a command may go on.
func nextWords(before []string, typed string) []operator.Suggestion {
	var all []operator.Suggestion
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(words) <= len(before) || !slices.Equal(words[:len(before)], before) || c.about == "" {
			continue
		}
		s := operator.Suggestion{Value: words[len(before)], About: c.about}
		if len(words) > len(before)+1 {
			s.About = ""
			for _, noun := range operator.Nouns() {
				if noun[0] == s.Value {
					s.About = noun[1]
				}
			}
		}
		seen := slices.ContainsFunc(all, func(had operator.Suggestion) bool { return had.Value == s.Value })
		if !seen && strings.HasPrefix(s.Value, typed) {
			all = append(all, s)
		}
	}
	return all
}

// flagsOf are the flags of a command, which it says when it is asked for help.
func flagsOf(ctx context.Context, c subcommand, sys system) *flag.FlagSet {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	sys.describe = func(its *flag.FlagSet) { flags = its }
	_ = c.run(ctx, []string{"--help"}, sys) // ErrHelp
	return flags
}

// wantsValue is the flag whose value comes next, nil if the last word is none that wants one.
func wantsValue(flags *flag.FlagSet, args []string) *flag.Flag {
	if len(args) == 0 || !strings.HasPrefix(args[len(args)-1], "-") {
		return nil
	}
	f := flags.Lookup(strings.TrimLeft(args[len(args)-1], "-"))
	if f == nil {
		return nil
	}
	if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
		return nil
	}
	return f
}

// values are what may stand in the place of a flag's value or, with no flag, of the argument.
func values(ctx context.Context, c subcommand, args []string, f *flag.Flag, typed string, sys system) []operator.Suggestion {
	word, of := c.arg, ""
	if f != nil {
		word, _ = flag.UnquoteUsage(f)
		of = f.Name
	}
	switch strings.ToLower(word) {
	case "file", "folder":
		return []operator.Suggestion{{Value: anyFile}}
	}
	if c.suggest == nil {
		return nil
	}
	return c.suggest(ctx, args, of, typed, sys)
}
