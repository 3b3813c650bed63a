package audit

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// verdictKind is the first line of a verdict's text.
const verdictKind = "keyrite verdict v1"

// maxBecause bounds a verdict's reason, in bytes.
const maxBecause = 4096

// A VerdictNote is what a witness says with a key about a step and the log up
// to there: the text of a signed note of its own kind, which can never be taken
// for a checkpoint.
//
//	keyrite verdict v1
//	origin keyrite.ceremony/production/0f1e2d3c4b5a69788796a5b4c3d2e1f0
//	step verdict-root
//	size 213
//	root 6329ad20d1bae1d31cb9945ddb3326390781a4dc57d5acbb7436baa457c9d2f2
//	witness w1
//	verdict do not agree
//	because the label was another one
//
// The last line is there exactly if the witness does not agree.
type VerdictNote struct {
	Origin  string // the log's
	Step    string // id of the verdict step in which it is given
	Size    int64  // entries that the witness speaks of
	Root    Hash   // root over them
	Witness string // participant id
	Agree   bool
	Because string // why not; "" exactly if Agree
}

// Text returns the verdict's text.
func (v VerdictNote) Text() string {
	said, because := "agree", ""
	if !v.Agree {
		said, because = "do not agree", "because "+v.Because+"\n"
	}
	return verdictKind + "\norigin " + v.Origin + "\nstep " + v.Step + "\nsize " + strconv.FormatInt(v.Size, 10) + "\nroot " + v.Root.String() +
		"\nwitness " + v.Witness + "\nverdict " + said + "\n" + because
}

// ParseVerdictNote reads a verdict's text. It accepts exactly what
// [VerdictNote.Text] writes: an origin that can be a note key's name, a step
// and a witness of the same form, a size below 2^53, a root of 64 lower-case
// hex digits, a reason of 1 to 4096 bytes on one line in characters that can be
// seen.
func ParseVerdictNote(text string) (VerdictNote, error) {
	rest, ok := strings.CutPrefix(text, verdictKind+"\n")
	if !ok {
		return VerdictNote{}, fmt.Errorf("parsing verdict: the first line of %q is not %q", text, verdictKind)
	}
	var values [6]string
	for i, name := range [...]string{"origin", "step", "size", "root", "witness", "verdict"} {
		line, after, whole := strings.Cut(rest, "\n")
		value, named := strings.CutPrefix(line, name+" ")
		if !whole || !named {
			return VerdictNote{}, fmt.Errorf("parsing verdict: line %d, %q, is not \"%s …\"", i+2, line, name)
		}
		values[i], rest = value, after
	}
	v := VerdictNote{Origin: values[0], Step: values[1], Witness: values[4]}
	for i, name := range map[int]string{0: "origin", 1: "step", 4: "witness"} {
		if !validName(values[i]) {
			return VerdictNote{}, fmt.Errorf("parsing verdict: %s %q is empty or has white space, control characters, a plus sign or bad UTF-8", name, values[i])
		}
	}
	var err error
	if v.Size, err = parseSize(values[2]); err != nil {
		return VerdictNote{}, fmt.Errorf("parsing verdict: %w", err)
	}
	root, err := hex.DecodeString(values[3])
	if err != nil || len(root) != HashSize || strings.ToLower(values[3]) != values[3] {
		return VerdictNote{}, fmt.Errorf("parsing verdict: root %q is not 64 lower-case hex digits", values[3])
	}
	v.Root = Hash(root)
	if v.Agree = values[5] == "agree"; v.Agree && rest == "" {
		return v, nil
	}
	if v.Agree || values[5] != "do not agree" {
		return VerdictNote{}, fmt.Errorf("parsing verdict: %q, then %q, is neither \"agree\" nor \"do not agree\" with a reason", values[5], rest)
	}
	if v.Because, err = parseBecause(rest); err != nil {
		return VerdictNote{}, err
	}
	return v, nil
}

func parseBecause(line string) (string, error) {
	because, named := strings.CutPrefix(line, "because ")
	because, whole := strings.CutSuffix(because, "\n")
	if !named || !whole || because == "" || len(because) > maxBecause || !utf8.ValidString(because) || !printable(because) {
		return "", fmt.Errorf("parsing verdict: %q is not \"because …\" on one line of at most %d bytes", line, maxBecause)
	}
	return because, nil
}

// OpenVerdictNote checks a verdict's signed note with the witness's key and
// returns what it says.
func OpenVerdictNote(b []byte, k *WitnessKey) (VerdictNote, error) {
	n, err := OpenNote(b, k.NoteKey())
	if err != nil {
		return VerdictNote{}, err
	}
	return ParseVerdictNote(n.Text)
}

// ReadVerdictNote returns what a verdict's signed note says, whoever signed it.
func ReadVerdictNote(b []byte) (VerdictNote, error) {
	n, err := note.Open(b, note.VerifierList())
	if unverified, ok := err.(*note.UnverifiedNoteError); ok {
		n, err = unverified.Note, nil
	}
	if err != nil {
		return VerdictNote{}, fmt.Errorf("reading verdict: %w", err)
	}
	return ParseVerdictNote(n.Text)
}
