// Package bundle knows the files that a ceremony hands over: their names, how
// they are written without ever overwriting one, and the two lists that bind
// them, SHA256SUMS and the manifest. docs/bundle.md describes every file.
package bundle

import (
	"fmt"
	"strconv"
	"strings"
)

// The files at the top of a bundle.
const (
	ScriptFile     = "script.yaml"    // the script as run
	DatabaseFile   = "audit.db"       // the log
	LogFile        = "log.jsonl"      // the same entries, one a line
	CheckpointFile = "checkpoint"     // the final signed note
	TranscriptFile = "transcript.pdf" // the paper
	SumsFile       = "SHA256SUMS"     // digests of all files before it
	ManifestFile   = "manifest"       // signed note over SHA256SUMS
)

// The folders of a bundle.
const (
	ApprovalsDir = "approvals" // the approvers' signed notes
	KeysDir      = "keys"      // verifier keys
	ArtifactsDir = "artifacts" // what the ceremony made
	AfterDir     = "after"     // what came later, outside SHA256SUMS
)

// LogKeyFile returns the name of the file with a segment's verifier key:
// "keys/log-0.vkey" for the first segment.
func LogKeyFile(segment int) string {
	return KeysDir + "/log-" + strconv.Itoa(segment) + ".vkey"
}

// TimestampFile is the RFC 3161 time-stamp of the file checkpoint's text.
const TimestampFile = AfterDir + "/head.tsr"

// WitnessKeyFile returns the name of the file with a participant's witness key:
// "keys/witness-w1.vkey".
func WitnessKeyFile(person string) string {
	return KeysDir + "/witness-" + person + ".vkey"
}

// ApprovalFile returns the name of the file with an approver's signed note:
// "approvals/manager.note".
func ApprovalFile(approver string) string { return ApprovalsDir + "/" + approver + ".note" }

// cosignaturePrefix begins the name of a late cosignature's file.
const cosignaturePrefix = AfterDir + "/cosignature-"

// CosignatureFile returns the name of the file with a late cosignature by the
// witness key of that name: "after/cosignature-witness.example.org_alice.txt".
func CosignatureFile(key string) string {
	b := []byte(key)
	for i, c := range b {
		if c == '_' || !plain(rune(c)) {
			b[i] = '_'
		}
	}
	return cosignaturePrefix + string(b) + ".txt"
}

// IsCosignatureFile reports whether name is that of a late cosignature.
func IsCosignatureFile(name string) bool {
	return strings.HasPrefix(name, cosignaturePrefix) && strings.HasSuffix(name, ".txt")
}

// TBSFile returns the name of the file that holds the to-be-signed bytes of an
// artifact: "artifacts/root.crl" has "artifacts/root.crl.tbs".
func TBSFile(artifact string) string { return artifact + ".tbs" }

// OriginFiles returns the names, in artifacts/, of what attests where a key was
// made: the card's attestation and the device's certificates.
func OriginFiles(key string) (attestation, chain string) {
	return key + ".attestation.cvc", key + ".device.cvc"
}

// maxName is the most bytes one element of a name may have.
const maxName = 128

// CheckName returns an error if name cannot be a file of a bundle: elements
// separated by single slashes, each of 1 to 128 characters from
// A–Z a–z 0–9 . _ - that neither begins with "." or "-" nor ends with ".", and
// that is no device of Windows, whose names count up to the first dot, in either
// case: CON, PRN, AUX, NUL, COM0 to COM9, LPT0 to LPT9. Such names mean the same on every file system and in sha256sum's format.
func CheckName(name string) error {
	for _, part := range strings.Split(name, "/") {
		if err := checkPart(part); err != nil {
			return fmt.Errorf("file name %q: %w", name, err)
		}
	}
	return nil
}

func checkPart(part string) error {
	switch {
	case part == "":
		return fmt.Errorf("empty element")
	case len(part) > maxName:
		return fmt.Errorf("element of %d bytes, at most %d", len(part), maxName)
	case part[0] == '.' || part[0] == '-' || part[len(part)-1] == '.':
		return fmt.Errorf("element %q begins with a dot or hyphen, or ends with a dot", part)
	case device(part):
		return fmt.Errorf("element %q names a device on Windows", part)
	}
	for _, r := range part {
		if !plain(r) {
			return fmt.Errorf("character %q", r)
		}
	}
	return nil
}

// device reports whether Windows takes a name for a device.
func device(part string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(part), ".")
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	rest, com := strings.CutPrefix(stem, "COM")
	if !com {
		rest, com = strings.CutPrefix(stem, "LPT")
	}
	return com && len(rest) == 1 && '0' <= rest[0] && rest[0] <= '9'
}

func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r)
}

// Known reports whether docs/bundle.md gives name a place in a bundle: one of
// the files at the top, or a file directly in approvals/, keys/, artifacts/
// or after/.
func Known(name string) bool {
	if CheckName(name) != nil {
		return false
	}
	dir, file, deep := strings.Cut(name, "/")
	if !deep {
		return isTop(name)
	}
	switch dir {
	case ApprovalsDir, KeysDir, ArtifactsDir, AfterDir:
		return !strings.Contains(file, "/")
	}
	return false
}

func isTop(name string) bool {
	switch name {
	case ScriptFile, DatabaseFile, LogFile, CheckpointFile, TranscriptFile, SumsFile, ManifestFile, RedactedFile:
		return true
	}
	return false
}

// Summed reports whether name belongs into SHA256SUMS: every known file but
// SHA256SUMS itself, the manifest that signs it, what came after, and what says
// that the folder is a redacted copy.
func Summed(name string) bool {
	return Known(name) && name != SumsFile && name != ManifestFile && name != RedactedFile && !strings.HasPrefix(name, AfterDir+"/")
}
