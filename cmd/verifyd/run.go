package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verifyd/verifyd/internal/devserver"
	"github.com/verifyd/verifyd/internal/intercept"
	"github.com/verifyd/verifyd/internal/operator"
)

// The codes with which a shell says that a command cannot be run (POSIX, 2.8.2).
const (
	exitNotExecutable = 126
	exitNotFound      = 127
	exitSignal        = 128 // and the number of the signal
)

// serviceNames are under what name applications look for their service, mostly.
var serviceNames = []string{"TWILIO_VERIFY_SERVICE_SID", "VERIFY_SERVICE_SID"}

// runCommand runs a command whose calls to the Verify API reach a verifyd dev: the one that runs on the
// data folder, or one that lives as long as the command and forgets everything.
//
// Nothing that Twilio would take may reach the command: a program that passes the proxy by would use it
// there, and send messages that somebody pays for. So its credentials are always those of a verifyd.
func runCommand(ctx context.Context, args []string, sys system) (err error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	data := flags.String("data", defaultData(sys.getenv), "the `folder` that keeps the certificates, and in which a verifyd dev that runs is found")
	fresh := flags.Bool("fresh", false, "have a server of its own even where a verifyd dev runs")
	own := devOptions{listen: "127.0.0.1:0", alias: "127.0.0.1:0", forget: true, environ: sys.environ()}
	flags.StringVar(&own.rules, "rules", "", "as for verifyd dev, with a server of its own: what becomes of messages is in this `file`")
	flags.StringVar(&own.world, "world", "", "as for verifyd dev, with a server of its own: the test world of this `file`")
	flags.Var(seedValue{&own.seed}, "seed", "as for verifyd dev, with a server of its own: the same SIDs and codes in every run with this `number`")
	logLevel := flags.String("log", "warn", "what a server of its own logs: debug, info, warn or error")
	if err := parseSome(flags, args, sys); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return misuse(flags, "the command is missing", sys)
	}
	path, err := exec.LookPath(flags.Arg(0))
	if err != nil {
		fmt.Fprintf(sys.stderr, "verifyd run: %v\n", err)
		if errors.Is(err, fs.ErrPermission) {
			return exitStatus(exitNotExecutable)
		}
		return exitStatus(exitNotFound)
	}
	if name := foreignCredential(sys.environ()); name != "" {
		return fmt.Errorf("%s is set: the command would use what it has, of which no verifyd dev knows, at Twilio or in vain; unset it, the command finds an account in %s and %s", name, envAccount, envToken)
	}
	lines := newLogBuffer(sys.stderr)
	defer func() { err = errors.Join(err, lines.Close()) }()

	own.data = *data
	alone := *fresh || own.seed != nil || own.rules != "" || own.world != ""
	at, stop, err := findOrStart(ctx, own, alone, newLog(lines, "text", *logLevel), sys)
	if err != nil {
		return err
	}
	defer tidy(&err, stop, sys)
	proxy, err := intercept.StartProxy(intercept.ProxyOptions{Verifyd: at.TLS, Upstream: http.ProxyFromEnvironment})
	if err != nil {
		return err
	}
	defer tidy(&err, proxy.Close, sys)
	folder, err := os.MkdirTemp("", "verifyd-run-")
	if err != nil {
		return err
	}
	defer tidy(&err, func() error { return os.RemoveAll(folder) }, sys)
	env, err := commandEnviron(at, proxy.URL(), *data, folder, sys)
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: path, Args: flags.Args(), Env: env, Stdin: sys.stdin, Stdout: sys.stdout, Stderr: sys.stderr}
	return carryOut(ctx, cmd)
}

// tidy ends something. If that fails it says so, and the command's own exit code still stands, unless it
// says that all is well.
func tidy(err *error, end func() error, sys system) {
	if failed := end(); failed != nil {
		fmt.Fprintf(sys.stderr, "verifyd run: %v\n", failed)
		*err = cmp.Or[error](*err, exitStatus(exitFailed))
	}
}

var keySID = regexp.MustCompile(`^SK[0-9a-fA-F]{32}$`)

// foreignCredential is the name of a variable with an API key, or by its name with a secret or a token of
// Twilio's beside the one that the command gets anew; "" if there is none. The SID of an account opens
// nothing, and may be that of a verifyd dev.
func foreignCredential(environ []string) string {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		upper := strings.ToUpper(name)
		isSecret := strings.Contains(upper, "TWILIO") && (strings.Contains(upper, "SECRET") || strings.Contains(upper, "TOKEN")) && value != ""
		if name != envToken && isSecret || keySID.MatchString(value) {
			return name
		}
	}
	return ""
}

