package steps

import (
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A clock step compares the clocks once more, as a rule at the end, and says how
// far they have drifted since the first time.
type clock struct {
	ClockReader string `yaml:"clock_reader,required" desc:"participant who reads the second clock, the same one as at the opening"`
	MaxOffset   int    `yaml:"max_offset" desc:"most seconds between the two clocks; 60 if left out"`
	MaxDrift    int    `yaml:"max_drift" desc:"most seconds that they may have drifted apart since they were first compared; 10 if left out"`
}

// Check wants a first comparison, and a reader who is in the room.
func (a *clock) Check(w *ceremony.World) {
	inRoom(w, "clock_reader", a.ClockReader)
	if a.MaxOffset < 0 {
		w.Problem("max_offset", "expected a number of seconds, 0 or more")
	}
	if a.MaxDrift < 0 {
		w.Problem("max_drift", "expected a number of seconds, 0 or more")
	}
	if !w.Clock {
		w.Problem("", "the clocks were not compared before: an environment step does it at the opening")
	}
}

// Run reads the second clock, computes the drift and lists the jumps.
func (a *clock) Run(s *ceremony.Session) error {
	if err := (&clockReading{a.ClockReader, a.MaxOffset}).read(s); err != nil {
		return err
	}
	first, last := since(s.State().Clocks)
	limit := 10 * time.Second
	if a.MaxDrift > 0 {
		limit = time.Duration(a.MaxDrift) * time.Second
	}
	d := &audit.Drift{First: first.Seq, Last: last.Seq, DriftMS: last.OffsetMS - first.OffsetMS, LimitMS: limit.Milliseconds()}
	rows := [][]string{}
	for _, j := range s.State().Jumps {
		if j.Seq > first.Seq {
			d.Jumps++
			d.JumpsMS += j.WallMS - j.MonotonicMS
		}
		rows = append(rows, []string{fmt.Sprintf("entry %d", j.Seq), fmt.Sprintf("%d ms by the wall clock in %d ms", j.WallMS, j.MonotonicMS)})
	}
	drift := time.Duration(d.DriftMS) * time.Millisecond
	s.Show(room.Fact{Name: "drift", Value: fmt.Sprintf("%s since %s (offset %s then, %s now)", drift.Round(time.Second), first.Machine, offset(first.Clock), offset(last.Clock))})
	if len(rows) > 0 {
		s.Show(room.Table{Header: []string{"the machine's clock was set", ""}, Rows: rows})
	} else {
		s.Show(room.Fact{Name: "jumps of the machine's clock", Value: "none in the log"})
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	if drift.Abs() > limit {
		return fmt.Errorf("the clocks have drifted apart by %s since they were first compared, the script allows %s: one of them was set, or is not the same clock", drift.Round(time.Second), limit)
	}
	return nil
}

// since returns the comparison from which the drift is counted, and the last
// one. The first is the last of its step: a clock that was set right there, at
// the opening, has not drifted.
func since(clocks []ceremony.ClockRead) (first, last ceremony.ClockRead) {
	first, last = clocks[0], clocks[len(clocks)-1]
	for _, c := range clocks[:len(clocks)-1] {
		if c.Step == clocks[0].Step {
			first = c
		}
	}
	return first, last
}

func offset(c *audit.Clock) time.Duration {
	return (time.Duration(c.OffsetMS) * time.Millisecond).Round(time.Second)
}

// A clockReading compares the machine's clock with a second one.
type clockReading struct {
	reader    string
	maxOffset int // seconds; 0 for a minute
}

// read has the second clock read and recorded. Clocks that are too far apart are
// an error.
func (c *clockReading) read(s *ceremony.Session) error {
	reader := s.Who(c.reader)
	if err := s.Here(reader); err != nil {
		return err
	}
	for {
		v, err := s.AskOnly(reader, "room-time", "Read the second clock now, in UTC, as 2026-01-31 14:05:09")
		now := s.Now()
		if err != nil {
			return err
		}
		read, err := parseTime(v)
		if err != nil {
			s.Show(room.Warning{Text: err.Error()})
			continue
		}
		offset := now.Sub(read)
		d := &audit.Clock{Person: reader, Machine: now.Format(time.RFC3339), Room: read.Format(time.RFC3339), OffsetMS: offset.Milliseconds()}
		if _, err := s.Record(d); err != nil {
			return err
		}
		s.Show(room.Fact{Name: "machine clock minus second clock", Value: offset.Round(time.Second).String()})
		if limit := c.limit(); offset.Abs() > limit {
			return fmt.Errorf("the clocks are %s apart, the script allows %s: set the machine's clock, then try again", offset.Round(time.Second), limit)
		}
		return nil
	}
}

func (c *clockReading) limit() time.Duration {
	if c.maxOffset == 0 {
		return time.Minute
	}
	return time.Duration(c.maxOffset) * time.Second
}

func parseTime(v string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date and time; expected a form such as 2026-01-31 14:05:09, in UTC", v)
}
