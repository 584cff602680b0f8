package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// compose is what the test reads of a compose file.
type compose struct {
	Services map[string]struct {
		Build       string
		Command     []string
		Environment map[string]string
		Networks    map[string]struct{ Aliases []string }
		Ports       []string
		Volumes     []string
		Healthcheck struct{ Test []string }
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	}
	Volumes map[string]any
}

func readCompose(t *testing.T) (c compose) {
	t.Helper()
	text, err := os.ReadFile("../../examples/compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// The application of examples/compose finds verifyd under Twilio's name, trusts it by a file that verifyd
// leaves in a volume of both, starts when it is healthy, and has the same credentials.
func TestTheComposeExampleIsWhole(t *testing.T) {
	c := readCompose(t)
	server, app := c.Services["verifyd"], c.Services["app"]
	if !slices.Contains(server.Networks["default"].Aliases, "verify.twilio.com") || len(app.Networks) > 0 {
		t.Errorf("the names of verifyd are %v, the networks of the application %v", server.Networks, app.Networks)
	}
	if app.DependsOn["verifyd"].Condition != "service_healthy" || len(server.Healthcheck.Test) == 0 {
		t.Errorf("the application starts with %v, and verifyd is healthy by %v", app.DependsOn, server.Healthcheck)
	}
	for _, name := range []string{"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_VERIFY_SERVICE_SID"} {
		if server.Environment[name] == "" || server.Environment[name] != app.Environment[name] {
			t.Errorf("%s is %q and %q", name, server.Environment[name], app.Environment[name])
		}
	}
	volume, folder, _ := strings.Cut(server.Volumes[0], ":")
	data := server.Command[slices.Index(server.Command, "--data")+1]
	ca := strings.TrimSuffix(app.Environment["NODE_EXTRA_CA_CERTS"], "/ca.pem")
	if _, declared := c.Volumes[volume]; !declared || folder != data || !slices.Contains(app.Volumes, volume+":"+ca+":ro") {
		t.Errorf("verifyd keeps its data in %s of %v, the application trusts what is in %s of %v", data, server.Volumes, ca, app.Volumes)
	}
	for _, port := range server.Ports {
		if !strings.HasPrefix(port, "127.0.0.1:") {
			t.Errorf("the inbox is open to the network: %s", port)
		}
	}
	if _, err := os.Stat(filepath.Join("../../examples/compose", server.Build, "Dockerfile")); err != nil {
		t.Error(err)
	}
}

// What examples/compose starts answers as verify.twilio.com, with the credentials that both have, and is
// healthy by the command that it names.
func TestTheComposeExample(t *testing.T) {
	server := readCompose(t).Services["verifyd"]
	data := t.TempDir()
	here := strings.NewReplacer("/data", data, "0.0.0.0:8642", "127.0.0.1:0", "0.0.0.0:443", "127.0.0.1:0", "/verifyd", os.Args[0])
	var env []string
	for name, value := range server.Environment {
		env = append(env, name+"="+value)
	}
	var args []string
	for _, word := range server.Command {
		args = append(args, here.Replace(word))
	}
	p := begin(t, devReady, env, args...)

	health := server.Healthcheck.Test
	cmd := exec.Command(here.Replace(health[1]))
	for _, word := range health[2:] {
		cmd.Args = append(cmd.Args, here.Replace(word))
	}
	cmd.Env = []string{asVerifyd + "=1"}
	if out, err := cmd.CombinedOutput(); err != nil || health[0] != "CMD" {
		t.Errorf("it is not healthy: %v\n%s", err, out)
	}

	var at struct{ TLS string }
	announced, err := os.ReadFile(filepath.Join(data, "running.json"))
	if err != nil || json.Unmarshal(announced, &at) != nil {
		t.Fatal(err, string(announced))
	}
	app := trusting(t, filepath.Join(data, "ca.pem"), at.TLS)
	service := server.Environment["TWILIO_VERIFY_SERVICE_SID"]
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://verify.twilio.com/v2/Services/"+service, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(p.said("account SID"), p.said("auth token"))
	answer, err := app.Do(r)
	if err != nil || answer.StatusCode != 200 {
		t.Errorf("its service: %v, %v", answer, err)
	}
}

// The image has the program and what it needs, and nobody in it is root.
func TestTheImageIsScratchAndNotRoot(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	stages := regexp.MustCompile(`(?m)^FROM `).Split(string(text), -1)
	last := stages[len(stages)-1]
	for _, line := range []string{
		`scratch`, `COPY --from=build /etc/ssl/certs/ca-certificates\.crt /etc/ssl/certs/`, `COPY --from=build /out/verifyd /verifyd`,
		`COPY --from=build --chown=(\d+:\d+) /out/data /data`, `USER [1-9]\d*:[1-9]\d*`, `VOLUME /data`, `ENTRYPOINT \["/verifyd"\]`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(last) {
			t.Errorf("the image has no line %s:\n%s", line, last)
		}
	}
	if user := regexp.MustCompile(`(?m)--chown=(\S+) [\s\S]*^USER (\S+)$`).FindStringSubmatch(last); user == nil || user[1] != user[2] {
		t.Errorf("the data folder is of %q", user)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	uses := regexp.MustCompile(`(?m)^export GOTOOLCHAIN := go(\d+\.\d+)`).FindSubmatch(makefile)
	if uses == nil || !strings.Contains(string(text), "FROM golang:"+string(uses[1])+" AS build") {
		t.Errorf("it is built with another Go than that of the Makefile, %s", uses)
	}
}
