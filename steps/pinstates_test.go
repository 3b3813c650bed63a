package steps_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
)

// pinStates is the table of docs/tokens.md.
func pinStates() []pinCase {
	user := func(left int) map[token.PINKind]int { return map[token.PINKind]int{token.UserPIN: left} }
	so := func(left int) map[token.PINKind]int { return map[token.PINKind]int{token.SOPIN: left} }
	const again = "  \"x/on-failure/*\": [\"again\", \"abort\"]\n"
	const yes, no = "  \"x/last-try/*\": \"LAST TRY\"\n", "  \"x/last-try/*\": \"stop\"\n"
	return []pinCase{
		{"right", "login", nil, "", "CKR_OK", 15, 3, nil},
		{"wrong once", "login", nil, userIs(wrongUser), "CKR_PIN_INCORRECT", 15, 2, []string{"at least one wrong try was made; wrong in this ceremony since the last right one: 1; locked after 3", "Stop and compare"}},
		{"wrong twice", "login", nil, userIs("["+wrongUser+", "+wrongUser+"]") + again, "CKR_PIN_INCORRECT CKR_PIN_INCORRECT", 15, 1, []string{"one try is left: a wrong one locks it"}},
		{"one left, the room stops", "login", user(1), no, "", 15, 1, []string{"Only ONE try is left on the user PIN", "The security officer can then set it anew"}},
		{"one left, right", "login", user(1), yes, "CKR_OK", 15, 3, []string{"Only ONE try is left"}},
		{"one left, wrong", "login", user(1), yes + userIs(wrongUser), "CKR_PIN_LOCKED", 15, 0, []string{"Only ONE try is left", "CKR_PIN_LOCKED", "tries: locked"}},
		{"blocked", "login", user(0), "", "", 15, 0, []string{"is locked: no further try is possible; the security officer has to set it anew"}},
		{"bad form", "login", nil, userIs("[\"12345\", " + rightUser + "]"), "CKR_OK", 15, 3, []string{"This was not sent to the token", "no try is lost"}},

		{"right", "change", nil, "", "CKR_OK CKR_OK", 15, 3, nil},
		{"wrong once", "change", nil, userIs(wrongUser), "CKR_PIN_INCORRECT", 15, 2, []string{"wrong in this ceremony since the last right one: 1"}},
		{"wrong twice", "change", nil, userIs("["+wrongUser+", "+wrongUser+"]") + again, "CKR_PIN_INCORRECT CKR_PIN_INCORRECT", 15, 1, []string{"one try is left"}},
		{"one left, the room stops", "change", user(1), no, "", 15, 1, []string{"Only ONE try is left on the user PIN"}},
		{"blocked", "change", user(0), "", "", 15, 0, []string{"is locked: no further try is possible"}},
		{"bad form of the new one", "change", nil, "  \"x/user-pin-new/*\": [\"1234567\", \"95142683\", \"95142683\"]\n", "CKR_OK CKR_OK", 15, 3, []string{"This was not sent to the token: this new user PIN is too easy to guess"}},

		{"right", "unblock", user(0), "  \"x/user-pin-current/*\": \"95142683\"\n", "CKR_OK", 15, 3, []string{"locked"}},
		{"SO-PIN wrong once", "unblock", user(0), soIs(wrongSO), "CKR_PIN_INCORRECT", 14, 0, []string{"it is the SO-PIN that was wrong", "wrong in this ceremony since the last right one: 1; locked after 15"}},
		{"SO-PIN wrong, then right", "unblock", user(0), soIs("["+wrongSO+", "+rightSO+"]") + again + "  \"x/user-pin-current/*\": \"95142683\"\n", "CKR_PIN_INCORRECT CKR_OK", 15, 3, []string{"it is the SO-PIN that was wrong"}},
		{"SO-PIN wrong 14 times, the room stops", "unblock", user(0), soIs("["+strings.Repeat(wrongSO+", ", 13)+wrongSO+"]") + no + "  \"x/on-failure/*\": \"again\"\n",
			strings.TrimSpace(strings.Repeat("CKR_PIN_INCORRECT ", 14)), 1, 0, []string{"Only ONE try is left on the SO-PIN", "NOBODY can unlock it then: the token can never be initialised again"}},
		{"SO-PIN one left, the room stops", "unblock", map[token.PINKind]int{token.SOPIN: 1, token.UserPIN: 0}, no, "", 1, 0, []string{"Only ONE try is left on the SO-PIN", "NOBODY can unlock it then"}},
		{"SO-PIN one left, right", "unblock", map[token.PINKind]int{token.SOPIN: 1, token.UserPIN: 0}, yes + "  \"x/user-pin-current/*\": \"95142683\"\n", "CKR_OK", 15, 3, []string{"1 left", "Only ONE try is left on the SO-PIN"}},
		{"SO-PIN blocked", "unblock", map[token.PINKind]int{token.SOPIN: 0, token.UserPIN: 0}, "", "", 0, 0, []string{"is locked: no further try is possible; nobody can unlock it"}},
		{"bad form", "unblock", user(0), soIs("[\"123\", "+rightSO+"]") + "  \"x/user-pin-current/*\": \"95142683\"\n", "CKR_OK", 15, 3, []string{"This was not sent to the token", "no try is lost"}},

		{"right", "init", nil, "", "CKR_OK", 15, 3, nil},
		{"SO-PIN wrong once", "init", nil, soIs(wrongSO), "CKR_PIN_INCORRECT", 14, 3, []string{"wrong in this ceremony since the last right one: 1; locked after 15"}},
		{"SO-PIN one left, the room stops", "init", so(1), no, "", 1, 3, []string{"Only ONE try is left on the SO-PIN"}},
		{"SO-PIN blocked", "init", so(0), "", "", 0, 3, []string{"is locked: no further try is possible; nobody can unlock it"}},
		{"bad form", "init", nil, soIs("[\"123\", " + rightSO + "]"), "CKR_OK", 15, 3, []string{"This was not sent to the token"}},
	}
}

// TestPINStatesDocumented keeps the table of docs/tokens.md, between its
// markers, to the cases; go test ./steps -update writes it.
func TestPINStatesDocumented(t *testing.T) {
	const begin, end = "<!-- begin: PIN states, written by go test ./steps -update -->\n", "<!-- end: PIN states -->\n"
	var b strings.Builder
	b.WriteString("| act | state of the PIN that it uses | call that uses it | returned | tries left: SO-PIN, user PIN | the room is told (among other things) |\n|---|---|---|---|---|---|\n")
	for _, c := range pinStates() {
		call, says := pinActs[c.act].call, "–"
		returned := strings.ReplaceAll(c.returned, " ", ", ")
		if n := strings.Count(returned, "CKR_PIN_INCORRECT"); n > 3 {
			returned = fmt.Sprintf("CKR_PIN_INCORRECT, %d times", n)
		}
		if returned == "" {
			call, returned = "none is made", "–"
		}
		if len(c.says) > 0 {
			says = "“" + strings.Join(c.says, "” … “") + "”"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d, %d | %s |\n", c.act, c.state, call, returned, c.so, c.user, says)
	}
	const file = "../docs/tokens.md"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(doc), begin)
	old, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table of PIN states", file)
	}
	if old == b.String() {
		return
	}
	if !*update {
		t.Fatalf("the table of PIN states in %s is not what is tested: run go test ./steps -update", file)
	}
	if err := os.WriteFile(file, []byte(head+begin+b.String()+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}
