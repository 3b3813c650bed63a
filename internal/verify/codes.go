package verify

// A Code names a kind of finding. Codes are stable: scripts rely on them.
type Code string

// The codes, in order of weight: what destroys the evidence first. A code's
// meaning, usual cause and remedy stand in Codes and in docs/verify.md.
const (
	LogKeyDiffers        Code = "E-LOG-KEY-DIFFERS"
	HeadDiffersFromGiven Code = "E-HEAD-DIFFERS"
	ScriptNotAgreed      Code = "E-SCRIPT-NOT-AGREED"
	CheckpointSignature  Code = "E-CHECKPOINT-SIGNATURE"
	CheckpointFormat     Code = "E-CHECKPOINT-FORMAT"
	CheckpointRoot       Code = "E-CHECKPOINT-ROOT"
	CheckpointMissing    Code = "E-CHECKPOINT-MISSING"
	LogCut               Code = "E-LOG-CUT"
	UnsignedTail         Code = "E-UNSIGNED-TAIL"
	StoredHeadDiffers    Code = "E-STORED-HEAD-DIFFERS"
	OriginDiffers        Code = "E-ORIGIN-DIFFERS"
	CosignatureBroken    Code = "E-COSIGNATURE-BROKEN"
	CosignatureReplayed  Code = "E-COSIGNATURE-REPLAYED"
	CosignatureMissing   Code = "E-COSIGNATURE-MISSING"
	WitnessKeyDiffers    Code = "E-WITNESS-KEY-DIFFERS"
	VerdictSignature     Code = "E-VERDICT-SIGNATURE"
	TimestampBroken      Code = "E-TIMESTAMP-BROKEN"
	ChainBroken          Code = "E-CHAIN-BROKEN"
	EntryFormat          Code = "E-ENTRY-FORMAT"
	EntryHidden          Code = "E-ENTRY-HIDDEN"
	RedactionDiffers     Code = "E-REDACTION-DIFFERS"
	StoresDiffer         Code = "E-STORES-DIFFER"
	LinesFormat          Code = "E-LINES-FORMAT"
	DatabaseFormat       Code = "E-DATABASE-FORMAT"
	SegmentCheckpoint    Code = "E-SEGMENT-CHECKPOINT"
	SegmentAdoption      Code = "E-SEGMENT-ADOPTION"
	AfterClose           Code = "E-AFTER-CLOSE"
	SignatureUnexplained Code = "E-SIGNATURE-UNEXPLAINED"
	SignedBytesDiffer    Code = "E-SIGNED-BYTES-DIFFER"
	ArtifactDiffers      Code = "E-ARTIFACT-DIFFERS"
	ArtifactFormat       Code = "E-ARTIFACT-FORMAT"
	ArtifactSignature    Code = "E-ARTIFACT-SIGNATURE"
	ArtifactKey          Code = "E-ARTIFACT-KEY"
	KeyRepeated          Code = "E-KEY-REPEATED"
	KeyOriginBroken      Code = "E-KEY-ORIGIN"
	KeySimulated         Code = "E-KEY-SIMULATED"
	KeyBackup            Code = "E-KEY-BACKUP"
	SerialNotRandom      Code = "E-SERIAL-NOT-RANDOM"
	CertificateBroken    Code = "E-CERTIFICATE-BROKEN"
	NotBefore            Code = "E-NOT-BEFORE"
	ScriptDiffers        Code = "E-SCRIPT-DIFFERS"
	ModeDiffers          Code = "E-MODE-DIFFERS"
	DrillDiffers         Code = "E-DRILL-DIFFERS"
	KeyFileDiffers       Code = "E-KEY-FILE-DIFFERS"
	ManifestSignature    Code = "E-MANIFEST-SIGNATURE"
	ManifestDiffers      Code = "E-MANIFEST-DIFFERS"
	SumsFormat           Code = "E-SUMS-FORMAT"
	SumDiffers           Code = "E-SUM-DIFFERS"
	FileMissing          Code = "E-FILE-MISSING"
	FileUnknown          Code = "E-FILE-UNKNOWN"
	FileKind             Code = "E-FILE-KIND"
	FileUnreadable       Code = "E-FILE-UNREADABLE"
	PagesDiffer          Code = "E-PAGES-DIFFER"
	PageSignature        Code = "E-PAGE-SIGNATURE"
	PDFDiffers           Code = "E-PDF-DIFFERS"
	TranscriptUnbound    Code = "E-TRANSCRIPT-UNBOUND"
	LogGrammar           Code = "E-LOG-GRAMMAR"
	StepOrder            Code = "E-STEP-ORDER"
	StepMissing          Code = "E-STEP-MISSING"
	KeyNotRead           Code = "E-KEY-NOT-READ"
	CallWithoutOutcome   Code = "E-CALL-WITHOUT-OUTCOME"
	CallOutcome          Code = "E-CALL-OUTCOME"
	CallWithoutStep      Code = "E-CALL-WITHOUT-STEP"
	PlanDiffers          Code = "E-PLAN-DIFFERS"
	AckMissing           Code = "E-ACK-MISSING"
	QuorumNotMet         Code = "E-QUORUM-NOT-MET"

	ScriptNotApproved     Code = "E-SCRIPT-NOT-APPROVED"
	ScriptApprovalBroken  Code = "E-SCRIPT-APPROVAL-BROKEN"
	ScriptApprovalTwice   Code = "E-SCRIPT-APPROVAL-TWICE"
	ScriptApprovalDiffers Code = "E-SCRIPT-APPROVAL-DIFFERS"

	ReadBackDiffers Code = "E-READ-BACK-DIFFERS"
	ActsDiffer      Code = "E-ACTS-DIFFER"
	DriftDiffers    Code = "E-DRIFT-DIFFERS"

	TryLedgerDiffers    Code = "E-TRY-LEDGER-DIFFERS"
	ApprovalSignature   Code = "E-APPROVAL-SIGNATURE"
	ApprovedOther       Code = "E-APPROVED-OTHER"
	FunctionUnknown     Code = "E-FUNCTION-UNKNOWN"
	SecretRecorded      Code = "E-SECRET-RECORDED"
	RecordedHeadDiffers Code = "E-RECORDED-HEAD-DIFFERS"
	TooMuch             Code = "E-TOO-MUCH"

	SegmentUnanchored   Code = "E-SEGMENT-UNANCHORED"
	PolicyNotMet        Code = "E-POLICY-NOT-MET"
	WitnessKeyExposed   Code = "E-WITNESS-KEY-EXPOSED"
	LogNotClosed        Code = "E-NOT-CLOSED"
	Redacted            Code = "E-REDACTED"
	NotChecked          Code = "E-NOT-CHECKED"
	WitnessDisagrees    Code = "E-WITNESS-DISAGREES"
	Refused             Code = "E-REFUSED"
	ApprovedUnseen      Code = "E-APPROVED-UNSEEN"
	VerdictMissing      Code = "E-VERDICT-MISSING"
	SignatureUnused     Code = "E-SIGNATURE-UNUSED"
	CallUnknown         Code = "E-CALL-UNKNOWN"
	ManifestMissing     Code = "E-MANIFEST-MISSING"
	StepSkipped         Code = "E-STEP-SKIPPED"
	HeadNotCompared     Code = "E-HEAD-NOT-COMPARED"
	SignedAfterVerdict  Code = "E-SIGNED-AFTER-VERDICT"
	Deviated            Code = "E-DEVIATION"
	WentWrong           Code = "E-PROBLEM"
	TokenDiffers        Code = "E-TOKEN-DIFFERS"
	TriesUnexplained    Code = "E-TRIES-UNEXPLAINED"
	AttributeBad        Code = "E-ATTRIBUTE-BAD"
	KeyNotProved        Code = "E-KEY-NOT-PROVED"
	MachineDiffers      Code = "E-MACHINE-DIFFERS"
	TimesDisagree       Code = "E-TIMES-DISAGREE"
	TimeGoesBack        Code = "E-TIME-GOES-BACK"
	ClockOffset         Code = "E-CLOCK-OFFSET"
	NameMisleads        Code = "E-NAME-MISLEADS"
	RuleBroken          Code = "E-CERTIFICATE-RULES"
	FileUnlogged        Code = "E-FILE-UNLOGGED"
	PagesNotCompared    Code = "E-PAGES-NOT-COMPARED"
	PDFNotCompared      Code = "E-PDF-NOT-COMPARED"
	CosignatureUnknown  Code = "E-COSIGNATURE-UNKNOWN"
	KeyCopied           Code = "E-KEY-COPIED"
	TimestampUnchecked  Code = "E-TIMESTAMP-UNCHECKED"
	CeremonyIsRehearsal Code = "E-REHEARSAL"
)

