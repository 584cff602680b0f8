package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// atHome starts a verifyd dev on the usual data folder of a home.
func atHome(t *testing.T) (p *program, home string) {
	t.Helper()
	home = t.TempDir()
	return begin(t, devReady, []string{"HOME=" + home}, "dev", "--listen", "127.0.0.1:0", "--log", "warn"), home
}

// onceWith runs a command to its end in an environment.
func onceWith(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

var (
	anySID  = regexp.MustCompile(`\b([A-Z]{2})[0-9a-f]{32}\b`)
	anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

// steady takes out of a text what differs from run to run.
func steady(s string) string {
	return anyTime.ReplaceAllString(anySID.ReplaceAllString(s, "$1…"), "TIME")
}

// A developer with a running dev needs no flags: a day's work, and what every step prints.
func TestADayOfADeveloper(t *testing.T) {
	p, home := atHome(t)
	for _, step := range []struct{ line, want string }{
		{"service list", "SID                                 NAME  CODE  CREATED\nVA…  Acme  6     TIME\n"},
		{"service create Bank --code-length 8 --code-ttl 300 --psd2-enabled true", `sid                                VA…
account_sid                        AC…
friendly_name                      Bank
code_length                        8
lookup_enabled                     false
psd2_enabled                       true
skip_sms_to_landlines              false
dtmf_input_required                true
do_not_share_warning_enabled       false
custom_code_enabled                false
push.include_date                  false
verify_event_subscription_enabled  false
date_created                       TIME
date_updated                       TIME
Verifyd-Code-Ttl                   300
Verifyd-Max-Checks                 5
Verifyd-Max-Sends                  5
`},
		{"service list", "SID                                 NAME  CODE  CREATED\nVA…  Bank  8     TIME\nVA…  Acme  6     TIME\n"},
		{"service list --limit 1", "SID                                 NAME  CODE  CREATED\nVA…  Bank  8     TIME\nthere are more: --limit 0 shows all\n"},
		{"verification start +34612345678 --channel sms", "verifyd verification start: there is more than one service: choose with --service; verifyd service list shows them; see verifyd verification start --help\n"},
		{"service delete Bank", "deleted Bank\n"},
		{"verification start +34612345678 --channel sms --quiet", "VE…\n"},
		{"verification check +34612345678 --code 000000", `sid                  VE…
service_sid          VA…
account_sid          AC…
to                   +34612345678
channel              sms
status               pending
valid                false
date_created         TIME
date_updated         TIME
Verifyd-Checks-Left  4
Verifyd-Expires-In   N
Verifyd-Sends-Left   4
`},
		{"verification cancel +34612345678 --quiet", "VE…\n"},
		{"verification check +34612345678 --code 000000", "verifyd verification check: 20404: The requested resource /Services/VA…/VerificationCheck was not found (HTTP 404); reason: canceled\n"},
		{"rate-limit create end_user_ip --quiet", "RK…\n"},
		{"rate-limit create end_user_ip --quiet", "verifyd rate-limit create: 60208: Rate limit with that UniqueName already exists (HTTP 400)\n"},
		{"bucket create --rate-limit end_user_ip --max 2 --interval 60 --quiet", "BL…\n"},
		{"bucket list --rate-limit end_user_ip", "SID                                 MAX  INTERVAL  CREATED\nBL…  2    60        TIME\n"},
		{"rate-limit delete end_user_ip", "deleted end_user_ip\n"},
		{"messaging-configuration create ca --messaging-service MG0123456789abcdef0123456789abcdef --quiet", "CA\n"},
		{"messaging-configuration list", "COUNTRY  MESSAGING SERVICE                   CREATED\nCA       MG…  TIME\n"},
		{"safe-list add +34612345678 --quiet", "+34612345678\n"},
		{"safe-list remove +34612345678", "removed +34612345678\n"},
		{"safe-list show +34612345678", "verifyd safe-list show: 20404: The requested resource /SafeList/Numbers/+34612345678 was not found (HTTP 404)\n"},
		{"template list --friendly-name x", "SID  NAME  CHANNELS  LANGUAGES\n"},
		{"service show Nobody", "verifyd service show: there is no service \"Nobody\"; verifyd service list shows them\n"},
	} {
		stdout, stderr, code := onceWith(t, []string{"HOME=" + home}, strings.Fields(step.line)...)
		got := regexp.MustCompile(`(Expires-In +)\d+`).ReplaceAllString(steady(stdout+stderr), "${1}N")
		wantCode := 0
		if strings.HasPrefix(step.want, "verifyd ") {
			wantCode = 1
			if strings.Contains(step.want, "--help") {
				wantCode = 2
			}
		}
		if got != step.want || code != wantCode {
			t.Errorf("verifyd %s: exit code %d, want %d\ngot\n%swant\n%s", step.line, code, wantCode, got, step.want)
		}
	}
	if code := p.stop(); code != 0 {
		t.Fatalf("SIGTERM: exit code %d\n%s", code, p.errs)
	}
	folder := filepath.Join(home, ".local/share/verifyd")
	_, stderr, code := onceWith(t, []string{"HOME=" + home}, "service", "list")
	if want := "verifyd service list: no verifyd dev runs on the data folder " + folder + "; start one, or say where a server is with --url or VERIFYD_URL\n"; code != 1 || stderr != want {
		t.Errorf("after its end: %d %s want %s", code, stderr, want)
	}
}

func TestAttemptsAreListedAndCounted(t *testing.T) {
	p, home := atHome(t)
	env := []string{"HOME=" + home}
	for _, line := range []string{"verification start +34612345678 --channel sms", "verification start +33612345678 --channel call"} {
		if _, stderr, code := onceWith(t, env, strings.Fields(line)...); code != 0 {
			t.Fatalf("%s: %s", line, stderr)
		}
	}
	p.text("+34612345678") // the message is there
	list := func(flags string) string {
		stdout, stderr, code := onceWith(t, env, append([]string{"attempt", "list"}, strings.Fields(flags)...)...)
		if code != 0 {
			t.Fatalf("attempt list %s: %s", flags, stderr)
		}
		return steady(stdout)
	}
	waitFor(t, "both attempts to be sent", func() bool {
		return strings.Contains(list("--channel sms"), " sent ") && strings.Contains(list("--channel call"), " in-progress ")
	})
	const head = "CREATED               TO            COUNTRY  CHANNEL  MESSAGE      ERROR  CONVERSION   SID                                 VERIFICATION\n"
	if got, want := list("--after 1h"), head+"TIME  +33612345678  FR       call     in-progress  -      unconverted  VL…  VE…\n"+
		"TIME  +34612345678  ES       sms      sent         -      unconverted  VL…  VE…\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for flags, rows := range map[string]int{
		"--country ES": 1, "--to +33612345678": 1, "--status converted": 0, "--service Acme": 2, "--before 1h": 0,
		"--channel rbm": 0, "--limit 1": 1, "--verification VE0123456789abcdef0123456789abcdef": 0,
	} {
		if got := list(flags + " --quiet"); strings.Count(got, "VL…\n") != rows {
			t.Errorf("attempt list %s: %q, want %d", flags, got, rows)
		}
	}
	stdout, _, _ := onceWith(t, env, "attempt", "summary", "--prefix", "+34")
	if want := "total_attempts              1\ntotal_converted             0\ntotal_unconverted           1\nconversion_rate_percentage  0.000000000\n"; stdout != want {
		t.Errorf("summary: got\n%swant\n%s", stdout, want)
	}
	// The JSON is the API's own, byte for byte.
	sid := strings.TrimSpace(first(onceWith(t, env, "attempt", "list", "--quiet", "--limit", "1")))
	story, _, _ := onceWith(t, env, "attempt", sid)
	if !regexp.MustCompile(`(?s)^sid +VL.*\nstate +sent\nprovider +inbox\n.*\n\nTIME +STEP +PROVIDER +MS +OUTCOME +CODE +THEN +WHY +DETAIL\nTIME +hand_over +inbox +\d+ +accepted +- +sent +- +-\n$`).MatchString(steady(story)) ||
		first(onceWith(t, env, "attempt", "story", sid)) != story {
		t.Errorf("the story of an attempt:\n%s", story)
	}
	if asJSON := first(onceWith(t, env, "attempt", sid, "--json")); !strings.Contains(asJSON, `"decision":"sent"`) {
		t.Errorf("the story as JSON: %s", asJSON)
	}
	shown, _, _ := onceWith(t, env, "attempt", "show", sid, "--json")
	listed, _, _ := onceWith(t, env, "attempt", "list", "--json", "--limit", "1")
	_, body, _, err := get(t.Context(), p.base, p.said("account SID"), p.said("auth token"), "/v2/Attempts/"+sid)
	var ours map[string]any
	if err != nil || json.Unmarshal([]byte(shown), &ours) != nil || ours["sid"] != body["sid"] || len(ours) != len(body) || listed != shown {
		t.Errorf("%v: shown %s listed %s the API says %v", err, shown, listed, body)
	}
}

func first(stdout, _ string, _ int) string { return stdout }

// What goes wrong between here and the server is one line, and an exit code of 1.
func TestAServerThatIsWrong(t *testing.T) {
	p, home := atHome(t)
	sid := p.said("account SID")
	for _, c := range []struct {
		env  []string
		args string
		want string
	}{
		{nil, "service list", "verifyd service list: no verifyd dev runs on the data folder "},
		{[]string{"VERIFYD_URL=" + p.base}, "service list", "verifyd service list: the account is missing: set TWILIO_ACCOUNT_SID, or give --account\n"},
		{[]string{"VERIFYD_URL=" + p.base, "TWILIO_ACCOUNT_SID=" + sid, "TWILIO_AUTH_TOKEN=wrong"}, "service list",
			"verifyd service list: 20003: Authentication Error - invalid username (HTTP 401); " + p.base + " does not know the credentials of TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN\n"},
		{[]string{"HOME=" + home}, "service list --account AC1 --token x", "20003: Authentication Error - invalid username (HTTP 401); " + p.base + " does not know the credentials of --account and --token\n"},
		{nil, "service list --account a --token b --url http://127.0.0.1:1", "verifyd service list: http://127.0.0.1:1 does not answer: connect: connection refused; is --url right, and does the server run?\n"},
		{[]string{"HOME=" + home}, "bucket list --rate-limit none", "verifyd bucket list: 20404: The requested resource /Services/"},
	} {
		stdout, stderr, code := onceWith(t, c.env, strings.Fields(c.args)...)
		if code != 1 || stdout != "" || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v verifyd %s: exit code %d\ngot  %s%swant %s", c.env, c.args, code, stdout, stderr, c.want)
		}
	}
	if stdout, stderr, code := onceWith(t, []string{"VERIFYD_URL=" + p.base + "/", "TWILIO_ACCOUNT_SID=" + sid, "TWILIO_AUTH_TOKEN=" + p.said("auth token")}, "service", "list", "--quiet"); code != 0 || stdout != p.said("service SID")+"\n" {
		t.Errorf("with the environment of an application: %d %s%s", code, stdout, stderr)
	}
	// A server that was killed leaves its file.
	p.kill()
	if _, stderr, code := onceWith(t, []string{"HOME=" + home}, "service", "list"); code != 1 ||
		!strings.HasSuffix(stderr, "does not answer: connect: connection refused; the verifyd dev of the data folder "+home+"/.local/share/verifyd was there; does it still run?\n") {
		t.Errorf("a server that was killed: %d %s", code, stderr)
	}
}

