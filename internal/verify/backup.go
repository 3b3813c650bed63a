package verify

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// challenged is a file that keys sign to show that they are one: it is signed as
// a file is, and is none that people bring.
const challenged = "challenge"

// asFile reports whether an object is signed as a file is.
func asFile(object string) bool { return object == signedFile || object == challenged }

// backups is what the log says of keys that left a token and came into another.
type backups struct {
	entries []backupEntry
	copies  map[string]*audit.KeyUnwrap // by the copy's name
	sent    map[int64]sentCommand       // commands that keys and shares go in and out by, by outcome and intent
}

// A backupEntry is one entry about a backup, with its step.
type backupEntry struct {
	seq  int64
	step string
	data audit.Data
}

// A sentCommand is a command to a card, with what stands in the log of its data
// and answer.
type sentCommand struct {
	step, name, data, answer string
	done                     bool // the card answered 9000, or nobody knows
}

// takeBackup reads one entry.
func (f *facts) takeBackup(e *audit.Entry, size int) {
	b := &f.backups
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		if slices.Contains([]string{"IMPORT DKEK SHARE", "WRAP KEY", "UNWRAP KEY"}, d.Command) && f.hold(e.Seq, size) {
			b.sent[e.Seq] = sentCommand{step: e.Step, name: d.Command, data: d.Data, done: true}
		}
	case *audit.HSMOutcome:
		if c, ok := b.sent[d.Intent]; ok {
			c.answer, c.done = d.Data, d.Status == "9000"
			b.sent[e.Seq] = c
			if d.OK() {
				delete(b.sent, d.Intent)
			}
		}
	case *audit.DKEKShare, *audit.DKEKImport, *audit.KeyWrap, *audit.KeyCompare:
		if f.hold(e.Seq, size) {
			b.entries = append(b.entries, backupEntry{e.Seq, e.Step, d})
		}
	case *audit.KeyUnwrap:
		if f.hold(e.Seq, size) {
			b.entries, b.copies[d.Key] = append(b.entries, backupEntry{e.Seq, e.Step, d}), d
		}
	}
}

// isCopy reports whether the log says that one of two keys is a copy of the other.
func (f *facts) isCopy(one, other string) bool {
	a, b := f.backups.copies[one], f.backups.copies[other]
	return a != nil && a.Of == other || b != nil && b.Of == one
}

// checkBackups checks what the log says of key backups against the commands that
// the cards were sent, and the copies against each other.
func (v *verifier) checkBackups(c *Check) {
	imports, wraps := map[string]*audit.DKEKImport{}, map[string]*audit.KeyWrap{}
	for _, e := range v.log.backups.entries {
		c.Count++
		switch d := e.data.(type) {
		case *audit.DKEKImport:
			v.command(e, d.Call, "IMPORT DKEK SHARE", func(s sentCommand) (string, string) {
				return fmt.Sprintf("%02x%02x%s", d.Shares, d.Outstanding, keyCheckIn(d)), s.answer
			})
			imports[d.Token] = d
		case *audit.KeyWrap:
			v.command(e, d.Call, "WRAP KEY", func(s sentCommand) (string, string) { return "sha256:" + d.Blob, s.answer })
			v.sameKeyCheck(e, d.Token, d.KeyCheck, imports)
			wraps[d.Key] = d
		case *audit.KeyUnwrap:
			v.command(e, d.Call, "UNWRAP KEY", func(s sentCommand) (string, string) { return "sha256:" + d.Blob, s.data })
			v.sameKeyCheck(e, d.Token, d.KeyCheck, imports)
			v.checkRestored(e, d, wraps[d.Of])
		case *audit.KeyCompare:
			v.checkAlike(e, d)
		}
	}
}

// keyCheckIn is what a card answers as its key check value: zeros while shares
// are missing.
func keyCheckIn(d *audit.DKEKImport) string {
	if d.KeyCheck == "" {
		return strings.Repeat("0", 16)
	}
	return d.KeyCheck
}

// command looks for the command that an entry names: of its step, done, and with
// in it what the entry says. Of one whose outcome is unknown the log has no answer.
func (v *verifier) command(e backupEntry, call int64, name string, is func(sentCommand) (expected, found string)) {
	s, ok := v.log.backups.sent[call]
	if !ok || s.step != e.step || s.name != name || !s.done || call >= e.seq {
		v.unless(v.hides(call-2, call), KeyBackup, v.log.file, e.seq, "no "+name+" of its step did what the entry says", name, fmt.Sprintf("entry %d", call))
		return
	}
	if expected, found := is(s); found != "" && expected != found {
		v.findEntry(KeyBackup, v.log.file, e.seq, "the card and the entry do not say the same of "+name, expected, found)
	}
}

