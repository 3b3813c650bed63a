package audit

// Kinds is the table of every kind of entry: its name in the log and a function
// that returns a new, empty value of its data type. The types' json tags are
// the format: a member without omitempty is always there, no other member is
// allowed. All byte strings are lower-case hex, every CK_ULONG is a decimal
// string, every number an integer below 2^53.
var Kinds = map[string]func() Data{
	"log-open":      func() Data { return new(LogOpen) },
	"segment-open":  func() Data { return new(SegmentOpen) },
	"segment-adopt": func() Data { return new(SegmentAdopt) },
	"key-read":      func() Data { return new(KeyRead) },
	"step-begin":    func() Data { return new(StepBegin) },
	"step-end":      func() Data { return new(StepEnd) },
	"ack":           func() Data { return new(Ack) },
	"answer":        func() Data { return new(Answer) },
	"secret":        func() Data { return new(Secret) },
	"attendance":    func() Data { return new(Attendance) },
	"environment":   func() Data { return new(Environment) },
	"devices":       func() Data { return new(Devices) },
	"machine-check": func() Data { return new(MachineCheck) },
	"clock":         func() Data { return new(Clock) },
	"clock-jump":    func() Data { return new(ClockJump) },
	"drift":         func() Data { return new(Drift) },
	"token":         func() Data { return new(Token) },
	"inventory":     func() Data { return new(Inventory) },
	"key":           func() Data { return new(Key) },
	"key-origin":    func() Data { return new(KeyOrigin) },
	"csr":           func() Data { return new(CSR) },
	"to-be-signed":  func() Data { return new(ToBeSigned) },
	"artifact":      func() Data { return new(Artifact) },
	"export":        func() Data { return new(Export) },
	"result":        func() Data { return new(Result) },
	"problem":       func() Data { return new(Problem) },
	"decision":      func() Data { return new(Decision) },
	"deviation":     func() Data { return new(Deviation) },
	"verdict":       func() Data { return new(Verdict) },
	"witness-key":   func() Data { return new(WitnessKeyRead) },
	"cosignature":   func() Data { return new(Cosigned) },
	"freshness":     func() Data { return new(Freshness) },
	"approval":      func() Data { return new(Approval) },
	"passphrase":    func() Data { return new(Passphrase) },
	"presence":      func() Data { return new(Presence) },
	"alternate":     func() Data { return new(Alternate) },
	"refusal":       func() Data { return new(Refusal) },
	"share":         func() Data { return new(Share) },
	"share-shown":   func() Data { return new(ShareShown) },
	"share-void":    func() Data { return new(ShareVoid) },
	"share-check":   func() Data { return new(ShareCheck) },
	"read-back":     func() Data { return new(ReadBack) },
	"destroyed":     func() Data { return new(Destroyed) },
	"typed-back":    func() Data { return new(TypedBack) },
	"custody":       func() Data { return new(Custody) },
	"evidence":      func() Data { return new(Evidence) },
	"asked":         func() Data { return new(Asked) },
	"incident":      func() Data { return new(Incident) },
	"hsm-intent":    func() Data { return new(HSMIntent) },
	"hsm-outcome":   func() Data { return new(HSMOutcome) },
	"hsm-unknown":   func() Data { return new(HSMUnknown) },
	"pause":         func() Data { return new(Pause) },
	"abort":         func() Data { return new(Abort) },
	"transcript":    func() Data { return new(Transcript) },
	"close":         func() Data { return new(Close) },

	"script-approval": func() Data { return new(ScriptApproval) },
	"place":           func() Data { return new(Place) },
	"try-ledger":      func() Data { return new(TryLedger) },

	"dkek-share":  func() Data { return new(DKEKShare) },
	"dkek-import": func() Data { return new(DKEKImport) },
	"key-wrap":    func() Data { return new(KeyWrap) },
	"key-unwrap":  func() Data { return new(KeyUnwrap) },
	"key-compare": func() Data { return new(KeyCompare) },

	"witness-key-exposed": func() Data { return new(WitnessKeyExposed) },
}

