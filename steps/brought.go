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

// bring asks a witness for a signature until take accepts it; given is false if
// the witness has none. Lines of the form for typing are collected until all
// are there. What was refused is recorded with the reason.
func bring(s *ceremony.Session, person, what, question string, take func(text string) error) (given bool, err error) {
	var lines typedLines
	for {
		v, err := s.AskOnly(person, what, question+lines.next())
		if err != nil || strings.EqualFold(v, "none") {
			return false, err
		}
		text, err := lines.add(s, v)
		if err == nil && text == "" {
			continue
		}
		if err == nil {
			if err = take(text); err == nil {
				return true, nil
			}
			lines = typedLines{}
		}
		why := err.Error()
		if r := []rune(why); len(r) > maxRefusal {
			why = string(r[:maxRefusal]) + "…"
		}
		s.Show(room.Warning{Text: "Not taken: " + why + ". Please try it again."})
		if s.State().Closed {
			continue
		}
		if _, err := s.Record(&audit.Answer{Person: person, Question: "signature brought, refused because", Value: why}); err != nil {
			return false, err
		}
	}
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
