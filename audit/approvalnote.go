package audit

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// approvalKind is the first line of an approval's text.
const approvalKind = "keyrite approval v1"

// An ApprovalNote is what somebody with a key says who approves an act of a
// step: the text of a signed note of its own kind, which can never be taken for
// a checkpoint or a verdict.
//
//	keyrite approval v1
//	origin keyrite.ceremony/production/0f1e2d3c4b5a69788796a5b4c3d2e1f0
//	step root-certificate
//	act step
//	size 121
//	root 6329ad20d1bae1d31cb9945ddb3326390781a4dc57d5acbb7436baa457c9d2f2
//	approver officer-1
type ApprovalNote struct {
	Origin string // the log's
	Step   string // id of the step
	Act    string // "step", "skip" or "repeat"
	Size   int64  // entries that the approver has seen
	Root   Hash   // root over them
	Person string // participant id
}

// approvalLines are the names of the text's lines after the first.
var approvalLines = [...]string{"origin", "step", "act", "size", "root", "approver"}

// Text returns the approval's text.
func (a ApprovalNote) Text() string {
	text := approvalKind + "\n"
	for i, value := range [...]string{a.Origin, a.Step, a.Act, strconv.FormatInt(a.Size, 10), a.Root.String(), a.Person} {
		text += approvalLines[i] + " " + value + "\n"
	}
	return text
}

// ParseApprovalNote reads an approval's text. It accepts exactly what
// [ApprovalNote.Text] writes: an origin, a step and an approver that can be a
// note key's name, one of the three acts, a size below 2^53, a root of 64
// lower-case hex digits.
func ParseApprovalNote(text string) (ApprovalNote, error) {
	rest, ok := strings.CutPrefix(text, approvalKind+"\n")
	if !ok {
		return ApprovalNote{}, fmt.Errorf("parsing approval: the first line of %q is not %q", text, approvalKind)
	}
	var values [len(approvalLines)]string
	for i, name := range approvalLines {
		line, after, whole := strings.Cut(rest, "\n")
		value, named := strings.CutPrefix(line, name+" ")
		if !whole || !named || i != 3 && i != 4 && !validName(value) {
			return ApprovalNote{}, fmt.Errorf("parsing approval: line %d, %q, is not \"%s …\" without white space, control characters and plus signs", i+2, line, name)
		}
		values[i], rest = value, after
	}
	a := ApprovalNote{Origin: values[0], Step: values[1], Act: values[2], Person: values[5]}
	if a.Act != "step" && a.Act != "skip" && a.Act != "repeat" {
		return ApprovalNote{}, fmt.Errorf("parsing approval: act %q is not step, skip or repeat", a.Act)
	}
	var err error
	if a.Size, err = parseSize(values[3]); err != nil {
		return ApprovalNote{}, fmt.Errorf("parsing approval: %w", err)
	}
	root, err := hex.DecodeString(values[4])
	if err != nil || len(root) != HashSize || strings.ToLower(values[4]) != values[4] {
		return ApprovalNote{}, fmt.Errorf("parsing approval: root %q is not 64 lower-case hex digits", values[4])
	}
	a.Root = Hash(root)
	if rest != "" {
		return ApprovalNote{}, fmt.Errorf("parsing approval: %q follows the last line", rest)
	}
	return a, nil
}

// OpenApprovalNote checks an approval's signed note with the approver's key and
// returns what it says.
func OpenApprovalNote(b []byte, k *WitnessKey) (ApprovalNote, error) {
	n, err := OpenNote(b, k.NoteKey())
	if err != nil {
		return ApprovalNote{}, err
	}
	return ParseApprovalNote(n.Text)
}

// SignApproval returns the approval as a signed note.
func (s *WitnessSigner) SignApproval(a ApprovalNote) ([]byte, error) {
	text := a.Text()
	read, err := ParseApprovalNote(text)
	if err == nil && read != a {
		err = fmt.Errorf("it would be read as %+v", read)
	}
	if err != nil {
		return nil, fmt.Errorf("signing an approval as %q: %w", s.key.name, err)
	}
	b, err := note.Sign(&note.Note{Text: text}, plainSigner{s})
	if err != nil {
		return nil, fmt.Errorf("signing an approval as %q: %w", s.key.name, err)
	}
	return b, nil
}

// TypedApproval returns the signature of an approval's signed note in the form
// for typing, seven lines, as [TypedVerdict] does.
func TypedApproval(b []byte, k *WitnessKey) ([]string, error) {
	if _, err := OpenApprovalNote(b, k); err != nil {
		return nil, err
	}
	return typedSignature(b, k)
}

// ParseTypedApproval reads a typed signature over the approval a by the key k
// and returns the signed note.
func ParseTypedApproval(text string, a ApprovalNote, k *WitnessKey) ([]byte, error) {
	b, err := ParseTyped(text)
	if err != nil {
		return nil, fmt.Errorf("reading the typed approval: %w", err)
	}
	if len(b) != typedSignatureSize || b[0] != algEd25519 {
		return nil, fmt.Errorf("reading the typed approval: %d bytes of type %#02x are no signature of an approval", len(b), b[0])
	}
	signed := []byte(a.Text() + "\n— " + k.name + " " + base64.StdEncoding.EncodeToString(b[1:]) + "\n")
	if _, err := OpenApprovalNote(signed, k); err != nil {
		var unverified *note.UnverifiedNoteError
		if errors.As(err, &unverified) {
			return nil, fmt.Errorf("reading the typed approval: it is not by the key of %q", k.name)
		}
		return nil, fmt.Errorf("reading the typed approval: %w", err)
	}
	return signed, nil
}