// A File names a file of the bundle and binds its bytes.
type File struct {
	Name   string `json:"name"`   // path inside the bundle, with slashes
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`   // bytes
}

// Program says which keyrite wrote a segment. It is self-reported: a changed
// program would say what it likes, so what counts is the hash taken from
// outside.
type Program struct {
	Version  string `json:"version"`  // as keyrite --version prints it
	Go       string `json:"go"`       // runtime.Version()
	Platform string `json:"platform"` // GOOS/GOARCH
	SHA256   string `json:"sha256"`   // of the running executable, hex
}

// LogOpen is the first entry of every log, and only the first.
type LogOpen struct {
	Format  int     `json:"format"`  // FormatVersion
	Origin  string  `json:"origin"`  // the checkpoints' first line
	Mode    string  `json:"mode"`    // "production" or "rehearsal"
	Script  File    `json:"script"`  // the script as run
	LogKey  string  `json:"log_key"` // segment 0's verifier key, sumdb/note form
	Program Program `json:"program"`

	Title        string        `json:"title"`
	Organisation string        `json:"organisation"`
	Place        string        `json:"place"`
	Purpose      string        `json:"purpose"`
	Participants []Participant `json:"participants"`
	Plan         []PlanStep    `json:"plan"`                 // the script's steps, in order
	Deviations   *ApproveRule  `json:"deviations,omitempty"` // whose approval it takes to skip or repeat a step, if the script says so
}

// A Participant is a person of the script.
type Participant struct {
	ID       string   `json:"id"` // participant id
	Name     string   `json:"name"`
	Initials string   `json:"initials"`
	Roles    []string `json:"roles"` // roles, as the script has them

	AlternateFor string `json:"alternate_for,omitempty"` // id of the participant whose place this one takes if that one is absent
}

// A PlanStep is a step of the script.
type PlanStep struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Title string `json:"title"`
}

// SegmentOpen begins segment 1, 2, …: a run that goes on after a pause or a
// break, with a new log key.
type SegmentOpen struct {
	Segment    int     `json:"segment"`    // its number: 1 for the first after the one that log-open began
	LogKey     string  `json:"log_key"`    // verifier key of the segment's log key
	Checkpoint string  `json:"checkpoint"` // the signed note found on disk, whole
	Reason     string  `json:"reason"`     // "pause" or "break"
	Program    Program `json:"program"`
}

// SegmentAdopt records that the room compared the head on disk with the head
// it saw before the break.
type SegmentAdopt struct {
	Size    int64    `json:"size"`
	Head    string   `json:"head"`    // root hash found on disk, hex
	Seen    string   `json:"seen"`    // what the room compared with: "typed", "earlier" for a head of this log that was noted before its last, "compared by eye", "not available"
	Typed   []string `json:"typed"`   // ids of those who typed the head they had noted
	People  []string `json:"people"`  // ids of those who agreed to go on from it
	Custody string   `json:"custody"` // who held the token meanwhile, in words
	Bag     string   `json:"bag"`     // number of the bag that it was in, as read from it; "none" if there was none
}

// KeyRead records that the log key of the running segment was read aloud.
type KeyRead struct {
	LogKey string   `json:"log_key"` // verifier key that was read aloud
	Words  string   `json:"words"`   // SHA-256 of LogKey as words, as shown
	People []string `json:"people"`  // who confirmed it
}

// StepBegin says that a step of the script begins, or begins again.
type StepBegin struct {
	StepKind string `json:"step_kind"` // kind of the step in the script
	Title    string `json:"title"`     // as the script has it
	Number   int    `json:"number"`    // from 1
	Of       int    `json:"of"`        // how many steps the script has
	Attempt  int    `json:"attempt"`   // from 1
	Actor    string `json:"actor"`     // participant id

	Witnesses []string `json:"witnesses"` // participant ids
	Say       string   `json:"say"`       // the script's text, as shown
	Watch     string   `json:"watch"`     // what the witnesses were told to look at

	Approve   *ApproveRule `json:"approve,omitempty"`    // whose approval the step needs before it acts
	OnRefusal string       `json:"on_refusal,omitempty"` // "continue" if a witness's no does not stop the step
}

// StepEnd says how a step's attempt ended.
type StepEnd struct {
	Result string `json:"result"`           // "done", "failed" or "skipped"
	Reason string `json:"reason,omitempty"` // why it ended so; missing if it is done
}

// Ack is a person's acknowledgement of what was just shown.
type Ack struct {
	Person string `json:"person"` // participant id
	As     string `json:"as"`     // "actor", "witness", "approver" or "holder" (who takes something into custody)
	What   string `json:"what"`   // the question asked
	Typed  string `json:"typed"`  // what was typed: their initials, or a word asked for
}

// Answer is what a person typed, not secret, or why what was typed for them was not taken: the initials of somebody else, a signature that does not verify.
type Answer struct {
	Person   string `json:"person"`   // participant id of who answered
	Question string `json:"question"` // name of the question
	Value    string `json:"value"`    // what was typed
}

// Secret says that a secret was entered, never which, nor how long it is.
type Secret struct {
	Person string `json:"person"` // participant id of who typed it
	Secret string `json:"secret"` // "SO-PIN", "user PIN" or "witness key passphrase"
	Use    string `json:"use"`    // "current" or "new"
	Token  string `json:"token"`  // the token's name in the script; "" for a passphrase
	Result string `json:"result"` // "accepted", or the rule that refused its form; of a passphrase, why the key file did not open

	Part string `json:"part,omitempty"` // which part of it: "1 of 2"; missing for the whole
}

// Attendance is one participant at the roll call.
type Attendance struct {
	Person   string   `json:"person"` // participant id
	Name     string   `json:"name"`
	Roles    []string `json:"roles"`
	Present  bool     `json:"present"`  // whether they were there at the roll call
	Identity string   `json:"identity"` // the document seen, in words; "" if absent
}

// Token is a token as identified: what it says and what the script expects.
type Token struct {
	Name       string     `json:"name"`       // in the script
	Model      string     `json:"model"`      // the script's model
	Slot       string     `json:"slot"`       // slot number
	Module     ModuleInfo `json:"module"`     // CK_INFO
	Info       TokenInfo  `json:"info"`       // CK_TOKEN_INFO
	Mechanisms []string   `json:"mechanisms"` // CKM_ names, or hex for an unknown one
	Differs    []string   `json:"differs"`    // what is not as the script says; empty if all is
}

// ModuleInfo is CK_INFO.
type ModuleInfo struct {
	CryptokiVersion string `json:"cryptoki_version"` // "2.40"
	Manufacturer    string `json:"manufacturer"`     // manufacturerID
	Library         string `json:"library"`          // libraryDescription
	LibraryVersion  string `json:"library_version"`  // "0.23"
}

// SlotInfo is CK_SLOT_INFO.
type SlotInfo struct {
	Description  string   `json:"description"`  // slotDescription
	Manufacturer string   `json:"manufacturer"` // manufacturerID
	Flags        []string `json:"flags"`        // CKF_ names
}

// TokenInfo is CK_TOKEN_INFO.
type TokenInfo struct {
	Label        string   `json:"label"`        // without the padding
	Manufacturer string   `json:"manufacturer"` // manufacturerID
	Model        string   `json:"model"`
	Serial       string   `json:"serial"`   // serialNumber
	Flags        []string `json:"flags"`    // CKF_ names
	MinPIN       int      `json:"min_pin"`  // ulMinPinLen
	MaxPIN       int      `json:"max_pin"`  // ulMaxPinLen
	Hardware     string   `json:"hardware"` // version
	Firmware     string   `json:"firmware"` // version

	Sessions    string `json:"sessions,omitempty"`     // ulSessionCount; missing if the token does not tell it
	RWSessions  string `json:"rw_sessions,omitempty"`  // ulRwSessionCount
	FreePublic  string `json:"free_public,omitempty"`  // ulFreePublicMemory, bytes
	FreePrivate string `json:"free_private,omitempty"` // ulFreePrivateMemory, bytes
}

// Inventory lists the objects seen on a token.
type Inventory struct {
	Token    string   `json:"token"`    // the token's name in the script
	Login    bool     `json:"login"`    // private objects were visible
	Objects  []Object `json:"objects"`  // what is on it, in the order of the search
	Expected string   `json:"expected"` // "empty", "as the log says" or "" (just list)
	Differs  []string `json:"differs"`  // how it differs from what the script expects; empty if it does not
}

// Object is one object on a token.
type Object struct {
	Class string `json:"class"`          // CKO_ name
	Label string `json:"label"`          // CKA_LABEL
	ID    string `json:"id"`             // hex
	Type  string `json:"type,omitempty"` // CKK_ name
}

// Key is a key pair generated (or found again after a break, or there from an
// earlier ceremony) and judged.
type Key struct {
	Name       string      `json:"name"`            // in the script
	Token      string      `json:"token"`           // the token's name in the script
	Algorithm  string      `json:"algorithm"`       // "RSA-4096", "P-384", …
	Label      string      `json:"label"`           // CKA_LABEL
	ID         string      `json:"id"`              // hex
	SPKI       string      `json:"spki"`            // SubjectPublicKeyInfo DER, hex
	SPKISHA256 string      `json:"spki_sha256"`     // hex
	Generated  int64       `json:"generated"`       // seq of the C_GenerateKeyPair outcome, or of its intent if that is unknown; 0 if it was found
	Attributes []Judgement `json:"attributes"`      // what the token reports of the private key, and how that was judged
	Found      bool        `json:"found,omitempty"` // it was on the token before this ceremony, which compared it with what was known of it
}

// Judgement is an attribute as the token reports it, and what that means by
// the token model's profile.
type Judgement struct {
	Attribute string `json:"attribute"` // CKA_ name
	Reported  string `json:"reported"`  // value as the token reports it, "(not told)" if it does not
	Judged    string `json:"judged"`    // "good", "not told" or "bad"
	Why       string `json:"why"`       // the reason for the verdict
}

// CSR is a certificate request that was given to the ceremony.
type CSR struct {
	File     File   `json:"file"`                // the request, in the bundle
	Subject  string `json:"subject"`             // distinguished name, RFC 4514
	SPKI     string `json:"spki_sha256"`         // SHA-256 of the DER SubjectPublicKeyInfo, hex
	Possible bool   `json:"proof_of_possession"` // whether its self-signature verifies
}

// ToBeSigned announces the object that the next C_Sign signs. Its bytes are in
// the bundle before the signature exists.
type ToBeSigned struct {
	Object    string   `json:"object"`           // "certificate", "crl" or "file"
	For       string   `json:"for"`              // the artifact that it becomes
	TBS       File     `json:"tbs"`              // DER of the TBSCertificate or TBSCertList; a file as it was brought
	Key       string   `json:"key"`              // name of the signing key in the script
	Mechanism string   `json:"mechanism"`        // CKM_ name
	Digest    string   `json:"digest"`           // "SHA-256", "SHA-384" or "SHA-512"
	Input     string   `json:"input"`            // what C_Sign gets, hex
	Profile   string   `json:"profile"`          // certificate profile of the script
	Lint      []string `json:"lint"`             // linters with version and their remarks; errors stop before this entry
	Serial    string   `json:"serial,omitempty"` // certificate serial number, hex
	Random    int64    `json:"random,omitempty"` // seq of the C_GenerateRandom outcome the serial is from
}

// Artifact is a file that the ceremony made.
type Artifact struct {
	File   File   `json:"file"`             // in the bundle
	Object string `json:"object"`           // "certificate", "crl", "public-key", "brought-certificate", "key-attestation", "device-certificates", "file" (brought to be signed), "signature" (over a file)
	Signed int64  `json:"signed,omitempty"` // seq of the C_Sign outcome
	Checks string `json:"checks"`           // what was verified before it was written, in words
}

// Export says that files were written to a medium and read back.
type Export struct {
	Destination string `json:"destination"` // the folder or device written to
	Files       []File `json:"files"`       // what was written
	ReadBack    bool   `json:"read_back"`   // whether it was read back and was the same
}

// Result is a fact a step shows to the room: a name and a value.
type Result struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Problem is something that went wrong.
type Problem struct {
	What string `json:"what"`           // the error's text; never a secret
	RV   string `json:"rv,omitempty"`   // CKR_ name
	Hint string `json:"hint,omitempty"` // what the room can do
}

// Decision is what the room decided when asked.
type Decision struct {
	Question string   `json:"question"` // as the room saw it
	Options  []string `json:"options"`  // what could be chosen
	Chosen   string   `json:"chosen"`   // which of them was
	Person   string   `json:"person"`   // participant id of who chose
}

// Deviation is a departure from the script, in the room's words.
type Deviation struct {
	Expected string   `json:"expected"` // what the script has
	Happened string   `json:"happened"` // what happened instead
	Decided  string   `json:"decided"`  // what the room decided
	People   []string `json:"people"`   // participant ids of those who agreed
	Effect   string   `json:"effect"`   // "none", "skip", "repeat"
}

// Pause ends a segment in good order.
type Pause struct {
	Reason string `json:"reason"` // in words
	Person string `json:"person"` // participant id of who paused
}

// Abort says that the ceremony is given up. Inventory and close follow.
type Abort struct {
	Reason string `json:"reason"` // in words
	Person string `json:"person"` // participant id of who aborted
}

// Transcript commits to pages of the paper transcript, made from the entries
// 0…Size−1. A long transcript has several such entries.
type Transcript struct {
	Renderer string `json:"renderer"` // keyrite's renderer version
	Go       string `json:"go"`       // version of Go that composed it
	Fonts    []File `json:"fonts"`    // fonts that it was set with
	Size     int64  `json:"size"`     // entries of the log that it shows
	Head     string `json:"head"`     // root over entries 0…Size−1, hex
	Of       int    `json:"of"`       // pages that are signed; a closing sheet follows them
	First    int    `json:"first"`    // number of Pages[0], from 1
	Pages    []Page `json:"pages"`    // one each, in their order
}

// Page is one page's digest and the log key's signature over the page note.
type Page struct {
	Digest    string `json:"digest"`    // hex
	Signature string `json:"signature"` // Ed25519, hex
}

// Close is the last entry: the log key is destroyed after the checkpoint of
// the size that this entry makes.
type Close struct {
	Result string `json:"result"` // "complete" or "aborted"
	Size   int64  `json:"size"`   // entries in the log, this one included
}