// sameKeyCheck compares the key check value of an entry with the one that the
// token had when its last share was imported, if that was in this ceremony.
func (v *verifier) sameKeyCheck(e backupEntry, token, check string, imports map[string]*audit.DKEKImport) {
	if d := imports[token]; d != nil && d.KeyCheck != check {
		v.findEntry(KeyBackup, v.log.file, e.seq, fmt.Sprintf("the key check value is not the one of token %q", token), d.KeyCheck, check)
	}
}

// checkRestored compares a restored key with the one that was wrapped, and says
// what nothing shows of it.
func (v *verifier) checkRestored(e backupEntry, d *audit.KeyUnwrap, w *audit.KeyWrap) {
	if w != nil {
		for what, pair := range map[string][2]string{
			"under another key check value": {w.KeyCheck, d.KeyCheck}, "from another blob": {w.Blob, d.Blob}, "from another file": {w.File.SHA256, d.File.SHA256},
		} {
			if pair[0] != pair[1] {
				v.findEntry(KeyBackup, v.log.file, e.seq, fmt.Sprintf("key %q was restored %s than it was wrapped", d.Of, what), pair[0], pair[1])
			}
		}
		if w.Serial == d.Serial {
			v.findEntry(KeyBackup, v.log.file, e.seq, fmt.Sprintf("key %q was restored onto the token that it came from", d.Of), "another serial number", d.Serial)
		}
	}
	key, of := v.log.keys[d.Key], v.log.keys[d.Of]
	if key != nil && of != nil && key.SPKI != of.SPKI {
		v.findEntry(KeyBackup, v.log.file, e.seq, fmt.Sprintf("the copy %q has another public key than %q", d.Key, d.Of), of.SPKISHA256, key.SPKISHA256)
	}
	v.findEntry(KeyCopied, v.log.file, e.seq, fmt.Sprintf("key %q on token %q (serial %q) is a copy of %q: it was not made in that token, and nothing attests that it was; each of the two tokens has to be guarded as the only one", d.Key, d.Token, d.Serial, d.Of), "", "")
}

// checkAlike verifies that both tokens signed the challenge with one key.
func (v *verifier) checkAlike(e backupEntry, d *audit.KeyCompare) {
	if len(d.Keys) != 2 || len(d.Signatures) != 2 || len(d.Serials) != 2 || d.Serials[0] == d.Serials[1] {
		v.findEntry(KeyBackup, v.log.file, e.seq, "the comparison is not one of two keys on two tokens", "", "")
		return
	}
	for i, name := range d.Keys {
		if k := v.log.keys[name]; k == nil || k.SPKISHA256 != d.SPKISHA256 {
			v.unless(v.hides(0, e.seq), KeyBackup, v.log.file, e.seq, fmt.Sprintf("key %q has another public key than the comparison says", name), d.SPKISHA256, "")
		}
		if !v.signedChallenge(name, d.Challenge, d.Signatures[i], e.seq) {
			v.unless(v.hides(0, e.seq), KeyBackup, v.log.file, e.seq, fmt.Sprintf("no signature of this log shows that key %q signed the challenge", name), d.Signatures[i].Name, "")
		}
	}
}

// signedChallenge reports whether an artifact before an entry is a key's signature
// over the challenge; that it verifies is checked with the artifacts.
func (v *verifier) signedChallenge(key string, challenge, signature audit.File, before int64) bool {
	for _, list := range v.artifactsOf {
		for _, a := range list {
			if a.File != signature || a.Object != detached || a.seq >= before {
				continue
			}
			_, t := v.signedBy(a)
			return t != nil && t.Key == key && t.Object == challenged && t.TBS == challenge
		}
	}
	return false
}

// checkChallenge looks at a challenge: a CA's key signs it, so that it must be
// nothing else.
func (v *verifier) checkChallenge(name string, seq int64, b []byte) {
	if !bytes.HasPrefix(b, []byte(audit.ChallengeHead)) {
		v.findEntry(SignedBytesDiffer, name, seq, "what is announced as a challenge does not begin as one", strings.TrimSpace(audit.ChallengeHead), "")
	}
}