// findOrStart finds the verifyd dev that runs on a data folder, or starts the one that own describes in this
// process; stop stops what was started.
func findOrStart(ctx context.Context, own devOptions, fresh bool, log *slog.Logger, sys system) (at operator.Dev, stop func() error, err error) {
	if !fresh {
		at, err := operator.ReadDev(own.data)
		if err == nil && alive(ctx, at) {
			return at, func() error { return nil }, suitable(ctx, at, sys)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return at, nil, err
		}
	}
	d, err := newDev(ctx, own, log)
	if err != nil {
		return at, nil, err
	}
	if account, _ := sys.getenv(envAccount); account != "" {
		fmt.Fprintf(sys.stderr, "verifyd run: the command gets an account of verifyd in the place of %s\n", envAccount)
	}
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- d.Run(work) }()
	return announcement(d, own), func() error {
		end()
		return <-ended
	}, nil
}

// alivePatience is how long a server on the same machine may take to say that it lives.
const alivePatience = 3 * time.Second

// alive reports whether the server that an announcement is of still runs. One of another folder that has
// taken its address since does not know its account.
func alive(ctx context.Context, at operator.Dev) bool {
	status, err := ask(ctx, at, "/v2/Services?PageSize=1")
	return err == nil && status == http.StatusOK
}

// ask calls a server, and never through a proxy.
func ask(ctx context.Context, at operator.Dev, path string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, alivePatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL+path, nil)
	if err != nil {
		return 0, err
	}
	r.SetBasicAuth(at.AccountSID, at.AuthToken)
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// suitable says why a command must not run with a verifyd dev that runs.
func suitable(ctx context.Context, at operator.Dev, sys system) error {
	const instead = "; run with --fresh for a server of its own"
	base, err := url.Parse(at.URL)
	if err != nil {
		return err
	}
	switch {
	case at.TLS == "":
		return errors.New("the verifyd dev that runs is an older one, start it again" + instead)
	case !isLoopback(at.TLS) || !isLoopback(base.Host):
		return errors.New("the verifyd dev that runs is not on the loopback interface, and credentials would cross a network" + instead)
	case at.Borrowed:
		return fmt.Errorf("the verifyd dev that runs took %s and %s from its environment; if they are Twilio's, a program that passes the proxy by would send real messages with them%s", envAccount, envToken, instead)
	}
	for _, service := range devserver.ServicesIn(sys.environ()) {
		if status, err := ask(ctx, at, "/v2/Services/"+service); err != nil || status != http.StatusOK {
			return fmt.Errorf("the environment names the service %s, which the verifyd dev that runs does not have; start it in this environment%s", service, instead)
		}
	}
	return nil
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

// commandEnviron is the environment of the command.
func commandEnviron(at operator.Dev, proxy, data, folder string, sys system) ([]string, error) {
	authority, err := intercept.OpenAuthority(data, time.Now)
	if err != nil {
		return nil, err
	}
	trust, err := intercept.TrustSettings(folder, authority.PEM(), sys.getenv)
	if errors.Is(err, intercept.ErrNoBundle) {
		fmt.Fprintf(sys.stderr, "verifyd run: %v: the command may trust no other host; name the bundle in SSL_CERT_FILE\n", err)
	} else if err != nil {
		return nil, err
	}
	settings := append(intercept.ProxySettings(proxy, sys.getenv), trust...)
	settings = append(settings,
		intercept.Setting{Name: "VERIFYD_URL", Value: at.URL},
		intercept.Setting{Name: envAccount, Value: at.AccountSID},
		intercept.Setting{Name: envToken, Value: at.AuthToken})
	for _, name := range serviceNames {
		if value, _ := sys.getenv(name); value == "" {
			settings = append(settings, intercept.Setting{Name: name, Value: at.ServiceSID})
		}
	}
	return intercept.Environ(sys.environ(), settings), nil
}

// passedOn are the signals that the command gets in the place of verifyd.
var passedOn = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}

// carryOut runs a command to its end, which it alone decides. A ctx that has ended is a signal that came while
// there was no command to pass it on to: there will be none.
func carryOut(ctx context.Context, cmd *exec.Cmd) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passedOn...)
	defer signal.Stop(signals)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if fromTerminal := s == syscall.SIGINT || s == syscall.SIGQUIT; !fromTerminal || !inForeground() {
				_ = cmd.Process.Signal(s) // it may have ended meanwhile
			}
		case err := <-ended:
			return ending(cmd, err)
		}
	}
}

// ending is the command's exit code, as a shell would say it.
func ending(cmd *exec.Cmd, err error) error {
	if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
		return err
	}
	status, isUnix := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch code := cmd.ProcessState.ExitCode(); {
	case isUnix && status.Signaled():
		return exitStatus(exitSignal + int(status.Signal()))
	case code != exitOK:
		return exitStatus(code)
	default:
		return nil
	}
}

// inForeground reports whether the terminal sends its signals to this process, and so to the command as
// well, which is in the same group: it must not get them twice.
func inForeground() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == syscall.Getpgrp()
}
