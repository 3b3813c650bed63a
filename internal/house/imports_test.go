package house

import (
	"fmt"
	"slices"
	"strings"
)

// anywhere means that any package may use a dependency.
const anywhere = "./..."

// A home says where a dependency may be imported, and whether only tests may.
type home struct {
	dirs      []string
	testsOnly bool
	tests     []string // where tests may, besides dirs
}

// homes lists every direct dependency of go.mod. A dependency without a home
// is a violation: each has one place that knows it, so that it can be replaced.
var homes = map[string]home{
	"github.com/urfave/cli/v2":                 {dirs: []string{"cmd/keyrite"}},
	"github.com/mattn/go-sqlite3":              {dirs: []string{"audit/sqlite"}},
	"github.com/miekg/pkcs11":                  {dirs: []string{"internal/token/p11"}},
	"github.com/jung-kurt/gofpdf":              {dirs: []string{"internal/transcript/pdf", "internal/bench"}}, // the bench draws the bare pages to compare with
	"github.com/skip2/go-qrcode":               {dirs: []string{"internal/transcript/qr"}},
	"go.yaml.in/yaml/v3":                       {dirs: []string{"internal/strictyaml"}, tests: []string{"ceremony"}}, // the schema is tried on scripts read by the library alone
	"github.com/zmap/zlint/v3":                 {dirs: []string{"internal/pki/lint"}},
	"github.com/zmap/zcrypto":                  {dirs: []string{"internal/pki/lint"}},
	"filippo.io/age":                           {dirs: []string{"internal/keyfile"}},
	"golang.org/x/term":                        {dirs: []string{"internal/room/...", "cmd/keyrite", "cmd/keyrite-verify"}},
	"github.com/gdamore/tcell/v3":              {dirs: []string{"internal/room/screen/..."}},
	"golang.org/x/crypto":                      {dirs: []string{"ceremony"}},
	"github.com/creack/pty":                    {dirs: []string{"internal/room/...", "cmd/...", "internal/printer", "steps"}, testsOnly: true},
	"github.com/makiuchi-d/gozxing":            {dirs: []string{"internal/transcript/...", "cmd/...", "internal/printer", "internal/room/..."}, testsOnly: true},
	"github.com/gowebpki/jcs":                  {dirs: []string{"internal/canonjson", "audit/..."}, testsOnly: true},
	"github.com/rogpeppe/go-internal":          {dirs: []string{anywhere}, testsOnly: true},
	"github.com/santhosh-tekuri/jsonschema/v6": {dirs: []string{anywhere}, testsOnly: true},
	"golang.org/x/image":                       {dirs: []string{"internal/transcript/..."}},
	"golang.org/x/mod":                         {dirs: []string{anywhere}},
	"golang.org/x/sys":                         {dirs: []string{anywhere}},
	"golang.org/x/text":                        {dirs: []string{anywhere}},
}

// homeOf returns the dependency that an import path belongs to.
func homeOf(imported string) (dep string, h home, ok bool) {
	for dep, h := range homes {
		if imported == dep || strings.HasPrefix(imported, dep+"/") {
			return dep, h, true
		}
	}
	return "", home{}, false
}

// dependencyHomes: each dependency is imported where its home is, and nowhere
// else, tests included.
func dependencyHomes(t *tree) (found []string) {
	for _, s := range t.sources {
		for _, u := range s.imports {
			dep, h, ok := homeOf(u.path)
			switch {
			case !ok:
			case s.test && within(s.dir, h.tests...):
			case !slices.Contains(h.dirs, anywhere) && !within(s.dir, h.dirs...):
				found = append(found, fmt.Sprintf("%s imports %s: only %s may", s.path, dep, strings.Join(h.dirs, ", ")))
			case h.testsOnly && !s.test:
				found = append(found, fmt.Sprintf("%s imports %s: only tests may", s.path, dep))
			}
		}
	}
	return found
}

// dependenciesKnown: every direct dependency of go.mod has a home.
func dependenciesKnown(t *tree) (found []string) {
	for _, r := range t.requires {
		if _, ok := homes[r.Mod.Path]; !ok && !r.Indirect {
			found = append(found, fmt.Sprintf("go.mod requires %s, which has no home in internal/house", r.Mod.Path))
		}
	}
	return found
}

// dependenciesDocumented: ARCHITECTURE.md names every direct dependency of
// go.mod with its version.
func dependenciesDocumented(t *tree) (found []string) {
	for _, r := range t.requires {
		line := fmt.Sprintf("| %s | %s |", r.Mod.Path, r.Mod.Version)
		if !r.Indirect && !strings.Contains(string(t.texts["ARCHITECTURE.md"]), line) {
			found = append(found, fmt.Sprintf("ARCHITECTURE.md has no row that begins %q", line))
		}
	}
	return found
}

// A direction limits what the non-test files of some directories import of
// this module: only what stands in only (if it is not nil), never what stands
// in never.
type direction struct {
	from  []string
	only  []string
	never []string
	why   string
}

