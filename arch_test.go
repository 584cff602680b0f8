package verifyd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/verifyd/verifyd"

// mayImport is who may import whom among our own packages. Arrows go down alone: api cannot see a
// provider, a provider cannot see a verification, the domain can see neither. A package that is
// not here fails, so that a new one is placed on purpose.
var mayImport = map[string][]string{
	".": {},

	"cmd/verifyd": {"internal/channel", "internal/config", "internal/delivery", "internal/devserver", "internal/factor", "internal/fakecarrier", "internal/gate", "internal/inbound", "internal/intercept",
		"internal/keyring", "internal/lookup", "internal/message", "internal/operator", "internal/phone", "internal/qr", "internal/rules",
		"internal/server", "internal/sid", "internal/store/postgres", "internal/store/sqlite", "internal/store/transfer", "internal/verify", "internal/webhook",
		"provider", "provider/africastalking", "provider/apns", "provider/aws", "provider/fcm", "provider/httpapi",
		"provider/infobip", "provider/msg91", "provider/plivo", "provider/postmark", "provider/rcs", "provider/sendgrid", "provider/ses",
		"provider/sinch", "provider/sip", "provider/smpp", "provider/smtp", "provider/telnyx", "provider/twilio", "provider/vonage",
		"provider/webapi", "provider/whatsapp"},

	"internal/server": {"internal/api", "internal/delivery", "internal/factor", "internal/inbound", "internal/keyring", "internal/queue", "internal/verify",
		"internal/webhook", "provider"},
	"internal/devserver": {"internal/clock", "internal/delivery", "internal/factor", "internal/gate", "internal/handset", "internal/inbox", "internal/intercept", "internal/journal",
		"internal/keyring", "internal/message", "internal/rules", "internal/server", "internal/store/sqlite", "internal/verify", "internal/webhook",
		"internal/world", "provider"},

	"internal/api":      {"internal/factor", "internal/fault", "internal/sid", "internal/verify"},
	"internal/apidoc":   {"internal/api", "internal/verify"},
	"internal/inbound":  {"internal/keyring", "provider"},
	"internal/inbox":    {"internal/qr", "provider"},
	"internal/delivery": {"internal/channel", "internal/factor", "internal/health", "internal/phone", "internal/ratelimit", "internal/verify", "provider"},
	"internal/channel":  {"internal/factor", "internal/message", "internal/verify", "provider"},
	"internal/journal":  {"internal/factor", "internal/verify"},
	"internal/queue":    {"internal/fault", "internal/verify"},
	"internal/rules":    {"internal/verify", "internal/wildcard", "provider"},
	"internal/lookup":   {"internal/verify"},
	"internal/webhook":  {"internal/verify"},
	"internal/world":    {"internal/factor", "internal/message", "internal/otp", "internal/rules", "internal/sid", "internal/tomlfile", "internal/verify"},

	"internal/store/postgres":        {"internal/fault", "internal/queue", "internal/sid", "internal/store/sqlstore", "internal/verify"},
	"internal/store/postgres/pgtest": {"internal/store/postgres"},
	"internal/store/sqlite":          {"internal/fault", "internal/store/sqlstore", "internal/verify"},
	"internal/store/sqlstore":        {"internal/factor", "internal/sid", "internal/verify"},
	"internal/store/storetest":       {"internal/factor", "internal/queue", "internal/ratelimit", "internal/sid", "internal/verify"},

	"internal/store/transfer": {"internal/sid"},

	"internal/factor": {"internal/jose", "internal/jsonparam", "internal/keyring", "internal/otp", "internal/passkey", "internal/sid", "internal/verify"},
	"internal/verify": {"internal/jsonparam", "internal/keyring", "internal/mailaddr", "internal/message",
		"internal/otp", "internal/phone", "internal/ratelimit", "internal/sid"},
	"internal/message": {"internal/gsm7", "internal/jsonparam"},

	"cmd/fakecarrier": {"internal/fakecarrier", "internal/fakecarrier/desk", "internal/gate"},
	"internal/fakecarrier": {"internal/fakecarrier/apns", "internal/fakecarrier/desk", "internal/fakecarrier/fate", "internal/fakecarrier/fcm",
		"internal/fakecarrier/sip", "internal/fakecarrier/smsc", "internal/fakecarrier/smtp", "internal/fakecarrier/vendors", "internal/gate", "internal/smpp"},
	"internal/fakecarrier/desk": {"internal/wildcard"},
	"internal/fakecarrier/sip":  {"internal/fakecarrier/desk"},
	"internal/fakecarrier/smtp": {"internal/fakecarrier/desk"},
	"internal/fakecarrier/vendors": {"internal/fakecarrier/desk", "internal/fakecarrier/jwt", "internal/fakecarrier/postmark",
		"internal/fakecarrier/rcs", "internal/fakecarrier/sendgrid", "internal/fakecarrier/ses", "internal/fakecarrier/sigv4",
		"internal/fakecarrier/twiml"},
	"internal/fakecarrier/apns": {"internal/fakecarrier/fate", "internal/fakecarrier/jwt"},
	"internal/fakecarrier/fate": {},
	"internal/fakecarrier/fcm":  {"internal/fakecarrier/fate", "internal/fakecarrier/googleoauth"},
	"internal/fakecarrier/jwt":  {},

	"internal/fakecarrier/googleoauth": {"internal/fakecarrier/jwt"},
	"internal/fakecarrier/rcs":         {"internal/fakecarrier/fate", "internal/fakecarrier/googleoauth"},
	"internal/passkey/passkeytest":     {},

	"internal/clock":     {},
	"internal/config":    {"internal/tomlfile"},
	"internal/door":      {},
	"internal/fault":     {},
	"internal/gate":      {},
	"internal/gsm7":      {},
	"internal/handset":   {},
	"internal/health":    {},
	"internal/intercept": {},
	"internal/jose":      {},
	"internal/jsonparam": {},
	"internal/keyring":   {},
	"internal/mailaddr":  {},
	"internal/operator":  {},
	"internal/otp":       {},
	"internal/passkey":   {},
	"internal/phone":     {},
	"internal/qr":        {},
	"internal/ratelimit": {},
	"internal/sid":       {},
	"internal/smpp":      {},
	"internal/tomlfile":  {},
	"internal/wildcard":  {},

	"internal/fakecarrier/smsc": {"internal/gsm7", "internal/smpp"},

	"internal/fakecarrier/postmark": {"internal/fakecarrier/fate"},
	"internal/fakecarrier/sendgrid": {"internal/fakecarrier/fate"},
	"internal/fakecarrier/ses":      {"internal/fakecarrier/sigv4"},
	"internal/fakecarrier/sigv4":    {},
	"internal/fakecarrier/twiml":    {},
	"internal/fakecarrier/sns":      {},

	"verifytest": {"internal/devserver", "internal/intercept", "internal/rules"},

	"provider":              {},
	"provider/apns":         {"provider", "provider/httpsend"},
	"provider/fcm":          {"provider", "provider/googleauth", "provider/httpsend"},
	"provider/googleauth":   {"provider", "provider/httpsend"},
	"provider/httpapi":      {"provider", "provider/httpsend"},
	"provider/httpsend":     {"provider"},
	"provider/httpreport":   {"provider"},
	"provider/rcs":          {"provider", "provider/googleauth", "provider/httpreport", "provider/httpsend"},
	"provider/sip":          {"internal/door", "provider"},
	"provider/smpp":         {"internal/gsm7", "internal/smpp", "provider"},
	"provider/smtp":         {"internal/door", "provider", "provider/email"},
	"provider/providertest": {"provider"},

	"provider/africastalking": {"provider", "provider/httpreport", "provider/httpsend"},
	"provider/aws":            {"provider", "provider/httpreport", "provider/httpsend", "provider/sigv4", "provider/snstopic"},
	"provider/infobip":        {"provider", "provider/callscript", "provider/httpreport", "provider/httpsend"},
	"provider/msg91":          {"provider", "provider/httpreport", "provider/httpsend"},
	"provider/plivo":          {"provider", "provider/callscript", "provider/httpreport", "provider/httpsend"},
	"provider/sinch":          {"provider", "provider/callscript", "provider/httpreport", "provider/httpsend"},
	"provider/telnyx":         {"provider", "provider/callscript", "provider/httpreport", "provider/httpsend"},
	"provider/twilio":         {"provider", "provider/callscript", "provider/httpreport", "provider/httpsend"},
	"provider/vonage":         {"provider", "provider/callscript", "provider/httpreport", "provider/httpsend"},
	"provider/webapi":         {"provider", "provider/httpreport", "provider/httpsend"},
	"provider/whatsapp":       {"provider", "provider/httpreport", "provider/httpsend"},

	"provider/callscript": {"provider"},
	"provider/email":      {"provider"},
	"provider/sigv4":      {"provider/httpreport"},
	"provider/snstopic":   {"provider", "provider/httpreport", "provider/httpsend"},
	"provider/postmark":   {"provider", "provider/email", "provider/httpreport", "provider/httpsend"},
	"provider/sendgrid":   {"provider", "provider/email", "provider/httpreport", "provider/httpsend"},
	"provider/ses":        {"provider", "provider/email", "provider/httpreport", "provider/httpsend", "provider/sigv4", "provider/snstopic"},

	"provider/providertest/httpfar": {"internal/fakecarrier/desk", "internal/fakecarrier/vendors", "provider", "provider/providertest"},

	"examples/go":              {},
	"examples/httpapi-gateway": {"provider/httpapi"},
	"examples/passkeys":        {},

	"tests/bench":      {"internal/factor", "internal/fakecarrier/smsc", "internal/keyring", "internal/otp", "internal/sid", "internal/smpp", "internal/store/postgres/pgtest", "internal/store/sqlite", "internal/verify"},
	"tests/bench/bare": {},
	"tests/carrier":    {},
	"tests/clients":    {},
	"tests/openapi":    {},
	"tests/providers":  {},
	"tests/run":        {},
	"tests/samples":    {},

	"tests/push":          {},
	"tests/push/firebase": {},
}