// inProcess runs a command line in this process; what it would serve or change is for processes.
func inProcess(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run(ctx, args, system{getenv: func(string) (string, bool) { return "", false }, environ: func() []string { return nil }, stdout: &out, stderr: &errs})
	return out.String(), errs.String(), code
}

func TestEveryCommandHasHelp(t *testing.T) {
	all, _, _ := inProcess(t.Context(), "help")
	for _, c := range commands() {
		if c.about == "" {
			continue
		}
		words := strings.Fields(c.name)
		asked, stderr, code := inProcess(t.Context(), append(slices.Clone(words), "--help")...)
		helped, _, helpCode := inProcess(t.Context(), append([]string{"help"}, words...)...)
		if code != 0 || helpCode != 0 || stderr != "" || asked != helped || !strings.HasPrefix(asked, "verifyd "+c.withArg()+": "+c.about+".\n") {
			t.Errorf("%s --help: %d %q\n%s\nhelp %[1]s: %d\n%s", c.name, code, stderr, asked, helpCode, helped)
		}
		if !strings.Contains(all, "verifyd "+words[0]) || !strings.Contains(all, words[len(words)-1]) {
			t.Errorf("verifyd help does not list %s", c.name)
		}
		if len(words) > 1 {
			if group, _, _ := inProcess(t.Context(), words[0], "--help"); !strings.Contains(group, "verifyd "+c.withArg()) {
				t.Errorf("verifyd %s --help does not list %s:\n%s", words[0], c.name, group)
			}
		}
	}
	for _, c := range []struct{ line, want string }{
		{"service", "verifyd service: say what to do: list, show, create, update, delete; verifyd help service says more\n"},
		{"service frobnicate", "verifyd service: say what to do: list, show, create, update, delete; verifyd help service says more\n"},
		{"help frobnicate", "verifyd: there is no command \"frobnicate\"; verifyd help lists them\n"},
		{"help service list more", "verifyd: there is no command"},
		{"service list more", "verifyd service list: unexpected argument \"more\"; see verifyd service list --help\n"},
		{"service show a b", "verifyd service show: unexpected argument \"b\"; see verifyd service show --help\n"},
		{"service show", "verifyd service show: SID|NAME is missing; see verifyd service show --help\n"},
		{"attempt list --limit x", "verifyd attempt list: invalid value \"x\" for flag -limit: parse error; see verifyd attempt list --help\n"},
		{"completion tcsh", "verifyd completion: there is none for \"tcsh\", but for bash, zsh and fish; see verifyd completion --help\n"},
	} {
		if stdout, stderr, code := inProcess(t.Context(), strings.Fields(c.line)...); code != 2 || stdout != "" || !strings.HasPrefix(stderr, c.want) {
			t.Errorf("verifyd %s: %d %s%s, want %s", c.line, code, stdout, stderr, c.want)
		}
	}
}

