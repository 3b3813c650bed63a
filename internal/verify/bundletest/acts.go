package bundletest

import (
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// actSteps are the steps of a ceremony with Acts, with the fields that the
// script has for them. They come after the roll call.
var actSteps = []struct {
	step   audit.PlanStep
	fields string
}{
	{audit.PlanStep{ID: "machine", Kind: "environment", Title: "Machine"}, `    clock_reader: wil
    outside: [program, module]
    outside_reader: ewa
    outside_typist: wil
    expect:
      network: none
      kernel: 6.1.0-42-amd64
      buses: [usb]
      devices:
        - {bus: usb, id: "20a0:4230", required: true}
`},
	{audit.PlanStep{ID: "bags", Kind: "materials", Title: "Bags"}, `    way: in
    items:
      - {name: token, bag: "A 17", seal: "S-9"}
      - {name: sheet}
    reader: ada
    typist: wil
`},
	{audit.PlanStep{ID: "film", Kind: "evidence", Title: "Film"}, "    form: video\n    shows: the bags\n    by: ewa\n"},
	{audit.PlanStep{ID: "leave", Kind: "custody", Title: "Custody"}, `    items:
      - {item: token, bag: asked, holder: oto, place: safe 1}
      - {item: sheet, holder: ada, place: safe 2}
`},
	{audit.PlanStep{ID: "clock", Kind: "clock", Title: "Clock"}, "    clock_reader: wil\n"},
}

// actPlan are the steps of a ceremony with Acts.
func (b *Builder) actPlan() []audit.PlanStep {
	var plan []audit.PlanStep
	if b.Acts {
		for _, s := range actSteps {
			plan = append(plan, s.step)
		}
	}
	return plan
}

// actFields are a step's own fields in the script, "" for none.
func actFields(id string) string {
	for _, s := range actSteps {
		if s.step.ID == id {
			return s.fields
		}
	}
	return ""
}

// act writes what happens in those steps.
func (b *Builder) act() {
	if !b.Acts {
		return
	}
	sum := program.SHA256
	module := strings.Repeat("1", 64)
	b.begin("machine")
	b.Add(&audit.Environment{Program: program, Module: audit.File{Name: "/usr/lib/m.so", SHA256: module, Size: 1}, Kernel: "Linux 6.1.0-42-amd64 #1",
		Release: "6.1.0-42-amd64", Cmdline: "ro quiet", Interfaces: []audit.Interface{{Name: "lo", Up: true}}, CoreLimit: "0/0"})
	b.Add(&audit.Devices{Bus: "usb", Of: 1, First: 1, List: []audit.Device{{At: "1-1", ID: "20a0:4230", Name: "Example Reader"}}})
	b.Add(&audit.MachineCheck{Compared: []string{"network", "kernel", "usb"}, Differs: []string{}, Stops: b.Mode == audit.ModeProduction})
	b.Add(&audit.ReadBack{Person: "oto", What: "the SHA-256 of the program keyrite", Value: sum, Match: true, Typed: strings.ToUpper(sum) + " "})
	for _, x := range []struct{ what, value string }{{"program keyrite", sum}, {"PKCS#11 module", module}} {
		b.Add(&audit.TypedBack{What: "SHA-256 of the " + x.what + ", taken from outside", Value: x.value, Reader: "ewa", Person: "wil", Compared: "what the machine says of itself"})
	}
	first := b.Add(&audit.Clock{Person: "wil", Machine: "2026-11-25T09:05:00Z", Room: "2026-11-25T09:04:59Z", OffsetMS: 1000})
	b.end("done")
	b.begin("bags")
	for _, x := range []struct{ what, value string }{{"bag of token", "A 17"}, {"seal of token", "S-9"}, {"bag of sheet", "B 4"}} {
		b.Add(&audit.TypedBack{What: "number of the " + x.what, Value: x.value, Reader: "ada", Person: "wil", Compared: "the script"})
	}
	b.end("done")
	b.begin("film")
	b.Add(&audit.Evidence{Form: "video", ID: "card 1", TimeCode: "00:01", Shows: "the bags", Person: "ewa"})
	b.end("done")
	b.begin("leave")
	b.Add(&audit.Custody{Item: "token", Bag: "C 1", Person: "oto", Place: "safe 1"})
	b.Add(&audit.Custody{Item: "sheet", Bag: "none", Person: "ada", Place: "safe 2"})
	b.end("done")
	b.begin("clock")
	b.Add(&audit.ClockJump{WallMS: 5000, MonotonicMS: 1000})
	last := b.Add(&audit.Clock{Person: "wil", Machine: "2026-11-25T09:15:00Z", Room: "2026-11-25T09:14:57Z", OffsetMS: 3000})
	b.Add(&audit.Drift{First: first, Last: last, DriftMS: 2000, LimitMS: 10000, Jumps: 1, JumpsMS: 4000})
	b.end("done")
}
