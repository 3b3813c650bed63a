package verify

import (
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// maxHeld bounds what is kept of a log's entries in memory: the bytes of those
// entries that later checks need.
const maxHeld = 64 << 20

// facts are what a log says, taken in entry by entry. Its findings go to the
// report only if this store turns out to be the log (see choose).
type facts struct {
	v        *verifier
	file     string
	findings []Finding
	found    map[Code]int // findings by code, those left out included
	checks   []Check
	entries  int64
	held     int
	tooMuch  bool

	root audit.Hash // over all entries
	at   audit.Hash // over the entries that the final checkpoint signs
	size int64

	open            *audit.LogOpen
	openedAt        time.Time
	last            time.Time
	lastSeq         int64
	segments        []Segment
	close           *audit.Close
	aborted         bool
	because         string         // the reason given for an abort
	plan            map[string]int // step id → index in open.Plan
	steps           map[string]*stepFacts
	roster          map[string]bool // ids of the participants
	rollCall        bool            // a roll call is done
	begun           []begun
	now             attempt               // the step that runs
	before          string                // kind of the entry before
	running         string                // id of the running step
	ended           string                // id of the step that ended last
	doubted         map[int64]doubtedCall // by the intent's seq
	pending         map[int64]*call
	inCall          int64 // seq of the last intent
	callsMade       int64
	randoms         map[int64]string // bytes by the outcome's seq, hex
	tbs             map[int64]*audit.ToBeSigned
	signs           []signing
	keys            map[string]*audit.Key
	artifacts       []artifact
	requests        []*audit.CSR
	files           map[string]logged
	attendance      map[string]*audit.Attendance
	verdicts        []witnessed
	scriptApprovals []scriptApproved
	heads           []spoken
	keyOf           map[string]*audit.WitnessKey // by participant, as bound at the roll call
	exposed         map[string]exposedKey        // witnesses' keys that were unlocked on the ceremony machine, by public key
	cosigned        []recordedLine
	pages           []committed
	made            made
	backups         backups
	signed          signedFacts
	hidden          hiddenEntries
	quorum          quorum
	acts            acts
	drill           drilled
	tries           tryFacts
}

// A stepFacts is what the log says of one step.
type stepFacts struct {
	attempts int
	result   string // of the last attempt; "" while it runs
	skipping bool   // the room decided to leave it out
}

// An artifact is one artifact entry.
type artifact struct {
	seq int64
	*audit.Artifact
}

// A logged file is one that an entry binds.
type logged struct {
	seq  int64
	file audit.File
}

// witnessed is a verdict with its place.
type witnessed struct {
	seq  int64
	step string
	*audit.Verdict
}

// A spoken head is a root that an entry speaks of.
type spoken struct {
	seq  int64
	size int64
	head string
	what string
}

// committed is one transcript entry.
type committed struct {
	seq     int64
	segment int
	*audit.Transcript
}

func newFacts(v *verifier, file string) *facts {
	return &facts{
		v: v, file: file,
		plan: map[string]int{}, steps: map[string]*stepFacts{}, pending: map[int64]*call{}, doubted: map[int64]doubtedCall{},
		randoms: map[int64]string{}, tbs: map[int64]*audit.ToBeSigned{}, keys: map[string]*audit.Key{},
		found: map[Code]int{}, roster: map[string]bool{}, keyOf: map[string]*audit.WitnessKey{},
		exposed: map[string]exposedKey{}, files: map[string]logged{}, attendance: map[string]*audit.Attendance{}, made: newMade(), backups: backups{copies: map[string]*audit.KeyUnwrap{}, sent: map[int64]sentCommand{}}, quorum: newQuorum(), tries: newTryFacts(),
	}
}

// origin returns the log's origin, "" before the first entry.
func (f *facts) origin() string {
	if f.open == nil {
		return ""
	}
	return f.open.Origin
}

// find notes a finding about an entry. Of one code only so many are kept as a
// report holds: no number of them hides one of another code.
func (f *facts) find(code Code, seq int64, what, expected, found string) {
	if f.found[code]++; f.found[code] > MaxFindings {
		return
	}
	f.findings = append(f.findings, Finding{
		Code: code, Weight: code.weight(), File: f.file, Entry: seq, Offset: -1,
		What: shorten(what), Expected: shorten(expected), Found: shorten(found),
	})
}

// hold counts an entry that is kept; it reports false if that is too much.
func (f *facts) hold(seq int64, size int) bool {
	f.held += size
	if f.held <= f.v.limit() {
		return true
	}
	if !f.tooMuch {
		f.find(TooMuch, seq, "more keys, artifacts and signatures than any ceremony makes; what follows is not looked at", fmt.Sprintf("%d bytes", f.v.limit()), "")
		f.tooMuch = true
	}
	return false
}

// A state is the log before an entry.
type state interface {
	Size() int64
	Root() audit.Hash
}

// take reads one entry of size bytes. log is the log before it.
func (f *facts) take(e *audit.Entry, size int, log state) {
	if f.close != nil {
		f.find(AfterClose, e.Seq, "an entry follows the one that closes the log", "nothing", e.Kind())
	}
	if _, first := e.Data.(*audit.LogOpen); first != (f.entries == 0) {
		f.find(LogGrammar, e.Seq, "log-open is the first entry and only that", "", e.Kind())
	}
	if e.Time.Before(f.last) {
		f.find(TimeGoesBack, e.Seq, "the entry is earlier than the one before it", f.last.Format(time.RFC3339Nano), e.Time.Format(time.RFC3339Nano))
	}
	f.entries++
	f.last, f.lastSeq = e.Time, e.Seq
	if _, opens := e.Data.(*audit.SegmentOpen); !opens && len(f.segments) > 0 {
		f.segments[len(f.segments)-1].Last = e.Seq
	}
	f.inStep(e)
	f.takeQuorum(e, size)
	f.takeStep(e)
	f.takeMade(e, size)
	f.takeOrigin(e, size)
	f.takeDestroyed(e, size)
	f.takeBackup(e, size)
	f.takeWitnessed(e)
	f.takeSigned(e, size)
	f.takeActs(e, size)
	f.takeTries(e, size)
	switch e.Data.(type) {
	case *audit.HSMIntent, *audit.HSMOutcome, *audit.HSMUnknown:
		f.takeCall(e, size)
	case *audit.ToBeSigned, *audit.Key, *audit.Artifact, *audit.CSR, *audit.Transcript, *audit.Attendance, *audit.Verdict, *audit.ScriptApproval:
		if f.hold(e.Seq, size) {
			f.takeHeld(e, log)
		}
	default:
		f.takeCourse(e, log)
	}
	f.before = e.Kind()
}

// takeHeld reads an entry that later checks need.
func (f *facts) takeHeld(e *audit.Entry, log state) {
	switch d := e.Data.(type) {
	case *audit.ScriptApproval:
		f.takeScriptApproval(e, d)
	case *audit.ToBeSigned:
		f.tbs[e.Seq] = d
		f.bind(e.Seq, d.TBS)
	case *audit.Key:
		f.keys[d.Name] = d
		f.takeJudgements(e, d)
	case *audit.Artifact:
		f.artifacts = append(f.artifacts, artifact{e.Seq, d})
		f.bind(e.Seq, d.File)
	case *audit.CSR:
		f.requests = append(f.requests, d)
		f.bind(e.Seq, d.File)
	case *audit.Transcript:
		if n := len(f.pages); n > 0 && f.pages[n-1].segment != len(f.segments)-1 {
			f.pages = nil // a run that broke off at its end commits anew
		}
		f.pages = append(f.pages, committed{e.Seq, len(f.segments) - 1, d})
		f.heads = append(f.heads, spoken{e.Seq, d.Size, d.Head, "the transcript"})
	case *audit.Attendance:
		f.attendance[d.Person] = d
	case *audit.Verdict:
		f.takeVerdict(e, d)
		f.verdicts = append(f.verdicts, witnessed{e.Seq, e.Step, d})
		f.heads = append(f.heads, spoken{e.Seq, d.Size, d.Head, "the verdict of " + d.Person})
	}
}

// bind notes the file that an entry speaks of. Two entries may speak of one
// file only if they mean the same bytes.
func (f *facts) bind(seq int64, file audit.File) {
	if old, ok := f.files[file.Name]; ok && old.file != file {
		f.find(ArtifactDiffers, seq, fmt.Sprintf("the log binds %q twice, to different bytes (before in entry %d)", file.Name, old.seq), old.file.SHA256, file.SHA256)
		return
	}
	f.files[file.Name] = logged{seq, file}
}

// finish makes the checks that need the whole log, and hands over the
// findings.
func (f *facts) finish() {
	r := f.v.report
	count := func(name, of string, n int64, codes ...Code) {
		c := Check{Name: name, Of: of, Count: n, Result: "holds"}
		for _, x := range f.findings {
			for _, code := range codes {
				if x.Code == code && x.Weight == Failure {
					c.Result = "fails"
				}
			}
		}
		f.checks = append(f.checks, c)
	}
	f.finishSteps()
	f.finishCalls()
	f.finishTries()
	count("course of the ceremony", "entries", f.entries, LogGrammar, AfterClose, SegmentCheckpoint, SegmentAdoption, KeyNotRead, StepOrder, StepMissing, AckMissing, QuorumNotMet, ModeDiffers, OriginDiffers)
	count("PKCS#11 calls", "calls", f.callsMade, CallWithoutOutcome, CallOutcome, CallWithoutStep, FunctionUnknown, SecretRecorded)
	count("tries of the PINs", "tokens", int64(len(f.tries.balanced)), TryLedgerDiffers)
	for _, x := range f.findings {
		r.add(x)
	}
	for code, n := range f.found {
		r.leaveOut(code, n-MaxFindings)
	}
}
