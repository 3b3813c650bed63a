package steps_test

import (
	"bytes"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/steps"
	"github.com/keyrite/keyrite/templates"
)

// move takes the step with an id out of a script and puts it before another.
func move(script, id, before string) string {
	start := strings.Index(script, "  - id: "+id+"\n")
	end := len(script)
	if n := strings.Index(script[start+1:], "\n  - id: "); n >= 0 {
		end = start + 1 + n + 1
	}
	step := strings.TrimSuffix(script[start:end], "\n") + "\n\n"
	script = script[:start] + script[end:]
	at := strings.Index(script, "  - id: "+before+"\n")
	return script[:at] + step + script[at:]
}

// drop takes a step out of a script.
func drop(script, id string) string {
	start := strings.Index(script, "  - id: "+id+"\n")
	rest := script[start+1:]
	if end := strings.Index(rest, "\n  - id: "); end >= 0 {
		return script[:start] + rest[end+1:]
	}
	return script[:start]
}

func swap(old, fresh string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, fresh, 1) }
}

// in changes the text of one step.
func in(id, old, fresh string) func(string) string {
	return func(s string) string {
		start := strings.Index(s, "  - id: "+id+"\n")
		return s[:start] + strings.Replace(s[start:], old, fresh, 1)
	}
}

// An impossibility is one change of a sound script, and what the check says of it.
type impossibility struct {
	change func(string) string
	path   string // of the field at fault
	want   string
}

