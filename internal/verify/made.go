package verify

import (
	"encoding/hex"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/pki"
)

// The most objects of one sort that are looked at.
const maxMade = 10000

// made is what the log says of the things that the ceremony made, beyond what
// facts has, and where the log must have been sealed.
type made struct {
	count  int
	before audit.Data // the entry before the one that is read, clock jumps left out
	jumps  int64      // clock jumps directly before it

	endsAt  int64   // size after the step end or close that was read last; 0 for none
	ends    []int64 // sizes at which a checkpoint must be kept
	places  map[int64]place
	sealed  bool // nothing stands between the last transcript entry and the close
	answers []audit.Answer
	asked   []requested
	filed   []broughtFile
	finals  map[int64]*end
	gone    []gone
	exports []exported
	reads   map[string]*keyRead // by step
	born    map[int64]birth
	found   map[string]int64 // step → the decision to take a key for the ceremony's own
	judged  []judgedKey
	tokens  map[string]*audit.Token
	origins []originEntry
}

// A place is where a transcript entry stands.
type place struct {
	from    int64 // the first of the clock jumps before it, or itself
	follows bool  // another transcript entry is directly before it
}

// requested is a certificate request with what was typed from paper in the
// same attempt.
type requested struct {
	seq     int64
	csr     *audit.CSR
	answers []audit.Answer
}

// broughtFile is a file that was brought to be signed, with what was typed from
// paper in the same attempt.
type broughtFile struct {
	seq     int64
	file    audit.File
	answers []audit.Answer
}

// exported is one export entry.
type exported struct {
	seq int64
	*audit.Export
}

// A birth is an entry that a key may name as the call that made it.
type birth struct {
	step    string
	outcome bool // C_GenerateKeyPair returned CKR_OK; else nobody saw that it did
}

// A keyRead is what the token said last, in one step, of a key's two halves.
type keyRead struct {
	public, private []audit.Attribute
}

// A judgedKey is one key entry with what the token said before it.
type judgedKey struct {
	seq  int64
	step string
	*audit.Key
	said    keyRead
	adopted int64 // the room's decision in that step, -1 if there is none
}

func newMade() made {
	return made{
		finals: map[int64]*end{}, places: map[int64]place{}, reads: map[string]*keyRead{}, born: map[int64]birth{}, found: map[string]int64{}, tokens: map[string]*audit.Token{},
	}
}

// paperQuestion is what a person is asked who compares a certificate request.
const paperQuestion = "SHA-256 of the certificate request, from paper"

// fileQuestion is the same for a file that is to be signed.
const fileQuestion = "SHA-256 of the file, from paper"

// adoptQuestion and adoptAnswer take a key for the ceremony's own though nobody
// saw it made.
const (
	adoptQuestion = "Is it the key that this ceremony generated?"
	adoptAnswer   = "ours"
)

// takeMade reads one entry of size bytes.
func (f *facts) takeMade(e *audit.Entry, size int) {
	if _, jump := e.Data.(*audit.ClockJump); jump {
		f.made.jumps++
		return
	}
	f.takeEnds(e)
	switch d := e.Data.(type) {
	case *audit.StepBegin:
		f.made.answers = nil
	case *audit.Answer:
		if (d.Question == paperQuestion || d.Question == fileQuestion) && f.hold(e.Seq, size) {
			f.made.answers = append(f.made.answers, *d)
		}
	case *audit.CSR:
		if f.hold(e.Seq, size) {
			f.made.asked = append(f.made.asked, requested{e.Seq, d, slices.Clone(f.made.answers)})
		}
	case *audit.Artifact:
		if d.Object == signedFile && f.hold(e.Seq, size) {
			f.made.filed = append(f.made.filed, broughtFile{e.Seq, d.File, f.made.answers})
			f.made.answers = nil
		}
	case *audit.Export:
		if f.hold(e.Seq, size) {
			f.made.exports = append(f.made.exports, exported{e.Seq, d})
		}
	case *audit.Token:
		if f.hold(e.Seq, size) {
			f.made.tokens[d.Name] = d
		}
	case *audit.HSMIntent, *audit.HSMOutcome, *audit.HSMUnknown, *audit.Decision, *audit.Key:
		f.takeKey(e, size)
	}
	switch e.Data.(type) {
	case *audit.ToBeSigned, *audit.Artifact, *audit.Key, *audit.CSR, *audit.Export:
		if f.made.count++; f.made.count > maxMade {
			f.hold(e.Seq, f.v.limit())
		}
	}
	f.made.before, f.made.jumps = e.Data, 0
}

