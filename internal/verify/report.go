// Package verify is the auditor's side: it reads a bundle, trusts nothing in
// it, and reports everything that does not hold, with the file and entry.
//
// It opens nothing outside the bundle's folder, follows no link, writes
// nothing, and answers every content with a finding: docs/verify.md lists the
// findings' codes, the verdicts and the report's JSON.
package verify

import (
	"cmp"
	"slices"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// A Weight says what a finding means for the verdict.
type Weight string

// The weights, heaviest first.
const (
	Failure Weight = "failure" // the evidence does not hold
	Warning Weight = "warning" // the evidence holds; a reader must know this
	Remark  Weight = "remark"  // good to know
)

// A Finding is one thing that does not hold or that a reader must know.
type Finding struct {
	Code     Code   `json:"code"`
	Weight   Weight `json:"weight"`
	File     string `json:"file"`     // in the bundle; "" for none
	Entry    int64  `json:"entry"`    // seq in the log; -1 for none
	Offset   int64  `json:"offset"`   // byte in the file; -1 for none
	Expected string `json:"expected"` // "" where What says it
	Found    string `json:"found"`
	What     string `json:"what"` // one sentence for a person
}

// A Verdict is the report in one word.
type Verdict string

// The verdicts.
const (
	Verified   Verdict = "verified"   // sound, and something from outside anchors it
	Consistent Verdict = "consistent" // sound, but nothing from outside anchors it
	InPart     Verdict = "redacted"   // a redacted copy, sound as far as it shows
	Aborted    Verdict = "aborted"    // sound and closed; the ceremony was given up
	NotClosed  Verdict = "not-closed" // the log goes on, or broke off
	Failed     Verdict = "failed"     // at least one finding is a failure
)

// A Check is one thing that was looked at, in the order of the report.
type Check struct {
	Name   string `json:"name"`
	Result string `json:"result"` // "holds", "fails" or "not done"
	Count  int64  `json:"count"`  // how many things were compared
	Of     string `json:"of"`     // what was counted: "entries"
	Note   string `json:"note"`   // what to know about the result
}

// A Segment is one run of the program, with its own log key.
type Segment struct {
	Number   int    `json:"number"`
	First    int64  `json:"first"` // its entries
	Last     int64  `json:"last"`
	LogKey   string `json:"log_key"`
	Reason   string `json:"reason"`   // why it began: "", "pause" or "break"
	Anchored bool   `json:"anchored"` // by a log key, a head or witnesses known from outside

	checkpoint string // note in its first entry
	program    audit.Program
	keyRead    bool
	adopted    bool
	adoptedAt  int64 // the entry
}

// Log is what the log says of itself.
type Log struct {
	Title          string    `json:"title"`
	Organisation   string    `json:"organisation"`
	Place          string    `json:"place"`
	Mode           string    `json:"mode"`
	Origin         string    `json:"origin"`
	Size           int64     `json:"size"`
	Head           string    `json:"head"` // root, hex
	Opened         string    `json:"opened"`
	Ended          string    `json:"ended"`           // time of the last entry
	Result         string    `json:"result"`          // "complete", "aborted" or "" (not closed)
	AbortedBecause string    `json:"aborted_because"` // the reason given for an abort; "" for none
	Segments       []Segment `json:"segments"`
}

// SignatureCount says how often a key signed.
type SignatureCount struct {
	Key   string `json:"key"`
	Count int    `json:"count"`
}

// A Report is what [Bundle] found.
type Report struct {
	Schema       string            `json:"schema"` // ReportSchema
	Verifier     string            `json:"verifier"`
	Bundle       string            `json:"bundle"` // as given
	Verdict      Verdict           `json:"verdict"`
	Exit         int               `json:"exit"`
	Anchors      []string          `json:"anchors"`      // what from outside agrees, in words
	WouldAnchor  string            `json:"would_anchor"` // the one value that would make it evidence
	Log          Log               `json:"log"`
	Script       string            `json:"script_sha256"`
	Approvals    []ApprovalSeen    `json:"approvals"` // of the script, as the log records them
	Signatures   []SignatureCount  `json:"signatures"`
	Verdicts     []WitnessVerdict  `json:"verdicts"`
	WitnessKeys  []WitnessKeySeen  `json:"witness_keys"`
	Cosignatures []CosignatureSeen `json:"cosignatures"` // verified
	VerdictSteps []VerdictStep     `json:"verdict_steps"`
	Refusals     []RefusalSeen     `json:"refusals"`
	Times        Times             `json:"times"`
	Checks       []Check           `json:"checks"`
	Findings     []Finding         `json:"findings"`
	More         int               `json:"more_findings"` // left out, beyond MaxFindings a code
	CannotKnow   []string          `json:"cannot_know"`

	MoreFailures int         `json:"more_failures"` // of More, those that are failures
	Tokens       []TokenSeen `json:"tokens"`        // by name
	Redaction    *Redaction  `json:"redaction"`     // null unless it is a redacted copy
	NotTold      int         `json:"not_told"`      // attributes of keys that the tokens did not tell

	KeyOrigins []KeyOriginSeen `json:"key_origins"` // of every key in the log, by name
}

// A TokenSeen is a token as the log identified it last.
type TokenSeen struct {
	Name   string `json:"name"`  // in the script
	Model  string `json:"model"` // as the token says
	Serial string `json:"serial"`
}

// WitnessVerdict is what one witness said last.
type WitnessVerdict struct {
	Person  string `json:"person"`
	Name    string `json:"name"`
	Agrees  bool   `json:"agrees"`
	Given   bool   `json:"given"`
	Because string `json:"because"`
	Entry   int64  `json:"entry"` // -1 if none was given
}

// ReportSchema names the version of the report's JSON.
const ReportSchema = "keyrite verify report v1"

// MaxFindings is the most findings of one code that a report holds; how many
// more there were is counted.
const MaxFindings = 25

// Exit codes of the check.
const (
	ExitSound      = 0
	ExitFailed     = 1 // also: not closed, or an anchor was required and there is none
	ExitUsage      = 2
	ExitUnreadable = 3
)

// maxText is the most characters of a value from the bundle in a finding.
const maxText = 300

// add puts a finding into the report.
func (r *Report) add(f Finding) {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Code == f.Code {
			n++
		}
	}
	if n >= MaxFindings {
		r.leaveOut(f.Code, 1)
		return
	}
	f.Expected, f.Found, f.What = shorten(f.Expected), shorten(f.Found), shorten(f.What)
	r.Findings = append(r.Findings, f)
}