// outside says which foreign packages a package must not import, with the reason.
var outside = []struct{ in, what, why string }{
	{"internal/verify", "net/http", "the domain does not know HTTP"},
	{"internal/verify", "database/sql", "the domain does not know SQL"},
	{"internal/verify", "math/rand", "codes and SIDs come from crypto/rand"},
	{"internal/verify", "math/rand/v2", "codes and SIDs come from crypto/rand"},
	{"internal/factor", "net/http", "the domain does not know HTTP"},
	{"internal/factor", "database/sql", "the domain does not know SQL"},
	{"internal/factor", "math/rand", "secrets and SIDs come from crypto/rand"},
	{"internal/factor", "math/rand/v2", "secrets and SIDs come from crypto/rand"},
	{"internal/otp", "math/rand", "codes come from crypto/rand"},
	{"internal/otp", "math/rand/v2", "codes come from crypto/rand"},
	{"internal/keyring", "math/rand", "keys come from crypto/rand"},
	{"internal/keyring", "math/rand/v2", "keys come from crypto/rand"},
	{"internal/api", "database/sql", "only a store knows SQL"},
	{"internal/store/sqlstore", "modernc.org/sqlite", "sqlstore serves every database"},
}

// onlyIn says which foreign packages belong to one package alone.
var onlyIn = map[string]string{
	"github.com/nyaruka/phonenumbers": "internal/phone",

	"github.com/go-webauthn/webauthn/protocol":              "internal/passkey",
	"github.com/go-webauthn/webauthn/protocol/webauthncbor": "internal/passkey",
	"github.com/go-webauthn/webauthn/protocol/webauthncose": "internal/passkey",
	"github.com/go-webauthn/webauthn/webauthn":              "internal/passkey",

	"modernc.org/sqlite":              "internal/store/sqlite",
	"modernc.org/sqlite/lib":          "internal/store/sqlite",
	"modernc.org/libc":                "internal/store/sqlite",
	"github.com/jackc/pgx/v5":         "internal/store/postgres",
	"github.com/jackc/pgx/v5/pgconn":  "internal/store/postgres",
	"github.com/jackc/pgx/v5/stdlib":  "internal/store/postgres",
	"github.com/pelletier/go-toml/v2": "internal/tomlfile",
	"code.dny.dev/ssrf":               "internal/webhook",
	"github.com/wneessen/go-mail":     "provider/smtp",
	"github.com/emersion/go-smtp":     "provider/smtp",
	"github.com/emiago/sipgo":         "provider/sip",
	"github.com/emiago/sipgo/sip":     "provider/sip",
	"github.com/icholy/digest":        "provider/sip",
	"rsc.io/qr":                       "internal/qr",
}

