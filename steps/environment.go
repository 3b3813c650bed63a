package steps

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/machine"
	"github.com/keyrite/keyrite/internal/room"
)

// An environment step records what the machine says of itself, compares it with
// what the script expects and with hashes taken from outside, and compares the
// machine's clock with a second one.
type environment struct {
	ClockReader   string               `yaml:"clock_reader,required" desc:"participant who reads the second clock"`
	ReadBack      string               `yaml:"read_back" desc:"participant who types back the hashes of the program and of the PKCS#11 module, as the actor reads them aloud; they are compared"`
	MaxOffset     int                  `yaml:"max_offset" desc:"most seconds between the two clocks; 60 if left out"`
	Expect        *machine.Expectation `yaml:"expect" desc:"what the machine must be like; a difference stops the step. In a rehearsal, which may be held on any machine, it is recorded and does not stop"`
	Image         string               `yaml:"image" desc:"file or block device with the image that the machine was booted from, which is hashed: a path from the root of the file system; or place: the one that the place file names" line:"one"`
	Outside       []string             `yaml:"outside" enum:"program,module,image" desc:"hashes that were taken from outside, by sha256sum on other boot media or on a second machine: they are read aloud there and typed back here"`
	OutsideReader string               `yaml:"outside_reader" desc:"participant who reads them aloud, from what the other machine shows"`
	OutsideTypist string               `yaml:"outside_typist" desc:"another participant, who types them as they are heard"`
}

// imageOfPlace is the image that the place file names.
const imageOfPlace = "place"

// Check wants a reader who is in the room, and an expectation that can be meant.
func (a *environment) Check(w *ceremony.World) {
	inRoom(w, "clock_reader", a.ClockReader)
	w.Clock = true
	w.CheckReadBack(a.ReadBack)
	if a.MaxOffset < 0 {
		w.Problem("max_offset", "expected a number of seconds, 0 or more")
	}
	if a.Image != "" && a.Image != imageOfPlace && !filepath.IsAbs(a.Image) {
		w.Problem("image", "expected a path from the root of the file system, or place for the one that the place file names, not %q", a.Image)
	}
	if a.Expect != nil {
		a.Expect.Problems(func(field, what string) { w.Problem("expect."+field, "%s", what) })
		if a.Expect.Image != "" && a.Image == "" {
			w.Problem("expect.image", "nothing is hashed to compare it with: image says which file or device it is")
		}
	}
	a.checkOutside(w)
}

func (a *environment) checkOutside(w *ceremony.World) {
	if len(a.Outside) == 0 {
		if a.OutsideReader != "" || a.OutsideTypist != "" {
			w.Problem("outside", "which hashes are read aloud and typed back? expected some of program, module, image")
		}
		return
	}
	twoPeople(w, "outside_reader", a.OutsideReader, "outside_typist", a.OutsideTypist)
	for i, what := range a.Outside {
		field := fmt.Sprintf("outside[%d]", i)
		if slices.Contains(a.Outside[:i], what) {
			w.Problem(field, "%s is there twice", what)
		}
		if what == "image" && a.Image == "" {
			w.Problem(field, "nothing is hashed to compare it with: image says which file or device it is")
		}
	}
}

// Run shows and records the machine, compares it, then the clocks.
func (a *environment) Run(s *ceremony.Session) error {
	env, err := s.Environment()
	if err != nil {
		return err
	}
	if err := a.image(s, env); err != nil {
		return err
	}
	show(s, env)
	if _, err := s.Record(env); err != nil {
		return err
	}
	devices, err := listDevices(s)
	if err != nil {
		return err
	}
	if err := a.compare(s, env, devices); err != nil {
		return err
	}
	if err := s.ReadBack(a.ReadBack, "the SHA-256 of the program keyrite", env.Program.SHA256); err != nil {
		return err
	}
	if err := s.ReadBack(a.ReadBack, "the SHA-256 of the PKCS#11 module", env.Module.SHA256); err != nil {
		return err
	}
	if err := a.outside(s, env); err != nil {
		return err
	}
	if err := a.network(s, env); err != nil {
		return err
	}
	return (&clockReading{a.ClockReader, a.MaxOffset}).read(s)
}

// image hashes what the machine was booted from. A rehearsal may be held where
// it is not: then that is said, and nothing else.
func (a *environment) image(s *ceremony.Session, env *audit.Environment) error {
	if a.Image == "" {
		return nil
	}
	var err error
	env.Image, err = s.HashImage(a.Image, a.Image == imageOfPlace)
	if err != nil && s.Rehearsal() {
		return s.Result("image, not hashed in this rehearsal", err.Error(), false)
	}
	return err
}

// show tells the room what the machine says, and what that is worth.
func show(s *ceremony.Session, env *audit.Environment) {
	s.Show(room.Text{Text: "The machine says this of itself: it is SELF-REPORTED. A changed machine could lie, and show any hash. What counts is the same hash taken from outside: sha256sum on other boot media or on a second machine."})
	selfReported(s, "keyrite "+env.Program.Version, env.Program.SHA256)
	selfReported(s, "PKCS#11 module "+env.Module.Name, env.Module.SHA256)
	if env.Image != nil {
		selfReported(s, fmt.Sprintf("image %s (%d bytes)", env.Image.Name, env.Image.Size), env.Image.SHA256)
	}
	s.Show(room.Table{Header: []string{"what", "value"}, Rows: [][]string{
		{"kernel", env.Kernel}, {"booted with", orUntold(env.Cmdline)}, {"host", env.Host}, {"network", interfaces(env)},
		{"core dumps", "limit " + env.CoreLimit + yesNo(env.Dumpable, ", process dumpable", ", process not dumpable")},
		{"memory", yesNo(env.Locked, "locked", "not locked") + yesNo(env.Swap, ", swap is in use", ", no swap")},
	}})
}

func selfReported(s *ceremony.Session, what, sum string) {
	s.Show(room.Fact{Name: what + ", SHA-256, self-reported", Value: sum, Big: true})
	s.Show(room.Fact{Name: "in words", Value: hexWords(sum)})
}

func orUntold(s string) string {
	if s == "" {
		return "not told"
	}
	return s
}

func interfaces(env *audit.Environment) string {
	var list []string
	for _, i := range env.Interfaces {
		state := ""
		if i.State != "" {
			state = " (link " + i.State + ")"
		}
		list = append(list, i.Name+yesNo(i.Up, " UP", " down")+state)
	}
	if len(list) == 0 {
		return "no interface"
	}
	return strings.Join(list, ", ")
}

// network asks for a decision when an interface other than loopback is up: the
// machine is not air-gapped (NCSSR 1.2.1). Where the script expects none, the
// comparison has said so already.
func (a *environment) network(s *ceremony.Session, env *audit.Environment) error {
	up := machine.Online(env.Interfaces)
	if len(up) == 0 || a.Expect != nil && a.Expect.Network != "" {
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
