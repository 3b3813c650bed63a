package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// RedactedFile says of a redacted copy what is hidden in it.
const RedactedFile = "redacted"

// redactedHeader is its first line.
const redactedHeader = "keyrite redacted v1"

// A Range is a run of entries, both ends included.
type Range struct{ From, To int64 }

// String returns "12" or "12-20".
func (r Range) String() string {
	if r.From == r.To {
		return strconv.FormatInt(r.From, 10)
	}
	return fmt.Sprintf("%d-%d", r.From, r.To)
}

// A Redaction says how a redacted copy differs from the bundle it was made of.
type Redaction struct {
	Origin   string   // the log's
	Hidden   []Range  // entries that stand as their hash alone, ascending, with gaps between
	Replaced []string // files in which they are hidden, by name
	LeftOut  []string // files of the bundle that are not in the copy, by name
}

// Text returns the content of the file redacted:
//
//	keyrite redacted v1
//	origin <the log's origin>
//	hidden 12
//	hidden 14-20
//	replaced audit.db
//	replaced log.jsonl
//	left-out transcript.pdf
func (r *Redaction) Text() string {
	var b strings.Builder
	b.WriteString(redactedHeader + "\norigin " + r.Origin + "\n")
	for _, h := range r.Hidden {
		b.WriteString("hidden " + h.String() + "\n")
	}
	for _, name := range r.Replaced {
		b.WriteString("replaced " + name + "\n")
	}
	for _, name := range r.LeftOut {
		b.WriteString("left-out " + name + "\n")
	}
	return b.String()
}

// ParseRedaction reads the file as [Redaction.Text] writes it and in no other
// form. Something is hidden in every copy, both forms of the log are replaced,
// and only the transcript, artifacts, approvals, witnesses' keys and what came after may be
// left out.
func ParseRedaction(text string) (*Redaction, error) {
	rest, ok := strings.CutPrefix(text, redactedHeader+"\norigin ")
	origin, rest, ok2 := strings.Cut(rest, "\n")
	if !ok || !ok2 || origin == "" || rest != "" && !strings.HasSuffix(rest, "\n") {
		return nil, fmt.Errorf("not %q, an origin and lines that end", redactedHeader)
	}
	r := &Redaction{Origin: origin}
	for line := range strings.Lines(rest) {
		word, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "hidden":
			h, err := parseRange(value)
			if err != nil {
				return nil, err
			}
			r.Hidden = append(r.Hidden, h)
		case "replaced":
			r.Replaced = append(r.Replaced, value)
		case "left-out":
			r.LeftOut = append(r.LeftOut, value)
		default:
			return nil, fmt.Errorf("line %q", line)
		}
	}
	if r.Text() != text {
		return nil, errors.New("the lines are not in their order")
	}
	return r, r.check()
}

func parseRange(s string) (Range, error) {
	from, to, two := strings.Cut(s, "-")
	if !two {
		to = from
	}
	a, err := strconv.ParseInt(from, 10, 64)
	b, err2 := strconv.ParseInt(to, 10, 64)
	if err != nil || err2 != nil || a < 0 || b < a || (Range{a, b}).String() != s {
		return Range{}, fmt.Errorf("range %q of entries", s)
	}
	return Range{a, b}, nil
}

func (r *Redaction) check() error {
	if len(r.Hidden) == 0 {
		return errors.New("nothing is hidden")
	}
	for i := 1; i < len(r.Hidden); i++ {
		if r.Hidden[i].From <= r.Hidden[i-1].To+1 {
			return fmt.Errorf("range %s does not stand apart behind %s", r.Hidden[i], r.Hidden[i-1])
		}
	}
	if !slices.Equal(r.Replaced, []string{DatabaseFile, LogFile}) {
		return fmt.Errorf("replaced files %q, not %s and %s", r.Replaced, DatabaseFile, LogFile)
	}
	for i, name := range r.LeftOut {
		if i > 0 && name <= r.LeftOut[i-1] {
			return fmt.Errorf("%q is not after %q", name, r.LeftOut[i-1])
		}
		if !MayLeaveOut(name) {
			return fmt.Errorf("%q may not be left out", name)
		}
	}
	return nil
}

// MayLeaveOut reports whether a redacted copy may lack a file: the transcript,
// an artifact, an approval, a witness's key, or what came after the close.
func MayLeaveOut(name string) bool {
	return Known(name) && (name == TranscriptFile || strings.HasPrefix(name, ArtifactsDir+"/") || strings.HasPrefix(name, ApprovalsDir+"/") ||
		strings.HasPrefix(name, KeysDir+"/witness-") || strings.HasPrefix(name, AfterDir+"/"))
}