// alsoIn is where a fake carrier's end of the same wire uses what onlyIn binds to a provider.
var alsoIn = map[string]string{
	"github.com/emersion/go-smtp": "internal/fakecarrier/smtp",
	"github.com/emiago/sipgo/sip": "internal/fakecarrier/sip",
	"github.com/icholy/digest":    "internal/fakecarrier/sip",
}

// forbidden are names that say nothing about what is inside.
var forbidden = []string{"util", "utils", "common", "helpers", "helper", "models", "model", "misc", "types", "base", "shared", "lib"}

type pkg struct {
	imports map[string]bool // of files that are no tests
	docs    int             // files with a package comment
}

// packages parses every Go file of the module. It does not ask the go command: what a child
// process reads is unknown to the test cache, and a forbidden import would pass from it.
func packages(t *testing.T) map[string]*pkg {
	t.Helper()
	found := map[string]*pkg{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "tools") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(file))
		p := found[dir]
		if p == nil {
			p = &pkg{imports: map[string]bool{}}
			found[dir] = p
		}
		if strings.HasSuffix(file, "_test.go") {
			return nil
		}
		if f.Doc != nil {
			p.docs++
		}
		addImports(t, p, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func addImports(t *testing.T, p *pkg, f *ast.File) {
	t.Helper()
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		p.imports[name] = true
	}
}

