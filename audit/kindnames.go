package audit

// The kinds' names.

func (*LogOpen) Kind() string        { return "log-open" }
func (*SegmentOpen) Kind() string    { return "segment-open" }
func (*SegmentAdopt) Kind() string   { return "segment-adopt" }
func (*KeyRead) Kind() string        { return "key-read" }
func (*ScriptApproval) Kind() string { return "script-approval" }
func (*StepBegin) Kind() string      { return "step-begin" }
func (*StepEnd) Kind() string        { return "step-end" }
func (*Ack) Kind() string            { return "ack" }
func (*Answer) Kind() string         { return "answer" }
func (*Secret) Kind() string         { return "secret" }
func (*Attendance) Kind() string     { return "attendance" }
func (*Environment) Kind() string    { return "environment" }
func (*Clock) Kind() string          { return "clock" }
func (*ClockJump) Kind() string      { return "clock-jump" }
func (*Token) Kind() string          { return "token" }
func (*Inventory) Kind() string      { return "inventory" }
func (*Key) Kind() string            { return "key" }
func (*CSR) Kind() string            { return "csr" }
func (*ToBeSigned) Kind() string     { return "to-be-signed" }
func (*Artifact) Kind() string       { return "artifact" }
func (*Export) Kind() string         { return "export" }
func (*Result) Kind() string         { return "result" }
func (*Problem) Kind() string        { return "problem" }
func (*Decision) Kind() string       { return "decision" }
func (*Deviation) Kind() string      { return "deviation" }
func (*Verdict) Kind() string        { return "verdict" }
func (*WitnessKeyRead) Kind() string { return "witness-key" }
func (*Cosigned) Kind() string       { return "cosignature" }
func (*Freshness) Kind() string      { return "freshness" }
func (*Approval) Kind() string       { return "approval" }
func (*Passphrase) Kind() string     { return "passphrase" }
func (*Presence) Kind() string       { return "presence" }
func (*Alternate) Kind() string      { return "alternate" }
func (*Refusal) Kind() string        { return "refusal" }
func (*HSMIntent) Kind() string      { return "hsm-intent" }
func (*HSMOutcome) Kind() string     { return "hsm-outcome" }
func (*HSMUnknown) Kind() string     { return "hsm-unknown" }
func (*Pause) Kind() string          { return "pause" }
func (*Abort) Kind() string          { return "abort" }
func (*Transcript) Kind() string     { return "transcript" }
func (*Close) Kind() string          { return "close" }
func (*Share) Kind() string          { return "share" }
func (*ShareCheck) Kind() string     { return "share-check" }
func (*ReadBack) Kind() string       { return "read-back" }