// takeEnds notes where a checkpoint must be kept: at the end of a step that is
// over and at the close. A run that broke off before it could keep one goes on
// with a segment whose first entry holds the checkpoint instead.
func (f *facts) takeEnds(e *audit.Entry) {
	if _, broke := e.Data.(*audit.SegmentOpen); f.made.endsAt > 0 && !broke && f.hold(e.Seq, 8) {
		f.made.ends = append(f.made.ends, f.made.endsAt)
	}
	f.made.endsAt = 0
	_, afterPage := f.made.before.(*audit.Transcript)
	switch d := e.Data.(type) {
	case *audit.StepEnd:
		if d.Result != "failed" {
			f.made.endsAt = e.Seq + 1
		}
	case *audit.Transcript:
		if f.hold(e.Seq, 24) {
			f.made.places[e.Seq] = place{e.Seq - f.made.jumps, afterPage}
		}
	case *audit.Close:
		f.made.sealed = afterPage
	}
}

// takeKey reads an entry about where a key comes from and what it is.
func (f *facts) takeKey(e *audit.Entry, size int) {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		if d.Function == "C_GenerateKeyPair" && f.hold(e.Seq, size) {
			f.made.born[e.Seq] = birth{step: e.Step}
		}
	case *audit.HSMUnknown:
		// The room's word for a lost outcome is reported as E-CALL-UNKNOWN.
		if b, ok := f.made.born[d.Intent]; ok && f.hold(e.Seq, size) {
			b.outcome = d.Decided == "it happened"
			f.made.born[d.Intent], f.made.born[e.Seq] = b, b
		}
	case *audit.HSMOutcome:
		if b, ok := f.made.born[d.Intent]; ok && d.Function == "C_GenerateKeyPair" && d.RV == "CKR_OK" && f.hold(e.Seq, size) {
			b.outcome = true
			f.made.born[e.Seq] = b
		}
		if len(d.Attributes) > 0 {
			f.takeAttributes(e, d, size)
		}
	case *audit.Decision:
		if d.Question == adoptQuestion && d.Chosen == adoptAnswer && f.hold(e.Seq, len(e.Step)+8) {
			f.made.found[e.Step] = e.Seq
		}
	case *audit.Key:
		if !f.hold(e.Seq, size) {
			return
		}
		k := judgedKey{seq: e.Seq, step: e.Step, Key: d, adopted: -1}
		if r := f.made.reads[e.Step]; r != nil {
			k.said = *r
		}
		if seq, ok := f.made.found[e.Step]; ok {
			k.adopted = seq
		}
		f.made.judged = append(f.made.judged, k)
	}
}

// takeAttributes keeps what a token said of a key.
func (f *facts) takeAttributes(e *audit.Entry, d *audit.HSMOutcome, size int) {
	has := func(types ...string) bool {
		return slices.ContainsFunc(d.Attributes, func(a audit.Attribute) bool { return slices.Contains(types, a.Type) })
	}
	public, private := has("CKA_EC_POINT", "CKA_MODULUS"), has("CKA_SENSITIVE")
	if !public && !private || !f.hold(e.Seq, size) {
		return
	}
	r := f.made.reads[e.Step]
	if r == nil {
		r = new(keyRead)
		f.made.reads[e.Step] = r
	}
	if public {
		r.public = d.Attributes
	}
	if private {
		r.private = d.Attributes
	}
}

// publicKeyOf returns the SubjectPublicKeyInfo of what a token said of a public
// key.
func publicKeyOf(attributes []audit.Attribute) ([]byte, error) {
	values := map[string][]byte{}
	for _, a := range attributes {
		switch a.Type {
		case "CKA_EC_POINT", "CKA_EC_PARAMS", "CKA_MODULUS", "CKA_PUBLIC_EXPONENT":
			b, err := hex.DecodeString(a.Value)
			if err != nil {
				return nil, err
			}
			values[a.Type] = b
		}
	}
	pub, err := pki.PublicKeyFromPKCS11(values["CKA_EC_POINT"], values["CKA_EC_PARAMS"], values["CKA_MODULUS"], values["CKA_PUBLIC_EXPONENT"])
	if err != nil {
		return nil, err
	}
	der, _, err := pki.SPKISHA256(pub)
	return der, err
}