func TestImportsGoDown(t *testing.T) {
	for dir, p := range packages(t) {
		allowed, placed := mayImport[dir]
		if !placed {
			t.Errorf("%s is not in the table: say in arch_test.go what it may import", dir)
			continue
		}
		for name := range p.imports {
			own, isOurs := strings.CutPrefix(name, module+"/")
			if isOurs && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s, which the table does not allow", dir, own)
			}
			for _, rule := range outside {
				if rule.in == dir && (name == rule.what || strings.HasPrefix(name, rule.what+"/")) {
					t.Errorf("%s imports %s: %s", dir, name, rule.why)
				}
			}
			if home, bound := onlyIn[name]; bound && home != dir && alsoIn[name] != dir {
				t.Errorf("%s imports %s, which belongs to %s alone", dir, name, home)
			}
		}
	}
}

func TestTheTableHasNoGhosts(t *testing.T) {
	found := packages(t)
	for _, dir := range slices.Sorted(maps.Keys(mayImport)) {
		if found[dir] == nil {
			t.Errorf("the table has %s, and there is no such package", dir)
		}
	}
}

// The map in doc.go has a word for every room; what is inside a room, the room says itself.
func TestTheMapHasEveryRoom(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for dir := range mayImport {
		name, isRoom := strings.CutPrefix(dir, "internal/")
		if isRoom && !strings.Contains(name, "/") && !regexp.MustCompile(`(internal/|, )`+name+`\b`).Match(text) {
			t.Errorf("doc.go has no word for %s", dir)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for dir, p := range packages(t) {
		if len(p.imports) == 0 && p.docs == 0 {
			continue // tests alone
		}
		if p.docs != 1 {
			t.Errorf("%s has %d package comments, want one", dir, p.docs)
		}
		if slices.Contains(forbidden, path.Base(dir)) {
			t.Errorf("%s: the name says nothing about what is inside", dir)
		}
	}
}

// linked is every foreign module that is in the binary. Each is code that somebody has to trust and
// keep up to date, so a new one is added here on purpose.
var linked = []string{
	"code.dny.dev/ssrf",
	"github.com/dustin/go-humanize",
	"github.com/emersion/go-sasl",
	"github.com/emersion/go-smtp",
	"github.com/emiago/sipgo",
	"github.com/fxamacker/cbor/v2",
	"github.com/go-viper/mapstructure/v2",
	"github.com/go-webauthn/webauthn",
	"github.com/go-webauthn/x",
	"github.com/gobwas/httphead",
	"github.com/gobwas/pool",
	"github.com/gobwas/ws",
	"github.com/golang-jwt/jwt/v5",
	"github.com/google/go-tpm",
	"github.com/google/uuid",
	"github.com/icholy/digest",
	"github.com/jackc/pgpassfile",
	"github.com/jackc/pgservicefile",
	"github.com/jackc/pgx/v5",
	"github.com/jackc/puddle/v2",
	"github.com/mfridman/interpolate",
	"github.com/nyaruka/phonenumbers",
	"github.com/pelletier/go-toml/v2",
	"github.com/philhofer/fwd",
	"github.com/pressly/goose/v3",
	"github.com/remyoudompheng/bigfft",
	"github.com/sethvargo/go-retry",
	"github.com/tinylib/msgp",
	"github.com/wneessen/go-mail",
	"github.com/x448/float16",
	"go.uber.org/multierr",
	"golang.org/x/crypto",
	"golang.org/x/sync",
	"golang.org/x/sys",
	"golang.org/x/term",
	"golang.org/x/text",
	"google.golang.org/protobuf",
	"modernc.org/libc",
	"modernc.org/mathutil",
	"modernc.org/memory",
	"modernc.org/sqlite",
	"rsc.io/qr",
}

func TestNoModuleIsLinkedUnnoticed(t *testing.T) {
	packages(t) // the test cache sees what is read here, and not what the go command reads
	if _, err := os.ReadFile("go.mod"); err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(goList(t, "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/verifyd"))
	slices.Sort(got)
	got = slices.DeleteFunc(slices.Compact(got), func(path string) bool { return path == module })
	for _, path := range got {
		if !slices.Contains(linked, path) {
			t.Errorf("%s is linked into verifyd and not in the list: say why in the commit that adds it", path)
		}
	}
	for _, path := range linked {
		if !slices.Contains(got, path) {
			t.Errorf("%s is in the list and no longer linked", path)
		}
	}
}

// modernc.org/sqlite is generated against one version of modernc.org/libc and breaks with others.
func TestLibcIsTheDriversOwn(t *testing.T) {
	ours, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(strings.TrimSpace(goList(t, "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite")))
	if err != nil {
		t.Fatal(err)
	}
	libc := regexp.MustCompile(`modernc\.org/libc v\S+`)
	got, want := libc.Find(ours), libc.Find(theirs)
	if want == nil || string(got) != string(want) {
		t.Errorf("go.mod has %q, the SQLite driver was generated against %q: go get that one", got, want)
	}
}

func goList(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Env = append(cmd.Environ(), "GOOS=linux", "GOARCH=amd64") // the answer is the same everywhere
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, &stderr)
	}
	return string(out)
}
