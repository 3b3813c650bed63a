package ceremony

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/tries"
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
	RollCall  bool                       // a roll call is done
	Clocks    []ClockRead                // comparisons with a second clock
	Jumps     []Jump                     // of the machine's clock

	WitnessKeys map[string]*audit.WitnessKeyRead // by participant
	Backup      *Backup                          // of keys, under a DKEK
	Place       *audit.Place                     // as the last run read it; nil if there was no place file
	Approvals   []*audit.ScriptApproval          // in the log's order
	Exposed     map[string]string                // witnesses' keys that were unlocked on this machine: key file by public key, hex

	Used    bool // C_Initialize was called: a token may hold something
	InUse   bool // C_Initialize succeeded and C_Finalize did not yet
	Paused  bool
	Aborted bool
	Closed  bool

	looks    map[string]*looked // what was last seen of each token's counters, by serial number
	sessions int                // that this program has open

	fresh  map[string][]string // new PINs accepted in a step
	pinSet map[string]bool     // PINs that a call of this log has set, by token and kind

	shareSets   map[string][]*ShareSet // of which somebody saw a share, in order, by token and kind
	sharesInUse map[string]*ShareSet   // of the PIN that is set

	intents map[int64]*audit.HSMIntent
	open    map[int64]*Pending // intents without an outcome
	tries   *spentTries        // what calls have spent of the PINs
	ledger  *tries.Ledger      // what each PIN had, and what became of it
	told    toldTries          // the differences that the room has heard of
	kinds   map[string]string  // kind of each step of the plan
	away    map[string]bool    // who left the room and is not back
	stands  map[string]string  // who takes whose place: by the absent one's id
	phrased map[string]bool    // who has set a passphrase, in any segment
	running string             // the step that has begun last

	toldUnapproved bool // a rehearsal has said that approvals are missing

	signed map[string]*Signed // by artifact, from to-be-signed entries
	tbs    map[int64]string   // seq of to-be-signed → artifact
}

// A ClockRead is a comparison with a second clock, with its entry and step.
type ClockRead struct {
	Seq  int64
	Step string
	*audit.Clock
}

// A Jump is one of the machine's clock, with its entry.
type Jump struct {
	Seq int64
	*audit.ClockJump
}

// A Pending is an HSM call of which nobody knows whether it happened.
type Pending struct {
	Seq    int64
	Step   string
	Intent *audit.HSMIntent
	Answer string // the return value, which does not tell; "" if the log has none
}

// A StepState is what the log says of a step.
type StepState struct {
	Attempts int
	Result   string // of the last attempt; "" while it runs
	Skipping bool   // the room decided to leave it out
	Resumed  bool   // it was running when the ceremony paused and went on

	// Since the step began or was last repeated on purpose:
	happened map[string]int64 // calls that succeeded
	said     map[string]int64 // calls whose outcome is not in the log, that the room says happened
	kinds    map[string]int   // entries of each kind

	approved map[act]bool // who approved what
	wrong    map[act]int  // wrong passphrases typed for it

	attempted map[string]int64 // calls with an intent, ever

	doubts map[string]*doubt // by function: the last call of which it is not known whether it happened
}

// A Signed is an object announced for signing and, once made, its signature.
type Signed struct {
	Seq       int64 // of the to-be-signed entry
	When      time.Time
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

		Backup:      newBackup(),
		WitnessKeys: map[string]*audit.WitnessKeyRead{},
		Exposed:     map[string]string{},

		fresh:  map[string][]string{},
		pinSet: map[string]bool{},

		shareSets:   map[string][]*ShareSet{},
		sharesInUse: map[string]*ShareSet{},

		looks:   map[string]*looked{},
		tries:   newTries(),
		ledger:  tries.New(),
		told:    newToldTries(),
		kinds:   map[string]string{},
		away:    map[string]bool{},
		stands:  map[string]string{},
		phrased: map[string]bool{},
		intents: map[int64]*audit.HSMIntent{},
		open:    map[int64]*Pending{},
		signed:  map[string]*Signed{},
		tbs:     map[int64]string{},
	}
}

// Step returns what is known of a step, never nil.
func (st *State) Step(id string) *StepState {
	s := st.Steps[id]
	if s == nil {
		s = &StepState{attempted: map[string]int64{}}
		s.reset()
		st.Steps[id] = s
	}
	return s
}

func (s *StepState) reset() {
	s.happened = map[string]int64{}
	s.said = map[string]int64{}
	s.kinds = map[string]int{}
	s.approved = map[act]bool{}
	s.wrong = map[act]int{}
	s.doubts = map[string]*doubt{}
}

// Happened returns the outcome of the last call of function, or of the command to a
// card of that name, in this step that succeeded since the step began or was repeated on purpose; ok is false if
// there is none.
func (s *StepState) Happened(function token.Function) (seq int64, ok bool) {
	seq, ok = s.happened[string(function)]
	return seq, ok
}

// Said is Happened for a call whose outcome is not in the log and that, so the
// room says, was carried out: a step has to prove it. seq is that of the
// decision.
func (s *StepState) Said(function token.Function) (seq int64, ok bool) {
	seq, ok = s.said[string(function)]
	return seq, ok
}

