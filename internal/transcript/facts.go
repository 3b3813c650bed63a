package transcript

import (
	"sort"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// facts are what the cover, the steps and the annex need to know of the whole
// log, gathered in one pass.
type facts struct {
	src      Source
	open     *audit.LogOpen // nil if the log has none
	segments []segment
	intents  map[int64]*audit.HSMIntent
	outcomes map[int64]*audit.HSMOutcome // by their intent
	unknown  map[int64]*audit.HSMUnknown // by their intent
	tbs      map[int64]*audit.ToBeSigned
	present  map[string]*audit.Attendance
	verdicts map[string][]*audit.Entry
	approved []*audit.Entry // of the script
	refusals map[string][]*audit.Entry
	keyOf    map[string]*audit.WitnessKeyRead
	cosigned map[string][]*audit.Cosigned
	exposed  map[string]int64 // witness keys that were unlocked on the ceremony machine, and the entry that says so first; by publicPart
	fresh    []*audit.Freshness

	begun                 map[string]bool // step ids
	done, skipped, failed int             // ended attempts
	calls, refused        int             // outcomes, and those other than CKR_OK
	problems, clockJumps  int
	signatures            map[string]int // by key
	deviations            []*audit.Entry
	keys, artifacts       []*audit.Entry
	origins               map[string]*audit.KeyOrigin // by key
	abort                 *audit.Entry
}

// A segment is one run of the program with its own log key.
type segment struct {
	number    int
	key       string
	reason    string // why it began: "", "pause" or "break"
	entry     int64
	from, to  time.Time // when nobody observed, before it began
	adopt     *audit.SegmentAdopt
	read      *audit.KeyRead
	readEntry int64
}

// unexplained is the key of signatures that no to-be-signed entry announced.
const unexplained = "(not announced)"

func gather(src Source) *facts {
	f := &facts{
		src:        src,
		intents:    map[int64]*audit.HSMIntent{},
		outcomes:   map[int64]*audit.HSMOutcome{},
		unknown:    map[int64]*audit.HSMUnknown{},
		tbs:        map[int64]*audit.ToBeSigned{},
		present:    map[string]*audit.Attendance{},
		verdicts:   map[string][]*audit.Entry{},
		refusals:   map[string][]*audit.Entry{},
		keyOf:      map[string]*audit.WitnessKeyRead{},
		cosigned:   map[string][]*audit.Cosigned{},
		exposed:    map[string]int64{},
		begun:      map[string]bool{},
		signatures: map[string]int{},
		origins:    map[string]*audit.KeyOrigin{},
	}
	for i, e := range src.Entries {
		if s, ok := e.Data.(*audit.SegmentOpen); ok && i > 0 {
			f.addSegment(e, s.Segment, s.LogKey, s.Reason, src.Entries[i-1].Time)
			continue
		}
		f.add(e)
	}
	return f
}

// add takes in one entry.
func (f *facts) add(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.LogOpen:
		if f.open == nil {
			f.open = d
		}
		f.addSegment(e, 0, d.LogKey, "", e.Time)
	case *audit.SegmentOpen:
		f.addSegment(e, d.Segment, d.LogKey, d.Reason, e.Time)
	case *audit.SegmentAdopt:
		if s := f.segment(); s != nil {
			s.adopt = d
		}
	case *audit.KeyRead:
		if s := f.segment(); s != nil {
			s.read, s.readEntry = d, e.Seq
		}
	case *audit.Attendance:
		f.present[d.Person] = d
	case *audit.Verdict:
		f.verdicts[d.Person] = append(f.verdicts[d.Person], e)
	case *audit.Refusal:
		f.refusals[d.Person] = append(f.refusals[d.Person], e)
	case *audit.ScriptApproval:
		f.approved = append(f.approved, e)
	case *audit.WitnessKeyRead:
		f.keyOf[d.Person] = d
	case *audit.Cosigned:
		f.cosigned[d.Person] = append(f.cosigned[d.Person], d)
	case *audit.WitnessKeyExposed:
		if _, known := f.exposed[publicPart(d.Key)]; !known {
			f.exposed[publicPart(d.Key)] = e.Seq
		}
	case *audit.Freshness:
		f.fresh = append(f.fresh, d)
	case *audit.StepBegin:
		f.begun[e.Step] = true
	case *audit.StepEnd:
		f.count(d.Result)
	case *audit.Problem:
		f.problems++
	case *audit.ClockJump:
		f.clockJumps++
	case *audit.Deviation:
		f.deviations = append(f.deviations, e)
	case *audit.Key:
		f.keys = append(f.keys, e)
	case *audit.KeyOrigin:
		f.origins[d.Key] = d
	case *audit.Artifact:
		f.artifacts = append(f.artifacts, e)
	case *audit.Abort:
		f.abort = e
	default:
		f.addCall(e)
	}
}

