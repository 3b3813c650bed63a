package ceremony

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// howToBring says in which forms a signature comes back into the room.
const howToBring = "Paste its line (— name base64), type the form for typing line by line (1/8 ABCD …), write 'file NAME' for a file on the medium, or 'none'"

// maxRefusal bounds what the log keeps of why a signature was refused.
const maxRefusal = 300

// A Signing is a signature that a witness is asked for.
type Signing struct {
	Person string
	What   string                  // in the prompt's key
	Asked  string                  // the question
	Take   func(text string) error // takes what was brought, or says why not

	// On this machine, where the script allows it; Use "" for never:
	Use  string // one of ForVerdict, …
	Sign func(*audit.WitnessSigner) (string, error)
}

// Bring asks a witness for a signature until take accepts it; given is false if
// the witness has none. Lines of the form for typing are collected until all
// are there. What was refused is recorded with the reason.
func (s *Session) Bring(g Signing) (given bool, err error) {
	var lines typedLines
	for {
		v, err := s.AskOnly(g.Person, g.What, g.Asked+lines.next()+g.here(s))
		if err != nil || strings.EqualFold(v, "none") {
			return false, err
		}
		text, refused, err := g.text(s, &lines, v)
		if err != nil {
			return false, err
		}
		if text == "" && refused == nil {
			continue
		}
		if refused == nil {
			if refused = g.Take(text); refused == nil {
				return true, nil
			}
			lines = typedLines{}
		}
		why := refused.Error()
		if r := []rune(why); len(r) > maxRefusal {
			why = string(r[:maxRefusal]) + "…"
		}
		s.Show(room.Warning{Text: "Not taken: " + why + ". Please try it again."})
		if s.State().Closed {
			continue
		}
		if _, err := s.Record(&audit.Answer{Person: g.Person, Question: "signature brought, refused because", Value: why}); err != nil {
			return false, err
		}
	}
}

// text returns the text of a signature from what was typed, "" if more lines are
// to come; refused says why there is none.
func (g *Signing) text(s *Session, lines *typedLines, v string) (text string, refused, err error) {
	name, here := strings.CutPrefix(v, "here")
	if !here || g.Use == "" || name != "" && name[0] != ' ' {
		text, refused = lines.add(s, v)
		return text, refused, nil
	}
	key, why, err := s.UnlockKey(g.Person, strings.TrimSpace(name), g.Use)
	if err != nil {
		return "", nil, err
	}
	if key == nil {
		return "", errors.New(why), nil
	}
	defer key.Wipe()
	text, refused = g.Sign(key)
	return text, refused, nil
}

// here says how a key is unlocked on this machine, where that is allowed.
func (g *Signing) here(s *Session) string {
	k := s.WitnessKey(g.Person)
	if g.Use == "" || k == nil || !s.MayExpose(k) {
		return ""
	}
	return ". Or 'here FILE', to unlock that key file on the medium on THIS machine, which exposes the key to it"
}

// typedLines are lines of the form for typing that have come so far.
type typedLines struct {
	of   int
	text map[int]string
}

// next says what is still to be typed, in the question.
func (l *typedLines) next() string {
	if len(l.text) == 0 {
		return ". " + howToBring
	}
	var missing []string
	for n := 1; n <= l.of; n++ {
		if l.text[n] == "" {
			missing = append(missing, fmt.Sprint(n))
		}
	}
	return fmt.Sprintf(" – still to be typed of %d lines: %s", l.of, strings.Join(missing, ", "))
}

// add takes what was typed. It returns the whole text once there is one, "" if
// more lines are to come.
func (l *typedLines) add(s *Session, v string) (string, error) {
	if v == "" {
		return "", errors.New("nothing was typed")
	}
	if v[0] < '0' || v[0] > '9' {
		return s.TypedOrFile(v)
	}
	line, err := audit.ParseTypedLine(v)
	if err != nil {
		return "", err
	}
	if l.text == nil || l.of != line.Of {
		l.of, l.text = line.Of, map[int]string{}
	}
	l.text[line.Number] = v
	if len(l.text) < l.of {
		return "", nil
	}
	var all []string
	for n := 1; n <= l.of; n++ {
		all = append(all, l.text[n])
	}
	return strings.Join(all, "\n"), nil
}

// maxBrought bounds a file that a witness brings, in bytes.
const maxBrought = 64 << 10

// TypedOrFile returns what was typed, or the content of the file that it names.
func (s *Session) TypedOrFile(v string) (string, error) {
	name, ok := strings.CutPrefix(v, "file ")
	if !ok {
		return v, nil
	}
	if name = strings.TrimSpace(name); CheckFileName(name) != nil {
		return "", fmt.Errorf("%q is not a file name of letters, digits, dot, hyphen and underscore", name)
	}
	b, err := s.ReadMedia(name, maxBrought)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no file %q on the medium", name)
	}
	return string(b), err
}

// SignedNote returns the signed note of a text from what was brought: the note
// itself, its one signature line, or the form for typing, which typed reads.
// Whether the signature is good, the caller looks.
func SignedNote(text, want, name string, typed func(text string) ([]byte, error)) ([]byte, error) {
	if trimmed := strings.TrimSpace(text); trimmed != "" && trimmed[0] >= '0' && trimmed[0] <= '9' {
		return typed(text)
	}
	lines := noteLines(text)
	if len(lines) != 1 {
		return nil, fmt.Errorf("%d signature lines were found, expected one that begins with \"— %s\"", len(lines), name)
	}
	if body, _, whole := strings.Cut(text, "\n\n"); whole && body+"\n" != want {
		return nil, fmt.Errorf("the note that was brought has another text than the one shown")
	}
	return []byte(want + "\n" + lines[0] + "\n"), nil
}

// noteLines returns the signature lines of a text.
func noteLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); strings.HasPrefix(line, "— ") {
			lines = append(lines, line)
		}
	}
	return lines
}
