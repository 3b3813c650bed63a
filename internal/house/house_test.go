package house

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// A rule looks at a module and returns what breaks it.
type rule struct {
	name  string
	check func(*tree) []string
	bad   []breach
}

// A breach is a small tree that breaks a rule: files added to sound, and a
// part of what the rule must say of them.
type breach struct {
	files map[string]string
	want  string
}

// sound is a module that keeps every rule.
var sound = map[string]string{
	".gitignore":      "/bin/\n*.test\n",
	"go.mod":          "module example.org/m\n\ngo 1.26.0\n\nrequire github.com/urfave/cli/v2 v2.27.7\n",
	"ARCHITECTURE.md": "| github.com/urfave/cli/v2 | v2.27.7 | flags |\n",
	"bin/junk.go":     "not Go at all",
	"x.test":          "/ho" + "me/somebody",
	"audit/a.go": `// Package audit is the log.
package audit

// Data is what happened.
type Data interface {
	// Kind names it.
	Kind() string
}

// Open is a kind.
type Open struct{}

func (Open) Kind() string { return "open" }

// The sizes.
const (
	Size = 1
	Salt = 2
)
`,
	"audit/a_test.go": `package audit

import "testing"

func init() {}

func TestExported(t *testing.T) {}
`,
	"cmd/keyrite/main.go": `// Command keyrite is a command.
package main

import (
	"os"

	"github.com/urfave/cli/v2"

	"example.org/m/audit"
)

var _ = audit.Size

func main() { os.Exit(len(cli.Args)) }
`,
	"cmd/keyrite-verify/main.go": `// Command keyrite-verify is the auditor's.
package main

import _ "example.org/m/audit"

func main() {}
`,
}

func goFile(pkg, body string) string {
	return "// Package " + pkg + " is an example.\npackage " + pkg + "\n\n" + body + "\n"
}

func one(name, content, want string) breach {
	return breach{files: map[string]string{name: content}, want: want}
}

// importing is a breach: a file that imports one thing.
func importing(name, imported, want string) breach {
	return one(name, goFile("p", `import _ "`+imported+`"`), want)
}

const own = "example.org/m/"