// The golden help of a command that has everything.
func TestTheHelpOfAttempts(t *testing.T) {
	want, err := os.ReadFile("testdata/attempt_list.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := inProcess(t.Context(), "help", "attempt", "list"); got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCandidates(t *testing.T) {
	_, home := atHome(t)
	for _, c := range []struct{ words, want string }{ // the last word is unfinished; _ is an empty one
		{"serv", "serve service"},
		{"service _", "list show create update delete"},
		{"template _", "add export approve remove list show"},
		{"help safe-list a", "add"},
		{"verification start --ch", "--channel --channel-configuration"},
		{"verification start --channel _", "sms call email whatsapp rcs"},
		{"verification start --channel=r", "--channel=rcs"},
		{"dev --l", "--limits --listen --log"},
		{"dev --data _", ":files"},
		{"dev --data=x", ":files"},
		{"dev --limits _", ""},
		{"template add _", ":files"},
		{"service show _", "Acme"},
		{"service show VA", "VA…"},
		{"verification start --service _", "Acme"},
		{"verification start --template-sid _", "HJ…"},
		{"attempt list --data /nowhere --service _", ""},
		{"service update Acme --lookup-enabled _", "true false"},
		{"completion _", "bash zsh fish"},
		{"frobnicate _", ""},
		{"__", ""},
	} {
		words := strings.Fields(c.words)
		if last := len(words) - 1; words[last] == "_" {
			words[last] = ""
		}
		stdout, stderr, code := onceWith(t, []string{"HOME=" + home}, append([]string{completeCommand}, words...)...)
		var got []string
		for line := range strings.Lines(stdout) {
			value, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			got = append(got, steady(value))
		}
		if s := strings.Join(got, " "); s != c.want || stderr != "" || code != 0 {
			t.Errorf("verifyd %s: %q %s, want %q", c.words, s, stderr, c.want)
		}
	}
}