// impossibleWorlds are scripts whose steps cannot be done in their order.
func impossibleWorlds() map[string]impossibility {
	return map[string]impossibility{
		"token used before it is found":   {func(s string) string { return drop(s, "see-token") }, ".token: ", `token "hsm" is used before a token-identify step has found it`},
		"init destroys a key":             {func(s string) string { return move(s, "init-token", "root-certificate") }, ".token: ", `initialising token "hsm" would destroy the key "root"`},
		"user PIN before init":            {func(s string) string { return move(s, "user-pin", "init-token") }, ".token: ", "a user PIN is set before token \"hsm\" is initialised"},
		"SO-PIN before init":              {func(s string) string { return move(s, "new-so-pin", "init-token") }, ".token: ", `token "hsm" is not initialised yet`},
		"login without a PIN":             {func(s string) string { return drop(s, "user-pin") }, ".token: ", `token "hsm" has no user PIN yet`},
		"key without a PIN":               {func(s string) string { return drop(s, "user-pin") }, ".key: ", `token "hsm" has no user PIN yet`},
		"change of a PIN that is not set": {in("user-pin", "way: by-so", "way: change"), ".way: ", "has no user PIN yet that could be changed"},
		"SO-PIN asked of nobody":          {swap("    so_pin_custodian: so-custodian\n", ""), ".token: ", `the SO-PIN of "hsm" is needed`},
		"user PIN asked of nobody":        {swap("    user_pin_custodian: user-custodian\n", ""), ".token: ", `the user PIN of "hsm" is needed`},
		"certificate before its key":      {func(s string) string { return move(s, "root-certificate", "make-root-key") }, ".key: ", `key "root" is used before a generate-key step has made it`},
		"key made twice":                  {in("root-certificate", "  - id: root-certificate", "  - id: again\n    kind: generate-key\n    title: Again\n    actor: user-custodian\n    key: root\n\n  - id: root-certificate"), ".key: ", `key "root" was generated before`},
		"two certificates for a key":      {in("root-certificate", "  - id: tls-ca-certificate", "  - id: again\n    kind: self-sign-root\n    title: Again\n    actor: user-custodian\n    key: root\n    profile: root\n    file: other.pem\n\n  - id: tls-ca-certificate"), ".key: ", `key "root" has the certificate "root.pem" already`},
		"unknown key":                     {in("make-root-key", "key: root", "key: rood"), ".key: ", `"rood" is not one of the script's keys`},
		"unknown token":                   {in("see-token", "token: hsm", "token: hms"), ".token: ", `"hms" is not one of the script's tokens`},
		"unknown profile":                 {in("root-certificate", "profile: root", "profile: rot"), ".profile: ", `"rot" is not one of the script's profiles`},
		"profile of another kind":         {in("root-certificate", "profile: root", "profile: root-crl"), ".profile: ", `profile "root-crl" is for crl, expected one for root-ca`},
		"CRL without an issuer":           {in("first-crl", "issuer: root.pem", "issuer: other.pem"), ".issuer: ", `the certificate "other.pem" does not exist by then`},
		"CRL before its issuer":           {func(s string) string { return move(s, "first-crl", "root-certificate") }, ".issuer: ", `the certificate "root.pem" does not exist by then`},
		"issuer that is no certificate": {func(s string) string {
			return in("tls-ca-certificate", "issuer: root.pem", "issuer: root.crl.pem")(move(s, "first-crl", "tls-ca-certificate"))
		}, ".issuer: ", `"root.crl.pem" is no certificate but a crl`},
		"file written twice":               {in("first-crl", "file: root.crl.pem", "file: sub-ca.pem"), ".file: ", `"sub-ca.pem" is written twice: step "tls-ca-certificate" has made it already`},
		"file in a folder":                 {in("first-crl", "file: root.crl.pem", "file: crls/root.crl.pem"), ".file: ", "expected a plain name without a folder"},
		"CRL number zero":                  {in("first-crl", "number: 1", "number: 0"), ".number: ", "expected 1 or more"},
		"revoked serial that is no number": {in("first-crl", "number: 1", "number: 1\n    revoked:\n      - {serial: \"xyz\", date: \"2026-01-01 00:00:00\", reason: keyCompromise}"), ".revoked: ", `serial "xyz" is not hex`},
		"revocation date that is none":     {in("first-crl", "number: 1", "number: 1\n    revoked:\n      - {serial: \"0a\", date: \"soon\", reason: keyCompromise}"), ".revoked: ", `"soon" is not a date and time`},
		"export of what is not there":      {in("hand-out", "files: [root.pem, sub-ca.pem", "files: [root.pem, sub.pem"), ".files[2]: ", `"sub.pem" does not exist by then`},
		"export to two folders down":       {in("hand-out", "to: export", "to: a/b"), ".to: ", "expected a plain name without a folder"},
		"one person compares the request":  {in("tls-ca-certificate", "compare: [witness-1, witness-2]", "compare: [witness-1, witness-1]"), ".compare: ", "expected two different people"},
		"a stranger compares the request":  {in("tls-ca-certificate", "compare: [witness-1, witness-2]", "compare: [witness-1, nobody]"), ".compare[2]: ", `"nobody" is not a participant of the script`},
		"request from another folder":      {in("tls-ca-certificate", "csr: sub-ca.csr", "csr: ../sub-ca.csr"), ".csr: ", "file name"},
		"empty token that cannot be empty": {in("content-after", "expect: keys", "expect: empty"), ".expect: ", `token "hsm" holds 1 keys by then and cannot be empty`},
		"keys on a token that has none":    {in("empty-before", "expect: empty", "expect: keys"), ".expect: ", `token "hsm" holds no key of this ceremony by then`},
		"inventory with a login too early": {in("empty-before", "expect: empty", "expect: empty\n    login: true"), ".login: ", `token "hsm" has no user PIN yet`},
		"a stranger reads the clock":       {in("machine", "clock_reader: witness-1", "clock_reader: nobody"), ".clock_reader: ", `"nobody" is not a participant of the script`},
		"clocks that may run backwards":    {in("machine", "max_offset: 120", "max_offset: -1"), ".max_offset: ", "expected a number of seconds"},
		"verdict of nobody":                {in("verdicts", "    witnesses: [witness-1, witness-2]\n", ""), ".witnesses: ", "a verdict needs at least one witness"},
		"step after the close":             {func(s string) string { return move(s, "the-end", "verdicts") }, "steps[", "the step comes after the close"},
		"no close":                         {func(s string) string { return drop(s, "the-end") }, "steps[", "the last step must be of kind close"},
		"roll call of a stranger":          {in("roll-call", "    say: >-", "    people: [administrator, nobody]\n    say: >-"), ".people[2]: ", `"nobody" is not a participant of the script`},
		"required and not called":          {in("roll-call", "    say: >-", "    people: [administrator, witness-1]\n    required: [witness-2]\n    say: >-"), ".required[1]: ", `"witness-2" is not called at this roll call`},
		"custodian who was not called":     {in("roll-call", "    say: >-", "    people: [administrator, witness-1, witness-2, user-custodian]\n    say: >-"), ".token: ", `the SO-PIN of "hsm" is asked of "so-custodian", who was not called`},
		"clock reader who was not called":  {in("roll-call", "    say: >-", "    people: [administrator, witness-2, so-custodian, user-custodian]\n    say: >-"), ".clock_reader: ", `"witness-1" was not called at the roll call`},
		"no roll call":                     {func(s string) string { return drop(s, "roll-call") }, "steps[", "roll call"},
	}
}

