package steps

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/machine"
	"github.com/keyrite/keyrite/internal/room"
)

// devicesAnEntry is how many devices an entry lists: however long their texts
// are, the entry stays below its 64 KiB.
const devicesAnEntry = 20

// listDevices shows and records what is on each bus of the machine.
func listDevices(s *ceremony.Session) (map[string][]audit.Device, error) {
	all := map[string][]audit.Device{}
	for _, bus := range machine.Buses() {
		list, err := s.Devices(bus)
		if err != nil {
			return nil, err
		}
		all[bus] = list
		rows := [][]string{}
		for _, d := range list {
			rows = append(rows, []string{d.At, machine.Describe(audit.Device{ID: d.ID, Name: d.Name, Serial: d.Serial, Class: d.Class}), size(d)})
		}
		if len(rows) == 0 {
			rows = append(rows, []string{"none", "", ""})
		}
		s.Show(room.Table{Header: []string{bus + ", self-reported", "device", "size"}, Rows: rows})
		if err := recordDevices(s, bus, list); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func size(d audit.Device) string {
	switch {
	case d.Removable && d.Size == 0:
		return "no medium"
	case d.Size == 0:
		return ""
	}
	return fmt.Sprintf("%d bytes%s", d.Size, yesNo(d.Removable, ", removable", ""))
}

func recordDevices(s *ceremony.Session, bus string, list []audit.Device) error {
	if len(list) == 0 {
		_, err := s.Record(&audit.Devices{Bus: bus, List: []audit.Device{}})
		return err
	}
	for i := 0; i < len(list); i += devicesAnEntry {
		part := list[i:min(i+devicesAnEntry, len(list))]
		if _, err := s.Record(&audit.Devices{Bus: bus, Of: len(list), First: i + 1, List: part}); err != nil {
			return err
		}
	}
	return nil
}

// compare holds the machine against the script. A difference stops the step,
// but in a rehearsal.
func (a *environment) compare(s *ceremony.Session, env *audit.Environment, devices map[string][]audit.Device) error {
	if a.Expect == nil {
		return nil
	}
	compared, differs := a.Expect.Compare(env, devices)
	d := &audit.MachineCheck{Compared: compared, Differs: differs, Stops: !s.Rehearsal()}
	if len(differs) == 0 {
		s.Show(room.Fact{Name: "as the script says", Value: strings.Join(compared, ", ")})
	} else {
		s.Show(room.Warning{Text: "The machine is not as the script says:\n" + strings.Join(differs, "\n")})
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	if len(differs) == 0 {
		return nil
	}
	if s.Rehearsal() {
		s.Show(room.Text{Text: "This is a rehearsal, which may be held on any machine: it goes on. A ceremony would stop here."})
		return nil
	}
	return fmt.Errorf("the machine is not as the script says: %s", strings.Join(differs, "; "))
}

// outside has the hashes that were taken elsewhere read aloud and typed back. One
// that differs stops the step, in a rehearsal too.
func (a *environment) outside(s *ceremony.Session, env *audit.Environment) error {
	if len(a.Outside) == 0 {
		return nil
	}
	s.Show(room.Text{Text: fmt.Sprintf("Now %s reads from the other machine, or from the paper that was written there, and not from this screen. %s types what is heard: hex digits or words.",
		s.Script().Shown(s.Who(a.OutsideReader)), s.Script().Shown(s.Who(a.OutsideTypist)))})
	for _, what := range a.Outside {
		name, sum := outsideName(what), env.Program.SHA256
		switch what {
		case "module":
			sum = env.Module.SHA256
		case "image":
			if env.Image == nil { // a rehearsal without one
				continue
			}
			sum = env.Image.SHA256
		}
		r := ceremony.Reading{What: name, Prompt: "outside-" + what, Reader: a.OutsideReader, Typist: a.OutsideTypist, Expected: sum, Compared: ceremony.ComparedMachine}
		if _, err := s.TypedBack(r); err != nil {
			return err
		}
	}
	return nil
}

// outsideName is how an entry calls a hash taken from outside.
func outsideName(what string) string {
	return "SHA-256 of the " + map[string]string{"program": "program keyrite", "module": "PKCS#11 module", "image": "image"}[what] + ", taken from outside"
}

// hexWords are the PGP words for bytes in hex, "" for what is no hex.
func hexWords(sum string) string {
	b, err := hex.DecodeString(sum)
	if err != nil {
		return ""
	}
	return strings.Join(audit.Words(b), " ")
}
