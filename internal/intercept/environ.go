package intercept

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Setting is what a command is told in its environment.
type Setting struct{ Name, Value string }

// Environ is an environment with settings in the place of those that it has by their names.
func Environ(base []string, settings []Setting) []string {
	env := slices.DeleteFunc(slices.Clone(base), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.ContainsFunc(settings, func(s Setting) bool { return s.Name == name })
	})
	for _, s := range settings {
		env = append(env, s.Name+"="+s.Value)
	}
	return env
}

// ProxySettings tell a command of a proxy. Which of the names a library reads, and in which case, is its
// own affair: Node's twilio reads HTTP_PROXY, Go and Python HTTPS_PROXY, curl the lower case.
func ProxySettings(proxy string, getenv func(string) (string, bool)) []Setting {
	around, _ := getenv("NO_PROXY")
	if lower, ok := getenv("no_proxy"); ok {
		around += "," + lower
	}
	return []Setting{
		{"HTTP_PROXY", proxy}, {"http_proxy", proxy},
		{"HTTPS_PROXY", proxy}, {"https_proxy", proxy},
		{"NO_PROXY", noProxy(around)}, {"no_proxy", noProxy(around)},
		{"NODE_USE_ENV_PROXY", "1"}, // Node's own fetch, from version 24
	}
}

// noProxy is a list of hosts to be reached without the proxy: this machine, and those that were on the
// list, but for what would let the diverted names pass it by. Those that are taken away lose nothing: the
// proxy reaches them as the environment said.
func noProxy(list string) string {
	keep := []string{"localhost", "127.0.0.1", "::1"}
	for entry := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		name := fold(strings.TrimLeft(entry, "*."))
		host, _, _ := strings.Cut(name, ":")
		covers := host == "" || strings.HasSuffix(domain, "."+host) || strings.HasSuffix("."+host, domain)
		if !covers && !slices.Contains(keep, entry) {
			keep = append(keep, entry)
		}
	}
	return strings.Join(keep, ",")
}

// systemBundles are where systems keep the authorities that they trust: Debian and Alpine, Fedora, SUSE,
// macOS and the BSDs.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
}

// trustNames are the variables that name a file of trusted authorities, and whether it is added to what
// the program trusts anyway; otherwise it takes the place of that.
var trustNames = []struct {
	name string
	adds bool
}{
	{"NODE_EXTRA_CA_CERTS", true},
	{"DENO_CERT", true},
	{"SSL_CERT_FILE", false},      // Go, OpenSSL and so Python, Ruby and .NET
	{"REQUESTS_CA_BUNDLE", false}, // Python's requests
	{"CURL_CA_BUNDLE", false},
}

// ErrNoBundle says that no file of the system's authorities was found.
var ErrNoBundle = errors.New("the system's bundle of certificate authorities is not where systems have it")

// TrustSettings have a command trust an authority beside all that it would trust without. The files are
// written into folder. An ErrNoBundle comes with settings that name the authority alone.
func TrustSettings(folder string, authority []byte, getenv func(string) (string, bool)) ([]Setting, error) {
	return trustSettings(folder, authority, getenv, systemBundles)
}

func trustSettings(folder string, authority []byte, getenv func(string) (string, bool), bundles []string) ([]Setting, error) {
	var settings []Setting
	var missing error
	for _, v := range trustNames {
		var before []byte
		if named, _ := getenv(v.name); named != "" {
			text, err := os.ReadFile(named)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v.name, err)
			}
			before = text
		} else if !v.adds {
			text, err := firstOf(bundles)
			if errors.Is(err, ErrNoBundle) {
				missing = err
			} else if err != nil {
				return nil, err
			}
			before = text
		}
		path := bundlePath(folder, v.name)
		if err := os.WriteFile(path, bytes.Join([][]byte{before, authority}, []byte("\n")), 0o644); err != nil {
			return nil, err
		}
		settings = append(settings, Setting{v.name, path})
	}
	python, err := pythonSetting(folder, getenv)
	if err != nil {
		return nil, err
	}
	return append(settings, python), missing
}

// certifi takes the place of Python's package of that name, which is nothing but these two functions.
// Twilio's library for Python asks it, and looks at no variable.
const certifi = `"""In the place of certifi: what verifyd run has programs trust."""


def where():
    return %s


def contents():
    with open(where(), encoding="utf-8") as bundle:
        return bundle.read()
`

// pythonSetting puts certifi in front of Python's packages.
func pythonSetting(folder string, getenv func(string) (string, bool)) (Setting, error) {
	packages := filepath.Join(folder, "python")
	text := fmt.Sprintf(certifi, strconv.QuoteToASCII(bundlePath(folder, "REQUESTS_CA_BUNDLE")))
	if err := os.MkdirAll(filepath.Join(packages, "certifi"), 0o755); err != nil {
		return Setting{}, err
	}
	if err := os.WriteFile(filepath.Join(packages, "certifi", "__init__.py"), []byte(text), 0o644); err != nil {
		return Setting{}, err
	}
	if before, _ := getenv("PYTHONPATH"); before != "" {
		packages += string(os.PathListSeparator) + before
	}
	return Setting{"PYTHONPATH", packages}, nil
}

// bundlePath is the file that a variable names.
func bundlePath(folder, name string) string {
	return filepath.Join(folder, strings.ToLower(name)+".pem")
}

func firstOf(files []string) ([]byte, error) {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if !errors.Is(err, fs.ErrNotExist) {
			return text, err
		}
	}
	return nil, ErrNoBundle
}
