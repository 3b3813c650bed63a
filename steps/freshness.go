package steps

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A freshness step takes public values into the log that nobody could know
// before they were published: the log was not written before.
type freshness struct {
	Sources []string `yaml:"sources,required" desc:"what is asked for, one value each: a newspaper's headline, a drand round, a block hash" line:"one"`
	Reader  string   `yaml:"reader" desc:"participant who brings the values and reads them aloud; the actor if left out"`
}

// maxSource is the longest name of a source, in bytes.
const maxSource = 200

// Check wants sources that differ, and a reader who is in the room.
func (a *freshness) Check(w *ceremony.World) {
	seen := map[string]bool{}
	for i, source := range a.Sources {
		field := fmt.Sprintf("sources[%d]", i)
		if len(source) > maxSource {
			w.Problem(field, "the source has %d bytes, expected at most %d", len(source), maxSource)
		}
		if seen[source] {
			w.Problem(field, "%q is there twice: each source is asked once", source)
		}
		seen[source] = true
	}
	if a.Reader != "" {
		inRoom(w, "reader", a.Reader)
	}
}

// Run asks for each source's value and since when it was public, and has the
// value read back.
func (a *freshness) Run(s *ceremony.Session) error {
	reader := s.Who(a.Reader)
	if reader == "" {
		reader = s.Step.Actor
	}
	if err := s.Here(reader); err != nil {
		return err
	}
	s.Show(room.Text{Text: "These values became public a short while ago, and nobody could know them before. With them in its beginning, this log cannot have been written earlier. The machine has no network: what is typed here was brought on paper or a screen that everybody can see."})
	rows := [][]string{}
	for _, source := range a.Sources {
		d, err := a.value(s, reader, source)
		if err != nil {
			return err
		}
		if _, err := s.Record(d); err != nil {
			return err
		}
		rows = append(rows, []string{d.Source, d.Value, d.Claimed})
	}
	s.Show(room.Text{Text: "Read aloud, and compared by the witnesses with where they saw it themselves:"})
	s.Show(room.Table{Header: []string{"source", "value", "public since (as said)"}, Rows: rows})
	return nil
}

func (a *freshness) value(s *ceremony.Session, reader, source string) (*audit.Freshness, error) {
	d := &audit.Freshness{Source: source, Person: reader}
	for d.Value == "" {
		v, err := s.AskOnly(reader, "value", "What does it say now: "+source+"?")
		if err != nil {
			return nil, err
		}
		d.Value = v
	}
	for {
		v, err := s.AskOnly(reader, "since", "Since when is that public, in UTC? (as 2026-01-31 14:05:09 or, if only the day is known, 2026-01-31)")
		if err != nil {
			return nil, err
		}
		at, err := parseSince(v)
		if err == nil && at.After(s.Now().Add(time.Minute)) {
			err = fmt.Errorf("%s is in the future by this machine's clock", v)
		}
		if err == nil {
			d.Claimed = at.Format(time.RFC3339)
			return d, nil
		}
		s.Show(room.Warning{Text: err.Error()})
	}
}

// parseSince reads a time, or a day, which begins at midnight.
func parseSince(v string) (time.Time, error) {
	if t, err := time.Parse("2006-01-02", strings.TrimSpace(v)); err == nil {
		return t, nil
	}
	t, err := parseTime(v)
	return t.Truncate(time.Second), err
}