var rules = []rule{
	{"dependency homes", dependencyHomes, []breach{
		importing("audit/b.go", "github.com/urfave/cli/v2", "audit/b.go imports github.com/urfave/cli/v2"),
		importing("cmd/keyrite-verify/b.go", "github.com/urfave/cli/v2", "cmd/keyrite-verify/b.go imports"),
		importing("cmd/keyrite/b_test.go", "github.com/mattn/go-sqlite3", "only audit/sqlite may"),
		importing("internal/token/recorded/b.go", "github.com/miekg/pkcs11", "only internal/token/p11 may"),
		importing("internal/transcript/b.go", "github.com/jung-kurt/gofpdf", "gofpdf: only internal/transcript/pdf"),
		importing("internal/transcript/pdf/b.go", "github.com/skip2/go-qrcode", "only internal/transcript/qr may"),
		importing("ceremony/b.go", "go.yaml.in/yaml/v3", "only internal/strictyaml may"),
		importing("steps/b_test.go", "go.yaml.in/yaml/v3", "only internal/strictyaml may"),
		importing("internal/pki/b.go", "github.com/zmap/zlint/v3/lint", "only internal/pki/lint may"),
		importing("internal/pki/b.go", "github.com/zmap/zcrypto/x509", "only internal/pki/lint may"),
		importing("ceremony/b.go", "golang.org/x/term", "only internal/room/..."),
		importing("internal/room/plain/b.go", "github.com/creack/pty", "only tests may"),
		importing("internal/transcript/qr/b.go", "github.com/makiuchi-d/gozxing/qrcode", "only tests may"),
		importing("internal/canonjson/b.go", "github.com/gowebpki/jcs", "only tests may"),
		importing("cmd/keyrite/b.go", "github.com/rogpeppe/go-internal/testscript", "only tests may"),
	}},
	{"dependencies known", dependenciesKnown, []breach{
		one("go.mod", "module example.org/m\n\nrequire github.com/urfave/cli/v2 v2.27.7\n\nrequire example.com/new v1.0.0\n", "example.com/new"),
	}},
	{"dependencies documented", dependenciesDocumented, []breach{
		one("ARCHITECTURE.md", "| github.com/urfave/cli/v2 | v2.27.6 | flags |\n", "v2.27.7"),
	}},
	{"import directions", importDirections, []breach{
		importing("internal/canonjson/b.go", own+"audit", "it is a leaf"),
		importing("internal/token/b.go", own+"audit", "it is a leaf"),
		importing("audit/b.go", own+"internal/token", "the log's format stands alone"),
		importing("audit/sqlite/b.go", own+"ceremony", "a store knows"),
		importing("internal/token/p11/b.go", own+"audit", "makes calls and nothing else"),
		importing("internal/token/recorded/b.go", own+"ceremony", "a token knows no ceremony"),
		importing("internal/room/plain/b.go", own+"ceremony", "holds no logic"),
		importing("internal/simcard/b.go", own+"internal/token", "knows no ceremony and no token"),
		importing("internal/cvc/b.go", own+"internal/simcard/apdu", "the auditor's program may hold it"),
		importing("internal/pki/b.go", own+"internal/token", "know no ceremony and no token"),
		importing("internal/transcript/pdf/b.go", own+"internal/token", "from the log alone"),
		importing("ceremony/b.go", own+"steps", "ceremony/b.go imports steps"),
		importing("ceremony/b.go", own+"internal/token/p11", "ceremony/b.go imports internal/token/p11"),
		importing("steps/b.go", own+"internal/token/p11", "steps/b.go imports internal/token/p11"),
		importing("steps/b.go", own+"internal/token/fake", "steps/b.go imports internal/token/fake"),
		importing("steps/b.go", own+"audit/sqlite", "steps/b.go imports audit/sqlite"),
	}},
	{"support in tests only", supportInTestsOnly, []breach{
		{files: map[string]string{
			"internal/token/tokentest/b.go": goFile("tokentest", `import _ "testing"`),
			"cmd/keyrite/b.go":              goFile("main", `import _ "example.org/m/internal/token/tokentest"`),
		}, want: "cmd/keyrite/b.go imports internal/token/tokentest: only tests may"},
		importing("cmd/keyrite/b.go", own+"internal/token/fake", "only tests may"),
	}},
	{"bare token homes", bareTokenHomes, []breach{
		importing("internal/other/b.go", own+"internal/token/p11", "only cmd/keyrite may"),
		importing("internal/other/b.go", own+"internal/token/apdu/pcsclite", "only cmd/keyrite may"),
	}},
	{"commands not imported", commandsNotImported, []breach{
		importing("audit/b.go", own+"cmd/keyrite", "it is a command"),
		importing("cmd/keyrite-verify/b_test.go", own+"cmd/keyrite", "it is a command"),
		importing("audit/b_test.go", own+"internal/bench", "it is a command"),
	}},
	{"auditor closure", auditorClosure, []breach{
		importing("cmd/keyrite-verify/b.go", own+"steps", "holds cmd/keyrite-verify → steps"),
		{files: map[string]string{
			"internal/verify/b.go": goFile("verify", `import _ "example.org/m/internal/deep"`),
			"internal/deep/b.go":   goFile("deep", `import _ "example.org/m/internal/token"`),
		}, want: "holds internal/verify → internal/deep → internal/token"},
		importing("audit/b.go", own+"audit/sqlite", "→ audit → audit/sqlite"),
		importing("internal/verify/b.go", own+"internal/simcard", "holds internal/verify → internal/simcard"),
		importing("audit/b.go", "C", `imports "C" in audit/b.go`),
		importing("internal/verify/b.go", "os/exec", `(internal/verify) imports "os/exec"`),
	}},
	{"air gap", airGap, []breach{
		importing("audit/b.go", "net/http", "audit/b.go imports net/http"),
		importing("audit/b_test.go", "net/http/httptest", "imports net/http/httptest"),
	}},
	{"package names", packageNames, []breach{
		one("internal/utils/b.go", goFile("p", ""), "internal/utils/b.go"),
		one("internal/p/b.go", goFile("helpers", ""), "package helpers"),
	}},
	{"no init", noInit, []breach{
		one("audit/b.go", goFile("audit", "func init() {}"), "audit/b.go:4: func init"),
	}},
	{"sizes", sizes, []breach{
		one("audit/b.go", goFile("audit", strings.Repeat("\n", 498)), "audit/b.go has 502 lines"),
		one("audit/b.go", goFile("audit", "func f() {"+strings.Repeat("\n", 80)+"}"), "func f has 81 lines"),
	}},
	{"no skip", noSkip, []breach{
		one("audit/b_test.go", goFile("audit", `import "testing"

func TestB(t *testing.T) { t.Skip("no token") }`), "audit/b_test.go:6: skips a test"),
		one("audit/b.go", goFile("audit", `import "testing"

func need(t testing.TB) { t.SkipNow() }`), "audit/b.go:6: skips a test"),
	}},
	{"nothing unfinished", noUnfinished, []breach{
		one("audit/b.go", goFile("audit", "// TO"+"DO: more"), "audit/b.go:4: unfinished"),
		one("docs/a.md", "a\nFIX"+"ME later\n", "docs/a.md:2: unfinished"),
	}},
	{"no local paths", noLocalPaths, []breach{
		one("docs/a.md", "see `/ho"+"me/somebody/x`\n", "docs/a.md:1"),
		one("audit/b.go", goFile("audit", `const dir = "/t`+`mp"`), "audit/b.go:4"),
		one("scripts/x", "cd /wo"+"rk/main\n", "scripts/x:1"),
	}},
	{"package comments", packageComments, []breach{
		one("internal/p/b.go", "package p\n", "internal/p has no package comment"),
	}},
	{"exports documented", exportsDocumented, []breach{
		one("audit/b.go", goFile("audit", "func Bare() {}"), "audit/b.go:4: Bare"),
		one("audit/b.go", goFile("audit", "func (Open) Bare() {}"), "audit/b.go:4: Bare"),
		one("audit/b.go", goFile("audit", "type Bare struct{}"), "audit/b.go:4: Bare"),
		one("audit/b.go", goFile("audit", "// Both.\ntype (\n\tBare int\n\tOther int\n)"), "audit/b.go:6: Bare"),
		one("audit/b.go", goFile("audit", "var Bare int"), "audit/b.go:4: Bare"),
		one("other/b.go", goFile("other", "// T is one.\ntype T[P any] struct{}\n\nfunc (*T[P]) Kind() {}"), "other/b.go:7: Kind"),
	}},
	{"no global sources", noGlobalSources, []breach{
		one("audit/b.go", goFile("audit", "import \"time\"\n\nvar now = time.Now"), "package variable holds time.Now"),
		one("audit/b.go", goFile("audit", "import \"log\"\n\nvar l = log.Default()"), "package variable holds log.Default"),
	}},
	{"exits in commands", exitsInCommands, []breach{
		one("audit/b.go", goFile("audit", "import \"os\"\n\nfunc f() { os.Exit(1) }"), "audit/b.go:6: os.Exit"),
	}},
	{"error texts", errorTexts, []breach{
		one("audit/b.go", goFile("audit", "import \"errors\"\n\nvar e = errors.New(\"Cannot open\")"), "Cannot open"),
		one("audit/b.go", goFile("audit", "import \"fmt\"\n\nvar e = fmt.Errorf(\"opening %q.\", 1)"), "opening %q."),
	}},
}

