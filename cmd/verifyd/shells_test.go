//go:build full

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inShell runs a script in a shell that has verifyd, with a home in which a verifyd dev runs.
func inShell(t *testing.T, home, shell string, script string) string {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		t.Fatalf("%s is missing: `make tools` installs it: %v", shell, err)
	}
	cmd := exec.CommandContext(t.Context(), shell)
	if shell == "zsh" {
		cmd.Args = append(cmd.Args, "-f")
	}
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=" + asProgram(t, home) + ":" + os.Getenv("PATH"), "TERM=dumb"}
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", shell, err, script, out)
	}
	return string(out)
}

// completions are what each shell must offer, the last word being unfinished.
var completions = []struct {
	typed string
	want  []string
}{
	{"verifyd serv", []string{"serve", "service"}},
	{"verifyd service ", []string{"create", "delete", "list", "show", "update"}},
	{"verifyd verification start --channel r", []string{"rcs"}},
	{"verifyd service show A", []string{"Acme"}},
	{"verifyd template add some", []string{"some file.json"}},
	{"verifyd frobnicate ", nil},
}

func shellHome(t *testing.T) string {
	t.Helper()
	_, home := atHome(t)
	if err := os.WriteFile(filepath.Join(home, "some file.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return home
}

func TestBashCompletes(t *testing.T) {
	home := shellHome(t)
	// As bash does it: the line is split into words, = being one of its own.
	const ask = `source <(verifyd completion bash)
complete -p verifyd >/dev/null || exit 1
ask() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _verifyd; printf '%s\n' "${COMPREPLY[@]}"; }
ask `
	cases := append(slices.Clone(completions), struct {
		typed string
		want  []string
	}{"verifyd verification start --channel = s", []string{"sms"}})
	for _, c := range cases {
		words := strings.Split(c.typed, " ")
		for i := range words {
			words[i] = "'" + words[i] + "'"
		}
		got := lines(inShell(t, home, "bash", ask+strings.Join(words, " ")+"\n"))
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("bash: %q offers %q, want %q", c.typed, got, c.want)
		}
	}
	got := lines(inShell(t, home, "bash", ask+"verifyd verification start --channel =\n"))
	if len(got) != 5 || !slices.Contains(got, "whatsapp") {
		t.Errorf("bash: after --channel= it offers %q", got)
	}
}

func TestFishCompletes(t *testing.T) {
	home := shellHome(t)
	for _, c := range completions {
		var got []string
		for _, line := range lines(inShell(t, home, "fish", "verifyd completion fish | source\ncomplete -C '"+c.typed+"'\n")) {
			value, _, _ := strings.Cut(line, "\t")
			got = append(got, strings.ReplaceAll(value, `\ `, " "))
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("fish: %q offers %q, want %q", c.typed, got, c.want)
		}
	}
}

// The completion of zsh runs in its editor alone, so keys are typed into a zsh on a terminal of its
// own: Tab, then one that writes down what the line has become.
func TestZshCompletes(t *testing.T) {
	home := shellHome(t)
	for typed, want := range map[string]string{
		"verifyd serve":                              "verifyd serve ",
		"verifyd attempt su":                         "verifyd attempt summary ",
		"verifyd verification start --channel r":     "verifyd verification start --channel rcs ",
		"verifyd verification start --channel=w":     "verifyd verification start --channel=whatsapp ",
		"verifyd service show A":                     "verifyd service show Acme ",
		"verifyd template add some":                  `verifyd template add some\ file.json `,
		"verifyd frobnicate ":                        "verifyd frobnicate ",
		"verifyd attempt list --service Acme --coun": "verifyd attempt list --service Acme --country ",
	} {
		got := inShell(t, home, "zsh", `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'autoload -Uz compinit && compinit -u -D; source <(verifyd completion zsh)'
zpty -w z 'show() { print -r -- "$BUFFER" >$HOME/line; exit }; zle -N show; bindkey "^X" show'
zpty -w -n z '`+typed+`'$'\t\x18'
while zpty -r z said; do :; done
cat $HOME/line
`)
		if got = strings.TrimSuffix(got, "\n"); got != want {
			t.Errorf("zsh makes of %q %q, want %q", typed, got, want)
		}
	}
}

// On a terminal a line is as long as the terminal is wide, and in a pipe as long as it is.
func TestATableIsCutToTheTerminal(t *testing.T) {
	_, home := atHome(t)
	const inTerminal = `zmodload zsh/zpty
zpty z 'stty cols 45; verifyd service list'
while zpty -r z said; do print -rn -- $said; done
`
	got := lines(steady(strings.ReplaceAll(inShell(t, home, "zsh", inTerminal), "\r", "")))
	if want := []string{"SID                                 NAME  CO…", "VA…  Acme  6 …"}; !slices.Equal(got, want) {
		t.Errorf("in a terminal of 45 columns %q, want %q", got, want)
	}
	got = lines(steady(inShell(t, home, "sh", "verifyd service list | cat\n")))
	if want := []string{"SID                                 NAME  CODE  CREATED", "VA…  Acme  6     TIME"}; !slices.Equal(got, want) {
		t.Errorf("in a pipe %q, want %q", got, want)
	}
}

// lines are those of an output that say something.
func lines(out string) []string {
	return slices.DeleteFunc(strings.Split(out, "\n"), func(s string) bool { return s == "" })
}
