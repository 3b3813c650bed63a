package ceremony

import (
	"cmp"
	"maps"
	"slices"

	"github.com/keyrite/keyrite/audit"
)

// A State is what the log says has happened. It is built from entries alone,
// one at a time, while a ceremony runs and again when it is resumed, so that a
// run never knows more than its log.
type State struct {
	Open      *audit.LogOpen
	Segment   int
	LogKeys   []string // verifier key of each segment
	KeyRead   bool     // the running segment's key was read aloud
	Steps     map[string]*StepState
	Present   map[string]bool // nil before the roll call
	Absent    map[string]bool
	Tokens    map[string]*audit.Token // last identification, by name
	Keys      map[string]*audit.Key
	Artifacts map[string]*audit.Artifact // by file name
	Paused    bool
	Aborted   bool
	Closed    bool

	intents map[int64]*audit.HSMIntent
	open    map[int64]*Pending // intents without an outcome
	signed  map[string]*Signed // by artifact, from to-be-signed entries
	tbs     map[int64]string   // seq of to-be-signed → artifact
}

// A Pending is an HSM call of which nobody knows whether it happened.
type Pending struct {
	Seq    int64
	Step   string
	Intent *audit.HSMIntent
}

// A StepState is what the log says of a step.
type StepState struct {
	Attempts int
	Result   string // of the last attempt; "" while it runs
	// calls that succeeded (or that the room found to have happened) since the
	// step began or was last repeated on purpose
	happened map[string]int64
	kinds    map[string]int // entries of each kind since then
}

// A Signed is an object announced for signing and, once made, its signature.
type Signed struct {
	Seq       int64 // of the to-be-signed entry
	TBS       *audit.ToBeSigned
	Signature string // hex, as the token gave it; "" if none was made
	SignSeq   int64  // of the C_Sign outcome
}

// NewState returns the state before the first entry.
func NewState() *State {
	return &State{
		Steps:     map[string]*StepState{},
		Absent:    map[string]bool{},
		Tokens:    map[string]*audit.Token{},
		Keys:      map[string]*audit.Key{},
		Artifacts: map[string]*audit.Artifact{},
		intents:   map[int64]*audit.HSMIntent{},
		open:      map[int64]*Pending{},
		signed:    map[string]*Signed{},
		tbs:       map[int64]string{},
	}
}

// Step returns what is known of a step, never nil.
func (st *State) Step(id string) *StepState {
	s := st.Steps[id]
	if s == nil {
		s = &StepState{}
		s.reset()
		st.Steps[id] = s
	}
	return s
}

func (s *StepState) reset() {
	s.happened = map[string]int64{}
	s.kinds = map[string]int{}
}

// Happened returns the entry of the last call of function in this step that
// succeeded, or that the room found to have happened, since the step began or
// was repeated on purpose; ok is false if there is none.
func (s *StepState) Happened(function string) (seq int64, ok bool) {
	seq, ok = s.happened[function]
	return seq, ok
}

// Wrote reports whether the step has written an entry of the kind since it
// began or was repeated on purpose.
func (s *StepState) Wrote(kind string) bool { return s.kinds[kind] > 0 }

// Signed returns what was announced last for signing under an artifact's name,
// or nil.
func (st *State) Signed(artifact string) *Signed { return st.signed[artifact] }

// Pending returns the calls with an intent and no outcome, oldest first.
func (st *State) Pending() []*Pending {
	list := slices.Collect(maps.Values(st.open))
	slices.SortFunc(list, func(a, b *Pending) int { return cmp.Compare(a.Seq, b.Seq) })
	return list
}

// Apply takes one more entry of the log into the state.
func (st *State) Apply(e *audit.Entry) {
	if e.Step != "" {
		st.Step(e.Step).kinds[e.Kind()]++
	}
	switch d := e.Data.(type) {
	case *audit.LogOpen:
		st.Open = d
		st.LogKeys = append(st.LogKeys, d.LogKey)
	case *audit.SegmentOpen:
		st.Segment, st.KeyRead, st.Paused = d.Segment, false, false
		st.LogKeys = append(st.LogKeys, d.LogKey)
	case *audit.KeyRead:
		st.KeyRead = true
	case *audit.Pause:
		st.Paused = true
	case *audit.Abort:
		st.Aborted = true
	case *audit.Close:
		st.Closed = true
	default:
		st.applyStep(e)
		st.applyMade(e)
		st.applyCall(e)
	}
}

// applyStep takes entries about steps and people.
func (st *State) applyStep(e *audit.Entry) {
	s := st.Step(e.Step)
	switch d := e.Data.(type) {
	case *audit.StepBegin:
		s.Attempts, s.Result = d.Attempt, ""
	case *audit.StepEnd:
		s.Result = d.Result
	case *audit.Deviation:
		if d.Effect == EffectRepeat {
			s.reset()
		}
	case *audit.Attendance:
		if st.Present == nil {
			st.Present = map[string]bool{}
		}
		st.Present[d.Person] = d.Present
		st.Absent[d.Person] = !d.Present
	}
}

// applyMade takes entries about what exists now.
func (st *State) applyMade(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.Token:
		st.Tokens[d.Name] = d
	case *audit.Key:
		st.Keys[d.Name] = d
	case *audit.Artifact:
		st.Artifacts[d.File.Name] = d
	case *audit.ToBeSigned:
		st.signed[d.For] = &Signed{Seq: e.Seq, TBS: d}
		st.tbs[e.Seq] = d.For
	}
}

// applyCall takes entries about HSM calls.
func (st *State) applyCall(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		st.intents[e.Seq] = d
		st.open[e.Seq] = &Pending{Seq: e.Seq, Step: e.Step, Intent: d}
	case *audit.HSMOutcome:
		in := st.intents[d.Intent]
		delete(st.open, d.Intent)
		if d.RV == "CKR_OK" {
			st.succeeded(e, in, d)
		}
	case *audit.HSMUnknown:
		in := st.intents[d.Intent]
		delete(st.open, d.Intent)
		if d.Decided == Happened && in != nil {
			st.Step(e.Step).happened[in.Function] = e.Seq
		}
	}
}

func (st *State) succeeded(e *audit.Entry, in *audit.HSMIntent, out *audit.HSMOutcome) {
	st.Step(e.Step).happened[out.Function] = e.Seq
	if out.Function != "C_Sign" || in == nil {
		return
	}
	if s := st.signed[st.tbs[in.For]]; s != nil && s.Seq == in.For {
		s.Signature, s.SignSeq = out.Signature, e.Seq
	}
}

// Results of a step.
const (
	Done    = "done"
	Failed  = "failed"
	Skipped = "skipped"
)

// Effects of a deviation.
const (
	EffectNone   = "none"
	EffectSkip   = "skip"
	EffectRepeat = "repeat"
)

// What the room can find about a call whose outcome is unknown.
const (
	Happened      = "it happened"
	DidNotHappen  = "it did not happen"
	CannotBeKnown = "cannot be known"
)
