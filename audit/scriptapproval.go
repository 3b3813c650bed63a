package audit

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// scriptApprovalKind is the first line of an approval's text.
const scriptApprovalKind = "keyrite script approval v1"

// maxApprovedTitle bounds the title in an approval, in bytes.
const maxApprovedTitle = 4096

// An ScriptApprovalNote is what an approver says with a key about a script before the
// ceremony: the text of a signed note of its own kind, which can never be taken
// for a checkpoint or a verdict. docs/approval.md specifies every byte.
//
//	keyrite script approval v1
//	script 6329ad20d1bae1d31cb9945ddb3326390781a4dc57d5acbb7436baa457c9d2f2
//	mode production
//	title Example Root CA R1 key ceremony
//	approved 2026-11-02T09:14:00Z
type ScriptApprovalNote struct {
	Script Hash      // SHA-256 of the expanded script's bytes
	Mode   string    // the script's: ModeProduction or ModeRehearsal
	Title  string    // the script's, on one line
	At     time.Time // by the approver's clock, UTC, in whole seconds
}

// Text returns the approval's text.
func (a ScriptApprovalNote) Text() string {
	return scriptApprovalKind + "\nscript " + a.Script.String() + "\nmode " + a.Mode + "\ntitle " + a.Title +
		"\napproved " + a.At.UTC().Format(time.RFC3339) + "\n"
}

// ParseScriptApproval reads an approval's text. It accepts exactly what
// [ScriptApprovalNote.Text] writes: a hash of 64 lower-case hex digits, one of the two
// modes, a title of 1 to 4096 bytes on one line in characters that can be seen,
// without space at its ends, a time of RFC 3339 in UTC with whole seconds.
func ParseScriptApproval(text string) (ScriptApprovalNote, error) {
	rest, ok := strings.CutPrefix(text, scriptApprovalKind+"\n")
	if !ok {
		return ScriptApprovalNote{}, fmt.Errorf("parsing approval: the first line of %q is not %q", text, scriptApprovalKind)
	}
	var values [4]string
	for i, name := range [...]string{"script", "mode", "title", "approved"} {
		line, after, whole := strings.Cut(rest, "\n")
		value, named := strings.CutPrefix(line, name+" ")
		if !whole || !named {
			return ScriptApprovalNote{}, fmt.Errorf("parsing approval: line %d, %q, is not \"%s …\"", i+2, line, name)
		}
		values[i], rest = value, after
	}
	a := ScriptApprovalNote{Mode: values[1], Title: values[2]}
	sum, err := hex.DecodeString(values[0])
	if err != nil || len(sum) != HashSize || strings.ToLower(values[0]) != values[0] {
		return ScriptApprovalNote{}, fmt.Errorf("parsing approval: script %q is not 64 lower-case hex digits", values[0])
	}
	a.Script = Hash(sum)
	switch {
	case a.Mode != ModeProduction && a.Mode != ModeRehearsal:
		return ScriptApprovalNote{}, fmt.Errorf("parsing approval: mode %q is neither %s nor %s", a.Mode, ModeProduction, ModeRehearsal)
	case a.Title == "" || len(a.Title) > maxApprovedTitle || strings.TrimSpace(a.Title) != a.Title || !utf8.ValidString(a.Title) || !printable(a.Title):
		return ScriptApprovalNote{}, fmt.Errorf("parsing approval: title %q is not one line of at most %d bytes", a.Title, maxApprovedTitle)
	case rest != "":
		return ScriptApprovalNote{}, fmt.Errorf("parsing approval: %q follows the last line", rest)
	}
	if a.At, err = time.Parse("2006-01-02T15:04:05Z", values[3]); err != nil || a.At.UTC().Format(time.RFC3339) != values[3] {
		return ScriptApprovalNote{}, fmt.Errorf("parsing approval: time %q is not RFC 3339 in UTC with whole seconds", values[3])
	}
	return a, nil
}

// SignScriptApproval returns the approval as a signed note, by the key of type 0x01.
func (s *WitnessSigner) SignScriptApproval(a ScriptApprovalNote) ([]byte, error) {
	text := a.Text()
	if _, err := ParseScriptApproval(text); err != nil {
		return nil, fmt.Errorf("signing an approval as %q: %w", s.key.name, err)
	}
	b, err := note.Sign(&note.Note{Text: text}, plainSigner{s})
	if err != nil {
		return nil, fmt.Errorf("signing an approval as %q: %w", s.key.name, err)
	}
	return b, nil
}

// OpenScriptApproval checks an approval's signed note with the approver's key and
// returns what it says. A note with further signatures is refused: one note
// speaks for one approver.
func OpenScriptApproval(b []byte, k *WitnessKey) (ScriptApprovalNote, error) {
	n, err := OpenNote(b, k.NoteKey())
	if err != nil {
		return ScriptApprovalNote{}, err
	}
	if len(n.Sigs)+len(n.UnverifiedSigs) != 1 {
		return ScriptApprovalNote{}, fmt.Errorf("reading approval: the note has %d signatures, expected one", len(n.Sigs)+len(n.UnverifiedSigs))
	}
	return ParseScriptApproval(n.Text)
}

// ReadScriptApproval returns what an approval's signed note says, whoever signed
// it, and the name of the first key on it.
func ReadScriptApproval(b []byte) (a ScriptApprovalNote, key string, err error) {
	n, err := note.Open(b, note.VerifierList())
	if unverified, ok := err.(*note.UnverifiedNoteError); ok {
		n, err = unverified.Note, nil
	}
	if err != nil {
		return ScriptApprovalNote{}, "", fmt.Errorf("reading approval: %w", err)
	}
	if len(n.UnverifiedSigs) > 0 {
		key = n.UnverifiedSigs[0].Name
	}
	a, err = ParseScriptApproval(n.Text)
	return a, key, err
}