// A CodeInfo is what a reader is told of a code.
type CodeInfo struct {
	Code   Code
	Weight Weight
	Means  string // what the finding says
	Remedy string // what to do about it
}

// Codes lists every code, heaviest first.
var Codes = []CodeInfo{
	{LogKeyDiffers, Failure, "the log key given from outside is not the log's", "compare with what was read aloud and written down in the room; if that is right, the log was replaced"},
	{HeadDiffersFromGiven, Failure, "the head given from outside is not the log's", "compare with what was written down; if that is right, the log was replaced or changed"},
	{ScriptNotAgreed, Failure, "the script's hash given from outside is not that of script.yaml", "the ceremony followed another script than the one agreed"},
	{CheckpointSignature, Failure, "a checkpoint is not signed by the log key of its segment", "the log or its key was replaced; look for an older copy"},
	{CheckpointFormat, Failure, "a checkpoint is not a signed note of the form of C2SP tlog-checkpoint", "the file was damaged or replaced"},
	{CheckpointRoot, Failure, "a signed checkpoint's root is not the root over the log's entries", "an entry was changed after it was signed; findings about entries say where"},
	{CheckpointMissing, Failure, "audit.db keeps no checkpoint where a step ended or the log was closed", "checkpoints were removed from the database, or the log was not written by keyrite"},
	{LogCut, Failure, "the signed checkpoint has more entries than the log", "entries at the end were removed"},
	{UnsignedTail, Failure, "the log has entries that the final checkpoint does not sign", "entries were added at the end"},
	{StoredHeadDiffers, Failure, "the head in audit.db is not the file checkpoint", "one of the two was replaced"},
	{OriginDiffers, Failure, "a note names another log than the log's first entry", "a file of another ceremony was put here"},
	{CosignatureBroken, Failure, "a witness's line on a checkpoint does not verify, or is no cosignature", "the line was changed or made up: ask the witness for it again"},
	{CosignatureReplayed, Failure, "a witness's cosignature is of another checkpoint than the one it stands on", "the witness did not sign this: find out who put it here"},
	{CosignatureMissing, Failure, "a cosignature that came back into the room is not on the checkpoint kept for its size", "it was removed from the database: look for an older copy"},
	{WitnessKeyDiffers, Failure, "a witness's key is not the one in the script, in keys/, from outside, or is that of two people", "ask the witness for the key's words"},
	{VerdictSignature, Failure, "a signed verdict is not by the witness's key, or says something else than its entry", "the entry is not what the witness signed: ask the witness"},
	{TimestampBroken, Failure, "the time-stamp is not one of this ceremony's final checkpoint by an authority of the CA given", "do not rely on it; ask the authority for another one"},
	{ChainBroken, Failure, "an entry does not follow from the one before it", "an entry was changed, removed, inserted or moved at this place"},
	{EntryFormat, Failure, "an entry is not one canonical JSON object of a known kind", "the entry was damaged or forged"},
	{EntryHidden, Failure, "an entry stands as its hash alone, and the bundle does not say that it is a redacted copy", "ask for the original, or for the file redacted"},
	{RedactionDiffers, Failure, "the file redacted is not in its one form, or the copy hides something else than it says", "ask whoever made the copy; the original says what was hidden"},
	{StoresDiffer, Failure, "audit.db and log.jsonl do not hold the same bytes", "one of the two was changed; the chain and the checkpoint tell which"},
	{LinesFormat, Failure, "log.jsonl is not made of lines that end", "the file was cut off or damaged"},
	{DatabaseFormat, Failure, "audit.db is not a closed log's database", "the database was damaged, changed with other tools, or holds something hidden"},
	{SegmentCheckpoint, Failure, "a segment does not begin with the checkpoint that the log had before it", "the log was changed while it was paused"},
	{SegmentAdoption, Failure, "nobody compared the head when the ceremony went on after a break", "ask who was in the room what they compared"},
	{AfterClose, Failure, "something follows the entry that closes the log", "entries were added after the ceremony"},
	{SignatureUnexplained, Failure, "the token signed something that is not in the bundle", "find out what was signed: nobody can tell from the bundle"},
	{SignedBytesDiffer, Failure, "what the token signed is not what was announced or stored", "find out what was signed"},
	{ArtifactDiffers, Failure, "a file is not the one that the log recorded", "the file was replaced or changed"},
	{ArtifactFormat, Failure, "a certificate, CRL or key is not in its one form", "the file was replaced or damaged"},
	{ArtifactSignature, Failure, "a certificate's or CRL's signature does not verify with the issuer's key", "do not use it"},
	{ArtifactKey, Failure, "a file's public key is not the one that the log recorded", "the file or the key was replaced"},
	{KeyRepeated, Failure, "two keys of the ceremony are the same key", "the token or its module did not make a new key: use neither"},
	{KeyOriginBroken, Failure, "what is to prove that a key was made in its token does not prove it", "do not rely on the key: the proof is another key's or another device's, or was changed"},
	{KeySimulated, Failure, "a key of a production ceremony was made in a simulated device", "do not use the key: anybody can compute what a simulated device signs with"},
	{KeyBackup, Failure, "what the log says of a key backup is not what the tokens were sent or answered, or the two keys differ", "do not rely on the copy: restore it again, with the room watching"},
	{SerialNotRandom, Failure, "a serial number is not made of the random bytes that the log recorded", "the serial number was chosen, not drawn (BR 7.1.2.1)"},
	{CertificateBroken, Failure, "a certificate or CRL is not in DER, or its signature or algorithm is not allowed", "do not use it"},
	{NotBefore, Failure, "a validity does not fit the time of the signature", "the object was dated back or ahead (BR 7.1.2.1.1)"},
	{ScriptDiffers, Failure, "script.yaml is not the script that the log began with", "the script was changed afterwards"},
	{ModeDiffers, Failure, "log, origin and mode do not agree whether this is a rehearsal", "a rehearsal is passed off as the ceremony, or the other way"},
	{DrillDiffers, Failure, "a drill of a rehearsal does not reveal, once, what its log committed to, or stands in a log that is no rehearsal's", "do not rely on what the drill is said to have been"},
	{KeyFileDiffers, Failure, "a file in keys/ is not the log key of its segment", "the key file was replaced"},
	{ManifestSignature, Failure, "the manifest is not signed by the log's last key", "the manifest was replaced, or files were changed and it was made again"},
	{ManifestDiffers, Failure, "the manifest speaks of another log or another SHA256SUMS", "a file was changed after the ceremony, or the manifest is another ceremony's"},
	{SumsFormat, Failure, "SHA256SUMS is not in its one form", "the file was changed"},
	{SumDiffers, Failure, "a file's SHA-256 is not the one in SHA256SUMS", "the file was changed or damaged"},
	{FileMissing, Failure, "a file of the bundle is missing", "look for another copy of the bundle; if the run broke off at its end, keyrite resume makes what is missing"},
	{FileUnknown, Failure, "a file has no place in a bundle", "find out who put it there; take it out of the copy and check again"},
	{FileKind, Failure, "a name of the bundle is a link or device, not a file", "copy the bundle with the files themselves"},
	{FileUnreadable, Failure, "a file cannot be read or is too large", "copy the bundle again from its medium"},
	{PagesDiffer, Failure, "the transcript's page digests are not those of the pages made from the log", "the log or the commitment was changed"},
	{PageSignature, Failure, "a page is not signed by the log key", "the commitment was changed"},
	{PDFDiffers, Failure, "transcript.pdf is not the one made from the log", "the PDF was changed; make it again with keyrite transcript"},
	{TranscriptUnbound, Failure, "nothing shows that transcript.pdf is the one made from the log", "check with a verifier of the Go version that the log names, or make the PDF again with keyrite transcript"},
	{LogGrammar, Failure, "entries stand in an order that no run writes", "the log was not written by keyrite, or by a changed one"},
	{StepOrder, Failure, "a step is not the one whose turn it was by the script", "steps were left out, moved or repeated without a record"},
	{StepMissing, Failure, "the log says complete, but a step was neither done nor skipped", "ask why the step was left out"},
	{KeyNotRead, Failure, "the log key was not read aloud before the first PKCS#11 call", "nobody can tell this log from a later one by its key"},
	{CallWithoutOutcome, Failure, "a PKCS#11 call has neither an outcome nor a decision of the room about it", "find out what became of the call"},
	{CallOutcome, Failure, "an outcome does not belong to the call before it", "the log was not written by keyrite, or by a changed one"},
	{CallWithoutStep, Failure, "a call that changes the token belongs to no step", "find out why the call was made"},
	{PlanDiffers, Failure, "the log's plan or a step's text is not that of script.yaml", "the room was shown something else than the script that was agreed"},
	{AckMissing, Failure, "a step was ended without the word of somebody it needs, or somebody who was not there gave theirs", "ask those people whether they saw the step done"},
	{ScriptNotApproved, Failure, "the ceremony began with fewer approvals than its script asks for", "ask the approvers: keyrite starts no such ceremony"},
	{ScriptApprovalBroken, Failure, "an approval of the script is not by an approver's key, not by somebody the script names, or not of this script", "ask the approver which script was approved"},
	{ScriptApprovalTwice, Failure, "an approver approved the script twice, which counts once", "the log was not written by keyrite: ask the approvers"},
	{ScriptApprovalDiffers, Failure, "a file in approvals/ is not the signed note that the log has", "the file was replaced or changed"},
	{QuorumNotMet, Failure, "a step was carried out, left out or done anew without the approvals that its script asks for, or somebody approved who could not", "ask those who should have approved whether they did"},
	{ReadBackDiffers, Failure, "a value is said to have been read back, and is not what was typed, or not what the log says it is", "ask both people what was read and typed; compare the value with the paper"},
	{ActsDiffer, Failure, "bags, seals, what was taken or filmed, the machine or its hashes from outside are not as the script says of a step that is done", "read the entries of the step; ask those who were there"},
	{DriftDiffers, Failure, "the drift of the clocks, or the number of times the clock was set, is not that of the log's own entries", "compute it from the clock entries; find out who wrote the log"},
	{TryLedgerDiffers, Failure, "the balance of a PIN's tries is not the one that follows from the log's own calls and the card's answers, or there is none", "compute it from the calls that send a PIN and the answers to VERIFY WITHOUT PIN; find out who wrote the log"},
	{ApprovalSignature, Failure, "a signed approval is not by the key of the one who approved, or says something else than its entry", "the entry is not what was signed: ask the approver"},
	{ApprovedOther, Failure, "the token signed other bytes than those that had been announced when somebody approved the signature", "ask the approvers which digest they compared"},
	{FunctionUnknown, Failure, "a PKCS#11 function was called that keyrite never calls", "the log was not written by keyrite, or by a changed one: find out why the call was made"},
	{SecretRecorded, Failure, "a secret stands in the log", "change that PIN; keep the log from those who should not know it"},
	{RecordedHeadDiffers, Failure, "an entry speaks of a head that the log did not have", "a verdict, an adoption or a page was given for another log"},
	{TooMuch, Failure, "the bundle holds more than any ceremony makes", "the bundle was made to exhaust whoever reads it"},

	{SegmentUnanchored, Warning, "nothing from outside vouches for a segment", "give its log key with --log-key, the final head with --head, or the key of a witness who cosigned it with --witness-key: from the room's notes or from the witness, not from the bundle"},
	{PolicyNotMet, Warning, "the final checkpoint has not the cosignatures that the policy asks for", "ask the witnesses who have not signed yet: 'keyrite-verify cosign' adds their line in after/"},
	{WitnessKeyExposed, Warning, "a witness's key was unlocked on the ceremony machine", "take its signatures, earlier and later ones too, for no more than that machine's word; ask the witness to cosign with a new key"},
	{LogNotClosed, Warning, "the log was not closed: the ceremony goes on, was paused or broke off", "keyrite resume goes on; afterwards check again"},
	{Redacted, Warning, "this is a redacted copy: entries stand as their hash alone", "ask for the original if what is hidden matters: it has the same head"},
	{NotChecked, Warning, "something could not be checked because entries are hidden", "ask for the original, or for proofs of the entries that matter"},
	{WitnessDisagrees, Warning, "a witness does not agree", "read the reason; ask the witness"},
	{Refused, Warning, "somebody said no where an acknowledgement was asked for", "read the words; see what the room did about it"},
	{ApprovedUnseen, Warning, "somebody approved a signature before its bytes were announced", "keyrite showed them after the approvals once: compare the approved step with what was signed; ask the approvers what they saw"},
	{VerdictMissing, Warning, "a witness who was present gave no verdict", "a missing verdict is never agreement: ask the witness"},
	{SignatureUnused, Warning, "the token signed something that became no artifact", "a failed try: its bytes are in the bundle; make sure that nobody has the signature besides"},
	{CallUnknown, Warning, "what became of a PKCS#11 call was decided by the room", "read what the token showed and who decided"},
	{ManifestMissing, Warning, "there is no manifest, so nobody signed SHA256SUMS", "the run broke off after its log was closed, or the file was removed; log, script, artifacts and transcript are bound by the log itself"},
	{StepSkipped, Warning, "a step was skipped", "read the deviation that says why"},
	{HeadNotCompared, Warning, "the ceremony went on and nobody had noted the head before the break", "compare the head with a copy of the log from before the break"},
	{SignedAfterVerdict, Warning, "the token signed something after the last verdict", "the witnesses' verdicts do not speak of it: ask them"},
	{Deviated, Warning, "something was not as the script says, and the room wrote it down", "read what was expected, what happened and who agreed"},
	{WentWrong, Warning, "something went wrong, or a step's attempt failed", "read the entries that follow: they say what the room did about it"},
	{TokenDiffers, Warning, "a token or what is on it was not as expected", "read what the room did about it"},
	{TriesUnexplained, Warning, "a PIN had other tries left than the script expects or the calls of the log explain", "somebody or something else may have used the token: read what the room found out and decided"},
	{AttributeBad, Warning, "an attribute of a key was judged bad", "a key that can leave its token, or was not made in it, is not fit for a CA"},
	{KeyNotProved, Warning, "a token that proves where its keys were made gave no proof of one", "read why, and what the room decided: the key may have been brought in from outside"},
	{MachineDiffers, Warning, "the machine was not as the script expects", "read what differs: a rehearsal may be held on any machine, a ceremony stops there"},
	{TimesDisagree, Warning, "what is said of time cannot all be true", "one of the clocks, or of the people who spoke of time, was wrong: find out which"},
	{TimeGoesBack, Warning, "an entry is earlier than the one before it", "the machine's clock was set back"},
	{ClockOffset, Warning, "the machine's clock was over a minute off, or jumped", "correct the times in the log by the offset"},
	{NameMisleads, Warning, "a name can be taken for another: hidden or turning characters, letters of two alphabets, or a double", "compare the name character by character with what was agreed"},
	{RuleBroken, Warning, "a certificate or CRL is against RFC 5280 or the Baseline Requirements", "decide whether the rule applies to this CA before the object is used"},
	{FileUnlogged, Warning, "bytes to be signed are in the bundle that no entry announces", "a try broke off before it was announced; nothing was signed"},
	{PagesNotCompared, Warning, "the transcript's pages could not be made again here", "check with a verifier of the version that the log names"},
	{PDFNotCompared, Warning, "transcript.pdf could not be compared byte for byte", "check with a verifier of the versions that the log names; until then compare the pages' QR codes"},
	{CosignatureUnknown, Remark, "a checkpoint has a cosignature by a key that nobody has named", "if you know whose it is, give the key with --witness-key"},
	{KeyCopied, Remark, "a key on a token is a copy that was not made in it", "guard both tokens as the only one; whether the first one made the key is shown by its own attestation"},
	{TimestampUnchecked, Remark, "there is a time-stamp, and no CA was given to check it against", "give the authority's CA with --tsa-ca"},
	{CeremonyIsRehearsal, Remark, "this was a rehearsal", "nothing made in it may be trusted"},
}

// weight returns a code's weight.
func (c Code) weight() Weight {
	for i := range Codes {
		if Codes[i].Code == c {
			return Codes[i].Weight
		}
	}
	panic("verify: code without a place in the table: " + string(c))
}

// remedy returns what to do about a code.
func (c Code) remedy() string {
	for i := range Codes {
		if Codes[i].Code == c {
			return Codes[i].Remedy
		}
	}
	return ""
}