// Attempted returns the last intent of function in this step, whatever became
// of it and however often the step was repeated.
func (s *StepState) Attempted(function token.Function) (seq int64, ok bool) {
	seq, ok = s.attempted[string(function)]
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
	st.ledger.Take(e)
	st.told.take(e)
	if e.Step != "" {
		st.Step(e.Step).kinds[e.Kind()]++
	}
	switch d := e.Data.(type) {
	case *audit.LogOpen:
		st.Open = d
		for _, p := range d.Plan {
			st.kinds[p.ID] = p.Kind
		}
		st.LogKeys = append(st.LogKeys, d.LogKey)
	case *audit.SegmentOpen:
		if run := st.Steps[st.running]; run != nil && run.Result == "" {
			run.Resumed = st.Paused
		}
		st.Segment, st.KeyRead, st.Paused, st.sessions = d.Segment, false, false, 0
		st.LogKeys = append(st.LogKeys, d.LogKey)
	case *audit.KeyRead:
		st.KeyRead = true
	case *audit.Place:
		st.Place = d
	case *audit.ScriptApproval:
		st.Approvals = append(st.Approvals, d)
	case *audit.Result:
		st.toldUnapproved = st.toldUnapproved || e.Step == "" && d.Name == unapproved
	case *audit.Pause:
		st.Paused = true
	case *audit.Abort:
		st.Aborted = true
	case *audit.Close:
		st.Closed = true
	default:
		st.applyStep(e)
		st.applyPeople(e)
		st.applyMade(e)
		st.applyCall(e)
		st.applyDoubt(e)
		st.applyLook(e)
		st.Backup.apply(e)
	}
}

// applyStep takes entries about steps and people.
func (st *State) applyStep(e *audit.Entry) {
	s := st.Step(e.Step)
	switch d := e.Data.(type) {
	case *audit.StepBegin:
		s.Attempts, s.Result, st.running = d.Attempt, "", e.Step
	case *audit.StepEnd:
		s.Result = d.Result
		if d.Result == Done && st.kinds[e.Step] == "attendance" {
			st.RollCall = true
		}
	case *audit.Deviation:
		switch d.Effect {
		case EffectRepeat:
			s.reset()
		case EffectSkip:
			s.Skipping = true
		}
	case *audit.Attendance:
		if st.Present == nil {
			st.Present = map[string]bool{}
		}
		st.Present[d.Person] = d.Present
		st.Absent[d.Person] = !d.Present
	case *audit.Secret:
		if d.Use == string(New) && d.Result == accepted {
			st.fresh[e.Step] = append(st.fresh[e.Step], pinName(d.Token, d.Secret))
		}
	case *audit.ShareShown, *audit.Share, *audit.ShareVoid:
		st.applyShares(d)
	case *audit.WitnessKeyRead:
		st.WitnessKeys[d.Person] = d
	case *audit.WitnessKeyExposed:
		if k, err := audit.ParseWitnessKey(d.Key); err == nil {
			st.Exposed[publicHex(k)] = d.File
		}
	}
}

// applyMade takes entries about what exists now.
func (st *State) applyMade(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.Token:
		st.Tokens[d.Name] = d
	case *audit.Key:
		st.Keys[d.Name] = d
	case *audit.Clock:
		st.Clocks = append(st.Clocks, ClockRead{e.Seq, e.Step, d})
	case *audit.ClockJump:
		st.Jumps = append(st.Jumps, Jump{e.Seq, d})
	case *audit.Destroyed:
		for name, k := range st.Keys {
			if k.Token == d.Token && (d.Key == "" || d.Key == name) {
				delete(st.Keys, name)
			}
		}
	case *audit.Artifact:
		st.Artifacts[d.File.Name] = d
	case *audit.ToBeSigned:
		st.signed[d.For] = &Signed{Seq: e.Seq, When: e.Time, TBS: d}
		st.tbs[e.Seq] = d.For
	}
}

// applyCall takes entries about HSM calls.
func (st *State) applyCall(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		st.intents[e.Seq] = d
		st.Step(e.Step).attempted[deed(d)] = e.Seq
		st.Used = st.Used || d.Function == string(token.Initialize)
		st.open[e.Seq] = &Pending{Seq: e.Seq, Step: e.Step, Intent: d}
		st.sendShares(e.Step, d.Function, true)
	case *audit.HSMOutcome:
		in := st.intents[d.Intent]
		delete(st.open, d.Intent)
		st.tries.count(st, in, d.RV)
		if slices.Contains(nothingSet, d.RV) {
			st.sendShares(e.Step, d.Function, false)
		}
		if d.OK() {
			st.succeeded(e, in, d)
		}
	case *audit.HSMUnknown:
		in := st.intents[d.Intent]
		delete(st.open, d.Intent)
		if d.Decided == Happened && in != nil {
			st.Step(e.Step).said[deed(in)] = e.Seq
			st.setPINs(e.Step, in.Function)
		}
		if d.Decided == DidNotHappen && in != nil {
			st.sendShares(e.Step, in.Function, false)
		}
	}
}

// setPINs notes that the new PINs of a step are those in use, once a call that
// sets one was made.
func (st *State) setPINs(step, function string) {
	if !setsPIN(function) {
		return
	}
	for _, name := range st.fresh[step] {
		st.pinSet[name] = true
		st.sharesInUse[name] = st.dealt(name)
	}
	delete(st.fresh, step)
}

// deed is what a call is known by to its step: its function, of a command to a card
// the command's name.
func deed(in *audit.HSMIntent) string { return cmp.Or(in.Command, in.Function) }

func pinName(tokenName, kind string) string { return tokenName + "\n" + kind }

// PINSet reports whether a PIN of a token was set in this ceremony: then it is
// its custodians' own.
func (st *State) PINSet(tokenName string, kind token.PINKind) bool {
	return st.pinSet[pinName(tokenName, kind.String())]
}

func (st *State) succeeded(e *audit.Entry, in *audit.HSMIntent, out *audit.HSMOutcome) {
	if in != nil && (in.Command == "" || out.Status == apdu.OK.String()) {
		st.Step(e.Step).happened[deed(in)] = e.Seq
	}
	st.setPINs(e.Step, out.Function)
	switch out.Function {
	case string(token.Initialize):
		st.InUse = true
	case string(token.Finalize):
		st.InUse = false
	}
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
