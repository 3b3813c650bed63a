// Package sample makes logs of invented ceremonies for the tests of the
// transcript and of what draws it. Its entries are not chained to each other.
package sample

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
)

// Origin is the origin of every sample log.
const Origin = "keyrite.example/rehearsal/3f9ac1d2774e4b0b9a1dbe5506e7cc18"

// A builder writes entries with a clock that runs evenly.
type builder struct {
	entries []*audit.Entry
	now     time.Time
	step    string
}

func newBuilder() *builder {
	return &builder{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
}

// add appends an entry and returns its number.
func (b *builder) add(d audit.Data) int64 {
	b.now = b.now.Add(7*time.Second + 312*time.Millisecond)
	seq := int64(len(b.entries))
	b.entries = append(b.entries, &audit.Entry{Seq: seq, Time: b.now, Step: b.step, Data: d})
	return seq
}

// call appends a PKCS#11 call with its outcome, "CKR_OK" unless rv says
// otherwise, and returns the outcome's number.
func (b *builder) call(i audit.HSMIntent, o audit.HSMOutcome) int64 {
	o.Intent, o.Function = b.add(&i), i.Function
	if o.RV == "" {
		o.RV = "CKR_OK"
	}
	if o.Micros == 0 {
		o.Micros = 180 + o.Intent*7
	}
	return b.add(&o)
}

// begin and end stand around a step's attempt; the actor and the witnesses
// acknowledge it.
func (b *builder) begin(s transcript.Step, kind, actor string, number, of, attempt int) {
	b.step = s.ID
	b.add(&audit.StepBegin{StepKind: kind, Title: s.Title, Number: number, Of: of, Attempt: attempt, Actor: actor})
}

func (b *builder) end(result, reason string, people ...string) {
	for i, p := range people {
		as := "witness"
		if i == 0 {
			as = "actor"
		}
		b.add(&audit.Ack{Person: p, As: as, What: "What was shown is what was announced.", Typed: initials[p]})
	}
	b.add(&audit.StepEnd{Result: result, Reason: reason})
	b.step = ""
}

// digest returns invented hash bytes in hex, the same for the same name.
func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

func file(name string, b []byte) audit.File {
	sum := sha256.Sum256(b)
	return audit.File{Name: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(b))}
}

// key returns a fixed Ed25519 key.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("sample key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// LogKey returns the verifier key of a segment, in the form of sumdb/note.
func LogKey(segment int) string {
	pub := key(fmt.Sprint(segment)).Public().(ed25519.PublicKey)
	v, err := note.NewEd25519VerifierKey(Origin, pub)
	if err != nil {
		panic("sample: a fixed key makes no verifier key: " + err.Error())
	}
	return v
}

// Sign returns the Ed25519 signature of a segment's log key over text.
func Sign(segment int, text string) []byte {
	return ed25519.Sign(key(fmt.Sprint(segment)), []byte(text))
}

// Seal signs every page as the log key of a segment does.
func Seal(src transcript.Source, pages []transcript.Page, segment int) []audit.Page {
	sealed := make([]audit.Page, len(pages))
	for i, d := range transcript.Digests(pages) {
		text := transcript.PageNote(src.Origin, src.Cover.Mode, i+1, len(pages), d, int64(len(src.Entries)), src.Head)
		sealed[i] = audit.Page{Digest: d.String(), Signature: hex.EncodeToString(Sign(segment, text))}
	}
	return sealed
}
