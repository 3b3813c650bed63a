package steps

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// howToBring says in which forms a signature comes back into the room.
const howToBring = "Paste its line (— name base64), type the form for typing line by line (1/8 ABCD …), write 'file NAME' for a file on the medium, or 'none'"

// maxRefusal bounds what the log keeps of why a signature was refused.
const maxRefusal = 300

// A signing is a signature that a witness is asked for.
type signing struct {
	person string
	what   string // in the prompt's key
	asked  string // the question
	take   func(text string) error

	// On this machine, where the script allows it:
	use  string // one of ceremony.ForVerdict, …
	sign func(*audit.WitnessSigner) (string, error)
}

// bring asks a witness for a signature until take accepts it; given is false if
// the witness has none. Lines of the form for typing are collected until all
// are there. What was refused is recorded with the reason.
func bring(s *ceremony.Session, g signing) (given bool, err error) {
	var lines typedLines
	for {
		v, err := s.AskOnly(g.person, g.what, g.asked+lines.next()+howHere(s, g.person))
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
			if refused = g.take(text); refused == nil {
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
		if _, err := s.Record(&audit.Answer{Person: g.person, Question: "signature brought, refused because", Value: why}); err != nil {
			return false, err
		}
	}
}

// text returns the text of a signature from what was typed, "" if more lines are
// to come; refused says why there is none.
func (g *signing) text(s *ceremony.Session, lines *typedLines, v string) (text string, refused, err error) {
	name, here := strings.CutPrefix(v, "here")
	if !here || name != "" && name[0] != ' ' {
		text, refused = lines.add(s, v)
		return text, refused, nil
	}
	key, why, err := s.UnlockKey(g.person, strings.TrimSpace(name), g.use)
	if err != nil {
		return "", nil, err
	}
	if key == nil {
		return "", errors.New(why), nil
	}
	defer key.Wipe()
	text, refused = g.sign(key)
	return text, refused, nil
}

// howHere says how a key is unlocked on this machine, where that is allowed.
func howHere(s *ceremony.Session, person string) string {
	k := s.WitnessKey(person)
	if k == nil || !s.MayExpose(k) {
		return ""
	}
	return ". Or 'here FILE', to unlock that key file on the medium on THIS machine, which exposes the key to it"
}

// declareFinal asks the witnesses of the closing step who have a key whether they
// mean to unlock it on this machine for the final checkpoint. After the close
// nothing has an entry, so it is said, and the file tried, before.
func declareFinal(s *ceremony.Session) error {
	for _, id := range cosigners(s) {
		if !s.MayExpose(s.WitnessKey(id)) {
			continue
		}
		for {
			v, err := s.Ask(id, "final-key", "With which machine will you cosign the final checkpoint, after the close?",
				room.Choice{Word: "own", Does: "with your own, now or later; or not at all"},
				room.Choice{Word: "here", Does: "with this one: your key is unlocked here, and is exposed to it"})
			if err != nil {
				return err
			}
			if v == "own" {
				break
			}
			file, err := s.AskOnly(id, "key-file", "The name of your key file on the medium")
			if err != nil {
				return err
			}
			key, refused, err := s.UnlockKey(id, file, ceremony.ForFinal)
			if err != nil {
				return err
			}
			if key != nil {
				key.Wipe()
				s.Show(room.Text{Text: "The file opens, and the key was wiped again. For the signature the passphrase is asked for once more."})
				break
			}
			s.Show(room.Warning{Text: "Not unlocked: " + refused + "."})
		}
	}
	return nil
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
func (l *typedLines) add(s *ceremony.Session, v string) (string, error) {
	if v == "" {
		return "", errors.New("nothing was typed")
	}
	if v[0] < '0' || v[0] > '9' {
		return typedOrFile(s, v)
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

// isTyped reports whether a text is in the form for typing.
func isTyped(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && text[0] >= '0' && text[0] <= '9'
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