// leaveOut counts n findings of a code that the report does not hold.
func (r *Report) leaveOut(code Code, n int) {
	if n <= 0 {
		return
	}
	r.More += n
	if code.weight() == Failure {
		r.MoreFailures += n
	}
}

// shorten cuts a text that came from the bundle.
func shorten(s string) string {
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}

// Has reports whether the report has a finding of that code.
func (r *Report) Has(code Code) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == code })
}

func (r *Report) failed() bool {
	return r.MoreFailures > 0 || slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Weight == Failure })
}

// conclude sorts the findings and draws the verdict and exit code.
func (r *Report) conclude(requireAnchor bool) {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Entry, b.Entry))
	})
	anchored := r.anchored()
	switch {
	case r.failed():
		r.Verdict = Failed
	case r.Log.Result == "":
		r.Verdict = NotClosed
	case r.Redaction != nil:
		r.Verdict = InPart
	case r.Log.Result == "aborted":
		r.Verdict = Aborted
	case anchored:
		r.Verdict = Verified
	default:
		r.Verdict = Consistent
	}
	r.Exit = ExitSound
	if r.Verdict == Failed || r.Verdict == NotClosed || requireAnchor && !anchored || r.Has(PolicyNotMet) {
		r.Exit = ExitFailed
	}
}

// anchored reports whether something from outside vouches for every segment.
func (r *Report) anchored() bool {
	anchored := len(r.Anchors) > 0
	for _, s := range r.Log.Segments {
		anchored = anchored && s.Anchored
	}
	return anchored
}

// rank orders findings: by weight, then as the table of codes has them.
func rank(f Finding) int {
	weight := map[Weight]int{Failure: 0, Warning: 1, Remark: 2}[f.Weight]
	for i := range Codes {
		if Codes[i].Code == f.Code {
			return weight*len(Codes) + i
		}
	}
	return weight * len(Codes)
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