var directions = []direction{
	{from: []string{"internal/canonjson", "internal/strictyaml", "internal/token"},
		only: []string{}, why: "it is a leaf"},
	{from: []string{"audit"},
		only: []string{"internal/canonjson"}, why: "the log's format stands alone"},
	{from: []string{"audit/sqlite"},
		only: []string{"audit", "internal/canonjson"}, why: "a store knows the log and nothing else"},
	{from: []string{"internal/token/p11", "internal/token/fake"},
		only: []string{"internal/token"}, why: "a module makes calls and nothing else"},
	{from: []string{"internal/token/..."},
		only: []string{"internal/token/...", "internal/cvc/...", "audit/...", "internal/canonjson"}, why: "a token knows no ceremony"},
	{from: []string{"internal/room/..."},
		only: []string{"internal/room/...", "internal/token", "internal/strictyaml"}, why: "a room holds no logic of the ceremony"},
	{from: []string{"internal/simcard/..."},
		only: []string{"internal/simcard/...", "internal/cvc/..."}, why: "a simulated card knows no ceremony and no token"},
	{from: []string{"internal/cvc/..."},
		only: []string{"internal/cvc/..."}, why: "the auditor's program may hold it"},
	{from: []string{"internal/pki/..."},
		only: []string{"internal/pki/..."}, why: "certificates know no ceremony and no token"},
	{from: []string{"internal/transcript/..."},
		never: []string{"ceremony", "steps", "internal/token/...", "internal/room/...", "audit/sqlite"}, why: "paper is made from the log alone"},
	{from: []string{"ceremony/..."},
		never: []string{"steps/...", "audit/sqlite", "internal/keyfile", "internal/token/p11", "internal/token/apdu/pcsclite", "internal/token/fake"}, why: "the ceremony knows what a step kind is, not which exist, and holds no bare token"},
	{from: []string{"steps/..."},
		never: []string{"audit/sqlite", "internal/keyfile", "internal/token/p11", "internal/token/apdu/pcsclite", "internal/token/fake", "internal/token/softhsm", "internal/room/plain", "internal/room/answers"}, why: "a step has only what records, and only the seam of the room"},
}

// importDirections: imports go one way.
func importDirections(t *tree) (found []string) {
	for _, s := range t.sources {
		for _, u := range s.imports {
			if s.test || u.own == "" {
				continue
			}
			for _, d := range directions {
				forbidden := d.only != nil && !within(u.own, d.only...) || within(u.own, d.never...)
				if within(s.dir, d.from...) && forbidden {
					found = append(found, fmt.Sprintf("%s imports %s: %s", s.path, u.own, d.why))
				}
			}
		}
	}
	return found
}

// testSupport returns the directories that exist for tests: the token that is
// in memory alone, and every package whose non-test files import testing.
func testSupport(t *tree) []string {
	dirs := []string{"internal/token/fake"}
	for _, s := range t.sources {
		for _, u := range s.imports {
			if u.path == "testing" && !s.test {
				dirs = append(dirs, s.dir)
			}
		}
	}
	return dirs
}

// supportInTestsOnly: no program holds what exists for tests, the fake token
// above all.
func supportInTestsOnly(t *tree) (found []string) {
	support := testSupport(t)
	for _, s := range t.sources {
		for _, u := range s.imports {
			if within(u.own, support...) && !s.test && !within(s.dir, support...) {
				found = append(found, fmt.Sprintf("%s imports %s: only tests may", s.path, u.own))
			}
		}
	}
	return found
}

// bareTokenHomes: an unrecorded PKCS#11 module is opened by the command, which
// hands it on recorded, by the benchmarks, and to lay out a throw-away token;
// testSupport is kept to tests by a rule of its own.
func bareTokenHomes(t *tree) (found []string) {
	for _, s := range t.sources {
		for _, u := range s.imports {
			if u.own == "internal/token/p11" && !s.test && !within(s.dir, "cmd/keyrite", "internal/token/softhsm", "internal/token/tokentest", "internal/bench") {
				found = append(found, fmt.Sprintf("%s imports %s: only cmd/keyrite may", s.path, u.own))
			}
			if u.own == "internal/token/apdu/pcsclite" && !s.test && s.dir != "cmd/keyrite" {
				found = append(found, fmt.Sprintf("%s imports %s: only cmd/keyrite may", s.path, u.own))
			}
		}
	}
	return found
}

// commandsNotImported: nothing imports a command.
func commandsNotImported(t *tree) (found []string) {
	for _, s := range t.sources {
		for _, u := range s.imports {
			if within(u.own, "cmd/...", "internal/bench/...") && !within(u.own, s.dir+"/...") {
				found = append(found, fmt.Sprintf("%s imports %s: it is a command", s.path, u.own))
			}
		}
	}
	return found
}

// auditorRoots are what the auditor's program is made of.
var auditorRoots = []string{"internal/verify", "cmd/keyrite-verify"}

// auditorNever is what must not be in it, by whatever way.
var auditorNever = []string{
	"ceremony/...", "steps/...", "audit/sqlite", "internal/token/...", "internal/room/...",
	"internal/simcard/...",
}

// auditorStd are packages that its own files must not import: it asks no
// network, starts no program and needs no C compiler.
var auditorStd = []string{"C", "net", "net/http", "os/exec", "plugin"}

// auditorClosure: the auditor's program holds nothing that touches a token
// module, a room, the SQLite driver or a script's run.
func auditorClosure(t *tree) (found []string) {
	way := t.closure(auditorRoots...)
	for dir, how := range way {
		if within(dir, auditorNever...) {
			found = append(found, "the auditor's program holds "+how)
		}
	}
	for _, s := range t.sources {
		how, in := way[s.dir]
		for _, u := range s.imports {
			if in && !s.test && slices.Contains(auditorStd, u.path) {
				found = append(found, fmt.Sprintf("the auditor's program (%s) imports %q in %s", how, u.path, s.path))
			}
		}
	}
	return found
}

// airGap: nothing in the module can speak to a network.
func airGap(t *tree) (found []string) {
	for _, s := range t.sources {
		for _, u := range s.imports {
			if within(u.path, "net/http/...", "net/rpc/...", "net/smtp") {
				found = append(found, fmt.Sprintf("%s imports %s: the machine is air-gapped", s.path, u.path))
			}
		}
	}
	return found
}
