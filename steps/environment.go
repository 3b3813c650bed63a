package steps

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// An environment step records what the machine says of itself and compares its
// clock with a second one.
type environment struct {
	ClockReader string `yaml:"clock_reader,required" desc:"participant who reads the second clock"`
	ReadBack    string `yaml:"read_back" desc:"participant who types back the hashes of the program and of the PKCS#11 module, as the actor reads them aloud; they are compared"`
	MaxOffset   int    `yaml:"max_offset" desc:"most seconds between the two clocks; 60 if left out"`
}

// Check wants a reader who is in the room.
func (a *environment) Check(w *ceremony.World) {
	inRoom(w, "clock_reader", a.ClockReader)
	w.Clock = true
	w.CheckReadBack(a.ReadBack)
	if a.MaxOffset < 0 {
		w.Problem("max_offset", "expected a number of seconds, 0 or more")
	}
}

// Run shows and records the machine, then the clocks.
func (a *environment) Run(s *ceremony.Session) error {
	env, err := s.Environment()
	if err != nil {
		return err
	}
	s.Show(room.Text{Text: "The machine says this of itself. A changed machine could lie: what counts is the same hash taken from outside, compared here."})
	s.Show(room.Fact{Name: "keyrite " + env.Program.Version + ", SHA-256", Value: env.Program.SHA256, Big: true})
	s.Show(room.Fact{Name: "PKCS#11 module " + env.Module.Name + ", SHA-256", Value: env.Module.SHA256, Big: true})
	s.Show(room.Table{Header: []string{"what", "value"}, Rows: [][]string{
		{"kernel", env.Kernel}, {"host", env.Host}, {"network", interfaces(env)},
		{"core dumps", "limit " + env.CoreLimit + yesNo(env.Dumpable, ", process dumpable", ", process not dumpable")},
		{"memory", yesNo(env.Locked, "locked", "not locked") + yesNo(env.Swap, ", swap is in use", ", no swap")},
	}})
	if _, err := s.Record(env); err != nil {
		return err
	}
	if err := s.ReadBack(a.ReadBack, "the SHA-256 of the program keyrite", env.Program.SHA256); err != nil {
		return err
	}
	if err := s.ReadBack(a.ReadBack, "the SHA-256 of the PKCS#11 module", env.Module.SHA256); err != nil {
		return err
	}
	if err := a.network(s, env); err != nil {
		return err
	}
	return a.clock(s)
}

func interfaces(env *audit.Environment) string {
	var list []string
	for _, i := range env.Interfaces {
		list = append(list, i.Name+yesNo(i.Up, " UP", " down"))
	}
	if len(list) == 0 {
		return "no interface"
	}
	return strings.Join(list, ", ")
}

// network asks for a decision when an interface other than loopback is up: the
// machine is not air-gapped (NCSSR 1.2.1).
func (a *environment) network(s *ceremony.Session, env *audit.Environment) error {
	var up []string
	for _, i := range env.Interfaces {
		if i.Up && i.Name != "lo" {
			up = append(up, i.Name)
		}
	}
	if len(up) == 0 {
		return nil
	}
	s.Show(room.Warning{Text: "This machine is NOT air-gapped: " + strings.Join(up, ", ") + " is up."})
	v, err := s.Decide(s.Step.Actor, "network", "A network interface is up. Does the room go on?",
		room.Choice{Word: "stop", Does: "unplug it, then try the step again"},
		room.Choice{Word: "on", Does: "go on; the transcript says that the machine had a network"})
	if err != nil {
		return err
	}
	if v == "stop" {
		return fmt.Errorf("network interface %s is up: unplug it or take it down", strings.Join(up, ", "))
	}
	return nil
}

func (a *environment) clock(s *ceremony.Session) error {
	reader := s.Who(a.ClockReader)
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
		if limit := a.limit(); offset.Abs() > limit {
			return fmt.Errorf("the clocks are %s apart, the script allows %s: set the machine's clock, then try again", offset.Round(time.Second), limit)
		}
		return nil
	}
}

func (a *environment) limit() time.Duration {
	if a.MaxOffset == 0 {
		return time.Minute
	}
	return time.Duration(a.MaxOffset) * time.Second
}

func parseTime(v string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date and time; expected a form such as 2026-01-31 14:05:09, in UTC", v)
}
