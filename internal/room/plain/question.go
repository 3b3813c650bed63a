package plain

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/internal/room"
)

const (
	answerMark = "    > "
	secretMark = "    (not shown) > "
)

func (p *page) question(q room.Prompt, secret bool) {
	p.line("")
	if q.Person != "" {
		p.block(2, strong, "▸ "+q.Person)
	}
	p.block(4, plainStyle, q.Question)
	p.choices(q.Choices)
	p.WriteString(mark(secret))
}

func mark(secret bool) string {
	if secret {
		return secretMark
	}
	return answerMark
}

func (p *page) choices(choices []room.Choice) {
	longest := 0
	for _, c := range choices {
		longest = max(longest, columns(clean(c.Word)))
	}
	for _, c := range choices {
		p.hang(6, 6+longest+3, strong, clean(c.Word), c.Does)
	}
}

func (p *page) answered(text, note string) {
	line := clean(text)
	if note != "" && line != "" {
		line += "   "
	}
	if note != "" {
		line += "(" + clean(note) + ")"
	}
	p.line(line)
}

// Choose finds which of the choices somebody means: its word in any case, or a
// beginning of it that no other word has. The error says what can be typed.
func Choose(choices []room.Choice, typed string) (string, error) {
	var words, found []string
	for _, c := range choices {
		if strings.EqualFold(c.Word, typed) {
			return c.Word, nil
		}
		if typed != "" && strings.HasPrefix(strings.ToLower(c.Word), strings.ToLower(typed)) {
			found = append(found, c.Word)
		}
		words = append(words, c.Word)
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("%q is none of the words: %s", typed, strings.Join(words, ", "))
	}
	return "", fmt.Errorf("%q can mean: %s", typed, strings.Join(found, ", "))
}