// TestHouse holds this module to every rule.
func TestHouse(t *testing.T) {
	tr, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.sources) < 20 {
		t.Fatalf("only %d Go files found: the rules would pass for want of anything to look at", len(tr.sources))
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			found := r.check(tr)
			slices.Sort(found)
			for _, f := range found {
				t.Error(f)
			}
		})
	}
}

// treeOf returns sound with files added or replaced.
func treeOf(t *testing.T, files map[string]string) *tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, m := range []map[string]string{sound, files} {
		for name, content := range m {
			fsys[name] = &fstest.MapFile{Data: []byte(content)}
		}
	}
	tr, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestRulesPass shows that a sound module breaks no rule, so that what
// TestRulesFail sees comes from the breach alone.
func TestRulesPass(t *testing.T) {
	tr := treeOf(t, nil)
	for _, r := range rules {
		if found := r.check(tr); len(found) > 0 {
			t.Errorf("%s: a sound module is reported: %q", r.name, found)
		}
	}
}

// TestRulesFail breaks each rule and expects to be told where.
func TestRulesFail(t *testing.T) {
	for _, r := range rules {
		if len(r.bad) == 0 {
			t.Errorf("%s: nothing shows that it can fail", r.name)
		}
		for _, b := range r.bad {
			found := r.check(treeOf(t, b.files))
			if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, b.want) }) {
				t.Errorf("%s: %v: got %q, want one with %q", r.name, b.files, found, b.want)
			}
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		dir, pattern string
		want         bool
	}{
		{"a", "a", true},
		{"a/b", "a", false},
		{"a/b", "a/...", true},
		{"a", "a/...", true},
		{"ab", "a/...", false},
		{"b", "a", false},
	} {
		if got := within(c.dir, c.pattern); got != c.want {
			t.Errorf("within(%q, %q) = %t", c.dir, c.pattern, got)
		}
	}
}

// TestLoadRefuses shows that a tree that cannot be read is an error, never an
// empty tree that keeps all rules.
func TestLoadRefuses(t *testing.T) {
	if _, err := load(fstest.MapFS{}); err == nil {
		t.Error("a folder without go.mod was loaded")
	}
	broken := fstest.MapFS{
		"go.mod": {Data: []byte("module m\n")},
		"a.go":   {Data: []byte("package")},
	}
	if _, err := load(broken); err == nil {
		t.Error("a module with a file that does not parse was loaded")
	}
}