// TestImpossible changes a sound script in one way each; the model of the world
// finds what becomes impossible, names step and field and says why.
func TestImpossible(t *testing.T) {
	for name, c := range impossibleWorlds() {
		t.Run(name, func(t *testing.T) { c.refused(t, "root-ca-with-sub-ca") })
	}
}

// refused wants the changed script refused for that reason, at that place.
func (c impossibility) refused(t *testing.T, name string) {
	t.Helper()
	script := template(t, name)
	changed := c.change(script)
	if changed == script {
		t.Fatal("the script was not changed")
	}
	_, problems := ceremony.ParseAndCheck("s.yaml", []byte(changed), steps.Kinds())
	for _, p := range problems {
		if s := p.String(); strings.Contains(s, c.path) && strings.Contains(s, c.want) {
			if p.Line < 1 || p.Col < 1 {
				t.Errorf("no place: %s", s)
			}
			return
		}
	}
	t.Errorf("nothing says %q at %q:\n%v", c.want, c.path, problems)
}

// TestReasons: the check has at least sixty reasons to refuse a script, each
// shown by a script of its own that is refused for it and in which a sound
// script, which is none of the others, is changed.
func TestReasons(t *testing.T) {
	reasons := map[string]string{}
	for template, table := range map[string]map[string]impossibility{"root-ca-with-sub-ca": impossibleWorlds(), "root-ca": impossiblePeople()} {
		for name, c := range table {
			reasons[c.want] = template + ": " + name
		}
	}
	for want, name := range reasons {
		for other, of := range reasons {
			if want != other && strings.Contains(other, want) {
				t.Logf("%q (%s) is a part of %q (%s): counted once", want, name, other, of)
				delete(reasons, want)
			}
		}
	}
	t.Logf("%d reasons", len(reasons))
	if len(reasons) < 60 {
		t.Errorf("%d reasons, want at least 60", len(reasons))
	}
}

// TestTemplatesCheck: none of the ten templates is refused.
func TestTemplatesCheck(t *testing.T) {
	names, err := fs.Glob(templates.Ceremonies, "ceremonies/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, ".answers.yaml") })
	if len(names) != 10 {
		t.Errorf("%d templates, want ten: %v", len(names), names)
	}
	for _, name := range names {
		b, err := templates.Ceremonies.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		x, problems := ceremony.Expand(name, b, func(part string) ([]byte, error) { return templates.Parts.ReadFile("parts/" + part + ".yaml") })
		if len(problems) > 0 {
			t.Fatalf("%s: %v", name, problems)
		}
		if _, problems := ceremony.ParseAndCheck(name, x.Text, steps.Kinds()); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

// TestDocumented holds the documents that are generated from the step kinds
// against the kinds; go test -update writes them.
func TestDocumented(t *testing.T) {
	schema, err := ceremony.Schema(steps.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../docs/script.schema.json", func([]byte) []byte { return schema })
	golden(t, "../docs/script.md", func(doc []byte) []byte {
		head, rest, ok := bytes.Cut(doc, []byte("<!-- kinds -->"))
		_, tail, ok2 := bytes.Cut(rest, []byte("<!-- /kinds -->"))
		if !ok || !ok2 {
			t.Fatal("docs/script.md has no place for the step kinds")
		}
		before, rest, ok := bytes.Cut(head, []byte("<!-- roles -->"))
		_, after, ok2 := bytes.Cut(rest, []byte("<!-- /roles -->"))
		if !ok || !ok2 {
			t.Fatal("docs/script.md has no place for the roles")
		}
		head = slices.Concat(before, []byte("<!-- roles -->\n"+ceremony.DescribeRoles()+"<!-- /roles -->"), after)
		kinds := "<!-- kinds -->\n" + strings.TrimSpace(ceremony.DescribeKinds(steps.Kinds())) + "\n<!-- /kinds -->"
		return append(append(head[:len(head):len(head)], kinds...), tail...)
	})
}

func golden(t *testing.T, file string, want func(have []byte) []byte) {
	t.Helper()
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w := want(have)
	if bytes.Equal(have, w) {
		return
	}
	if !*update {
		t.Errorf("%s is not what the step kinds say: run go test ./steps -update", file)
		return
	}
	if err := os.WriteFile(file, w, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRequirementKinds: a requirement is met by kinds of steps that exist.
func TestRequirementKinds(t *testing.T) {
	for _, r := range ceremony.Requirements() {
		for _, k := range r.Kinds {
			if _, ok := steps.Kinds()[k]; !ok {
				t.Errorf("requirement %s: there is no step kind %q", r.ID, k)
			}
		}
	}
}
