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
	if err := (&environment{ClockReader: a.ClockReader, MaxOffset: a.MaxOffset}).clock(s); err != nil {
		return err
	}
	clocks, jumps := s.State().Clocks, s.State().Jumps
	first, last := clocks[0], clocks[len(clocks)-1]
	drift := time.Duration(last.OffsetMS-first.OffsetMS) * time.Millisecond
	if err := s.Result("drift", fmt.Sprintf("%s since %s (offset %s then, %s now)", drift.Round(time.Second), first.Machine, offset(first), offset(last)), false); err != nil {
		return err
	}
	rows := [][]string{}
	for _, j := range jumps {
		rows = append(rows, []string{fmt.Sprintf("entry %d", j.Seq), fmt.Sprintf("%d ms by the wall clock in %d ms", j.WallMS, j.MonotonicMS)})
	}
	said := "none in the log"
	if len(rows) > 0 {
		s.Show(room.Table{Header: []string{"the machine's clock was set", ""}, Rows: rows})
		said = fmt.Sprintf("%d in the log, the first in entry %d", len(rows), jumps[0].Seq)
	}
	if err := s.Result("jumps of the machine's clock", said, false); err != nil {
		return err
	}
	limit := 10 * time.Second
	if a.MaxDrift > 0 {
		limit = time.Duration(a.MaxDrift) * time.Second
	}
	if drift.Abs() > limit {
		return fmt.Errorf("the clocks have drifted apart by %s since they were first compared, the script allows %s: one of them was set, or is not the same clock", drift.Round(time.Second), limit)
	}
	return nil
}

func offset(c *audit.Clock) time.Duration {
	return (time.Duration(c.OffsetMS) * time.Millisecond).Round(time.Second)
}