// publicPart returns the public key in a verifier key, as it stands there.
func publicPart(vkey string) string { return vkey[strings.LastIndexByte(vkey, '+')+1:] }

// addCall takes in an entry about a PKCS#11 call.
func (f *facts) addCall(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.ToBeSigned:
		f.tbs[e.Seq] = d
	case *audit.HSMIntent:
		f.intents[e.Seq] = d
	case *audit.HSMUnknown:
		f.unknown[d.Intent] = d
	case *audit.HSMOutcome:
		f.outcomes[d.Intent] = d
		f.calls++
		if !d.OK() {
			f.refused++
		} else if d.Function == "C_Sign" {
			f.signatures[f.signer(d.Intent)]++
		}
	}
}

// signer returns the key that the C_Sign of an intent used, as announced.
func (f *facts) signer(intent int64) string {
	if i := f.intents[intent]; i != nil {
		if t := f.tbs[i.For]; t != nil {
			return t.Key
		}
	}
	return unexplained
}

func (f *facts) count(result string) {
	switch result {
	case "done":
		f.done++
	case "skipped":
		f.skipped++
	default:
		f.failed++
	}
}

func (f *facts) addSegment(e *audit.Entry, number int, key, reason string, from time.Time) {
	f.segments = append(f.segments, segment{number: number, key: key, reason: reason, entry: e.Seq, from: from, to: e.Time})
}

// segment returns the running segment, nil before the first.
func (f *facts) segment() *segment {
	if len(f.segments) == 0 {
		return nil
	}
	return &f.segments[len(f.segments)-1]
}

// mode returns the ceremony's mode; if log and script disagree it is a
// rehearsal, which claims less.
func (f *facts) mode() string {
	mode := f.src.Cover.Mode
	if f.open != nil && (mode == "" || f.open.Mode == "rehearsal") {
		mode = f.open.Mode
	}
	return mode
}

// mark returns what stands across every page.
func (f *facts) mark() string {
	var marks []string
	if f.mode() != "production" {
		marks = append(marks, "REHEARSAL")
	}
	if f.abort != nil {
		marks = append(marks, "ABORTED")
	}
	return strings.Join(marks, " – ")
}

// outcome says in words how the ceremony went, as far as the pages can know.
func (f *facts) outcome() string {
	if f.abort != nil {
		return "ABORTED – the ceremony was given up; see the steps"
	}
	if never := f.neverBegun(); len(never) > 0 {
		return "INCOMPLETE – never begun: " + strings.Join(never, ", ")
	}
	return "complete – every step of the script was begun, and nothing was aborted"
}

// neverBegun returns the ids of the script's steps that the log has no
// beginning of.
func (f *facts) neverBegun() []string {
	var ids []string
	for _, s := range f.src.Cover.Steps {
		if !f.begun[s.ID] {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// name returns a participant's name; with the id if it is not on the roster
// under a name of its own.
func (f *facts) name(id string) string {
	name, same := "", 0
	for _, p := range f.src.Cover.Participants {
		if p.ID == id {
			name = p.Name
		}
	}
	for _, p := range f.src.Cover.Participants {
		if p.Name == name {
			same++
		}
	}
	switch {
	case name == "" && id == "":
		return "(nobody named)"
	case name == "":
		return id + " (not on the roster)"
	case same > 1:
		return name + " (" + id + ")"
	}
	return name
}

// names joins participants' names.
func (f *facts) names(ids []string) string {
	if len(ids) == 0 {
		return "(nobody named)"
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = f.name(id)
	}
	return strings.Join(names, ", ")
}

// sortedKeys returns a map's keys in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// date, clock and moment write a time in UTC.
func date(t time.Time) string   { return t.UTC().Format("2006-01-02") }
func clock(t time.Time) string  { return t.UTC().Format("15:04:05") }
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }
