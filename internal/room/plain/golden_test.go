package plain

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/room"
)

var update = flag.Bool("update", false, "write the golden files of this run")

var fullStep = room.Step{
	Number: 7, Of: 19, ID: "user-pin", Kind: "set-user-pin", Title: "set user PIN", Attempt: 1,
	Actor:        "Łukasz Example (LE)",
	Witnesses:    []string{"山田 花子 (YH)", "Ελένη Παράδειγμα (EP)", "Somebody With A Very Long Name Indeed (SW)"},
	Say:          "The custodian of the user PIN chooses six to eight digits that nobody else sees, and types them twice. The screen shows nothing of them.\n\nNobody says a PIN aloud:\n  - not now,\n  - not later.",
	Watch:        "only the custodian can see the keyboard, and the projector shows no digit",
	Effect:       "the user PIN of token A is set by the SO (C_InitPIN)",
	Irreversible: "a wrong SO-PIN costs one of 15 tries; after the last one the token can never be initialised again",
}

const fingerprint = "3f2a9b1c0d4e77aa112233445566778899aabbccddeeff000123456789abcdef"

// stripes is a code of n modules a side whose corners are dark.
func stripes(n, margin int) [][]bool {
	grid := make([][]bool, n+2*margin)
	for y := range grid {
		grid[y] = make([]bool, n+2*margin)
		for x := range n {
			if y >= margin && y < n+margin {
				grid[y][x+margin] = (x+y-margin)%2 == 0
			}
		}
	}
	return grid
}

var messages = []struct {
	name string
	m    room.Message
}{
	{"step", fullStep},
	{"step-short", room.Step{Number: 1, Of: 2, Kind: "statement", Title: "opening", Actor: "LE"}},
	{"step-again", room.Step{Number: 12, Of: 19, Kind: "generate-key", Title: "generate the key of the root certificate authority of the example organisation", Actor: "LE", Attempt: 2, Say: "Again."}},
	{"step-done", room.StepDone{Number: 7, Of: 19, Title: "set user PIN", Result: "done"}},
	{"step-skipped", room.StepDone{Number: 7, Of: 19, Title: "set user PIN", Result: "skipped"}},
	{"step-failed", room.StepDone{Number: 7, Of: 19, Title: "set user PIN", Result: "failed"}},
	{"fact", room.Fact{Name: "serial", Value: "DENK0104068"}},
	{"fact-long", room.Fact{Name: "SHA-256 of the script", Value: fingerprint + fingerprint}},
	{"fact-long-name", room.Fact{Name: "the checkpoint's origin, its first line", Value: "keyrite.example/root/rehearsal/00112233445566778899aabbccddeeff"}},
	{"fact-big", room.Fact{Name: "SHA-256 of the root's public key", Value: fingerprint, Big: true}},
	{"fact-big-sha1", room.Fact{Name: "SHA-1", Value: fingerprint[:40], Big: true}},
	{"fact-big-words", room.Fact{Name: "its SHA-256 in words", Value: "abandon ability able about above absent absorb abstract absurd abuse access accident account accuse achieve acid", Big: true}},
	{"text", room.Text{Text: "A paragraph that is quite a bit longer than one line of eighty columns, so that it has to be wrapped.\nAnd a second one."}},
	{"verbatim", room.Verbatim{Text: "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0\n2\nN7AR4QnOmI8OVQ7NLLAdLTR0PT5P3HyRmxKZm1DFvZk=\n\n— keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0 D9SuDE==\x1b[2J\n"}},
	{"warning", room.Warning{Text: `"XX" is not your initials LE. Nothing was acknowledged; please type it again (or ! for other choices).`}},
	{"failure", room.Failure{What: "setting the user PIN of token A: the token refused the SO-PIN that was typed", RV: "CKR_PIN_INCORRECT (0x000000a0)", Hint: "Compare the envelope's number with the script. 14 tries are left; the last is never spent without your word."}},
	{"failure-short", room.Failure{What: "the log cannot be written"}},
	{"table", room.Table{Header: []string{"label", "class", "id"}, Rows: [][]string{{"root", "private key", "01"}, {"東京の鍵", "public key", "02"}, {"", "certificate", ""}}}},
	{"table-wide", room.Table{Header: []string{"name", "SHA-256", "what it is"}, Rows: [][]string{{"artifacts/root.pem", fingerprint, "the root certificate, signed by itself"}, {"short"}}}},
	{"code", room.Code{Name: "log key", Modules: stripes(21, 0)}},
	{"code-wide", room.Code{Name: "log key", Modules: stripes(77, 4)}},
}

func TestMessagesGolden(t *testing.T) {
	for _, width := range []int{80, 40} {
		for _, c := range messages {
			t.Run(fmt.Sprintf("%s-%d", c.name, width), func(t *testing.T) {
				var out bytes.Buffer
				NewScreen(&out, false, width).Show(c.m)
				golden(t, fmt.Sprintf("%s-%d", c.name, width), out.String())
				for _, l := range strings.Split(out.String(), "\n") {
					if _, asItIs := c.m.(room.Verbatim); !asItIs && columns(l) > width {
						t.Errorf("a line has %d columns, the screen %d: %q", columns(l), width, l)
					}
				}
			})
		}
	}
}

func TestQuestionsGolden(t *testing.T) {
	for _, c := range []struct {
		name   string
		p      room.Prompt
		secret bool
	}{
		{"ask", room.Prompt{Person: "Łukasz Example (LE)", Question: "I have heard the words of the log key and noted them – type your initials LE"}, false},
		{"ask-nobody", room.Prompt{Question: "Why?"}, false},
		{"ask-secret", room.Prompt{Person: "LE", Question: "The current SO-PIN of token A (16 hex digits)"}, true},
		{"ask-choices", room.Prompt{Person: "LE", Question: "The step waits. What does the room want?", Choices: menu}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			s := NewScreen(&out, false, 80)
			s.Question(c.p, c.secret)
			s.Answered("LE", "answer from answers.yaml")
			golden(t, c.name, out.String())
		})
	}
}

var menu = []room.Choice{
	{Word: "continue", Does: "go back to the question"},
	{Word: "deviation", Does: "write down something that is not as the script says, then go on with the step as it stands"},
	{Word: "pause", Does: "stop here; 'keyrite resume' goes on later"},
	{Word: "abort", Does: "give the ceremony up"},
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has changed; got:\n%s\nwant:\n%s", name, got, want)
	}
}
