package verify

import (
	"maps"
	"slices"

	"github.com/keyrite/keyrite/audit"
)

// An acted attempt of a step is what the log says was seen, read, taken or
// filmed in it.
type acted struct {
	step   string
	begin  int64 // seq of its step-begin
	end    int64 // seq of its step-end
	result string
	stands map[string]string // who took whose place

	env     *audit.Environment
	devices map[string][]audit.Device
	checks  []machineChecked
	heard   []heard
	custody []*audit.Custody
	filmed  []*audit.Evidence
	exports []*audit.Export
	csr     *audit.CSR
	serials map[string]string // tokens' serial numbers, by name
}

// machineChecked is a machine-check entry with its place.
type machineChecked struct {
	seq int64
	*audit.MachineCheck
}

// heard is what one person read and another typed.
type heard struct {
	seq     int64
	what    string
	value   string
	typed   string // "" if it was value letter by letter
	reader  string // "" for the step's actor
	person  string
	matches bool
	back    bool // a read-back entry; else a typed-back one
}

// A clockTaken is a clock entry, or a jump.
type clockTaken struct {
	seq  int64
	step string
	ms   int64
}

// acts are what people did with their eyes, ears and hands, by attempt.
type acts struct {
	all    []*acted
	now    *acted // of the running attempt; nil outside a step
	clocks []clockTaken
	jumps  []clockTaken
}

// takeActs reads one entry of size bytes.
func (f *facts) takeActs(e *audit.Entry, size int) {
	switch d := e.Data.(type) {
	case *audit.StepBegin:
		f.acts.now = &acted{step: e.Step, begin: e.Seq, stands: maps.Clone(f.quorum.stands), devices: map[string][]audit.Device{}, serials: map[string]string{}}
	case *audit.StepEnd:
		if now := f.acts.now; now != nil && now.step == e.Step && f.hold(e.Seq, len(e.Step)+128) {
			now.end, now.result = e.Seq, d.Result
			f.acts.all = append(f.acts.all, now)
		}
		f.acts.now = nil
	case *audit.Clock:
		if f.hold(e.Seq, size) {
			f.acts.clocks = append(f.acts.clocks, clockTaken{e.Seq, e.Step, d.OffsetMS})
		}
	case *audit.ClockJump:
		if f.hold(e.Seq, size) {
			f.acts.jumps = append(f.acts.jumps, clockTaken{e.Seq, e.Step, d.WallMS - d.MonotonicMS})
		}
	case *audit.Drift:
		f.takeDrift(e, d)
	default:
		if f.acts.now != nil && f.acts.now.step == e.Step {
			f.takeAct(e, size)
		}
	}
}

// takeAct reads an entry of the running attempt.
func (f *facts) takeAct(e *audit.Entry, size int) {
	switch e.Data.(type) {
	case *audit.Environment, *audit.Devices, *audit.MachineCheck, *audit.ReadBack, *audit.TypedBack, *audit.Custody, *audit.Evidence, *audit.Export, *audit.CSR, *audit.Token:
		if !f.hold(e.Seq, size) {
			return
		}
	}
	now := f.acts.now
	switch d := e.Data.(type) {
	case *audit.Environment:
		now.env = d
	case *audit.Devices:
		now.devices[d.Bus] = append(now.devices[d.Bus], d.List...)
	case *audit.MachineCheck:
		now.checks = append(now.checks, machineChecked{e.Seq, d})
	case *audit.ReadBack:
		now.heard = append(now.heard, heard{seq: e.Seq, what: d.What, value: d.Value, typed: d.Typed, person: d.Person, matches: d.Match, back: true})
	case *audit.TypedBack:
		now.heard = append(now.heard, heard{seq: e.Seq, what: d.What, value: d.Value, typed: d.Typed, reader: d.Reader, person: d.Person, matches: true})
	case *audit.Custody:
		now.custody = append(now.custody, d)
	case *audit.Evidence:
		now.filmed = append(now.filmed, d)
	case *audit.Export:
		now.exports = append(now.exports, d)
	case *audit.CSR:
		now.csr = d
	case *audit.Token:
		now.serials[d.Name] = d.Info.Serial
	}
}

// takeDrift computes the drift of the two clocks again, and counts the jumps.
func (f *facts) takeDrift(e *audit.Entry, d *audit.Drift) {
	want := audit.Drift{LimitMS: d.LimitMS}
	if n := len(f.acts.clocks); n > 0 {
		first, last := f.acts.clocks[0], f.acts.clocks[n-1]
		for _, c := range f.acts.clocks[:n-1] {
			if c.step == first.step {
				first = c
			}
		}
		want.First, want.Last, want.DriftMS = first.seq, last.seq, last.ms-first.ms
		for _, j := range f.acts.jumps {
			if j.seq > first.seq {
				want.Jumps++
				want.JumpsMS += j.ms
			}
		}
	}
	if *d != want {
		f.unless(f.hidden.between(0, e.Seq), DriftDiffers, e.Seq, "the drift of the clocks or the number of jumps is not that of the entries before", driftText(&want), driftText(d))
	}
	if d.DriftMS > d.LimitMS || d.DriftMS < -d.LimitMS {
		f.find(ClockOffset, e.Seq, "the two clocks drifted apart by more than the script allows", driftText(&audit.Drift{LimitMS: d.LimitMS}), driftText(d))
	}
}

// who returns who acts in the place of a participant in an attempt.
func (a *acted) who(id string) string {
	if other := a.stands[id]; other != "" {
		return other
	}
	return id
}

// exported returns what was written to a folder in an attempt, sorted by name;
// nil if nothing was.
func (a *acted) exported(folder string) []audit.File {
	for _, x := range slices.Backward(a.exports) {
		if x.Destination == folder {
			return x.Files
		}
	}
	return nil
}
