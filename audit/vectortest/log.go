package vectortest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// The origins of the vectors' logs, and of a log that is not theirs.
const (
	origin      = "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	otherOrigin = "keyrite.ceremony/rehearsal/00112233445566778899aabbccddeeff"
)

// key returns the log key of a name, made from a seed that everybody knows.
func (m *maker) key(origin, name string) *audit.LogKey {
	seed := sha256.Sum256([]byte("keyrite test vector key " + name))
	k, err := audit.NewLogKey(origin, bytes.NewReader(seed[:]))
	if err != nil {
		m.fail(err)
	}
	return k
}

// A draft is a log that is still a list of entries, each of which may be
// changed before all of it is written.
type draft struct {
	m       *maker
	origin  string
	entries []*audit.Entry
	keys    []*audit.LogKey // one a segment
}

// program is what wrote the vectors' logs, by their own word.
var program = audit.Program{Version: "1.0.0", Go: "go1.26.0", Platform: "linux/amd64", SHA256: strings.Repeat("b1", 32)}

// newDraft begins a log of a given origin.
func (m *maker) newDraft(origin string) *draft {
	d := &draft{m: m, origin: origin, keys: []*audit.LogKey{m.key(origin, "segment 0")}}
	d.add("", &audit.LogOpen{
		Format: audit.FormatVersion, Origin: origin, Mode: audit.ModeRehearsal, LogKey: d.keys[0].VerifierKey(), Program: program,
		Script: audit.File{Name: "script.yaml", SHA256: strings.Repeat("5c", 32), Size: 4096},
		Title:  "Root ceremony", Organisation: "Example CA", Place: "Example Town", Purpose: "A test vector",
		Participants: []audit.Participant{{ID: "w1", Name: "Ελένη", Initials: "Ε", Roles: []string{"internal-witness"}}},
		Plan:         []audit.PlanStep{},
	})
	return d
}

// add appends an entry; number, link, salt and time follow from its place.
func (d *draft) add(step string, data audit.Data) {
	n := len(d.entries)
	salt := sha256.Sum256(fmt.Appendf(nil, "keyrite test vector salt %d", n))
	d.entries = append(d.entries, &audit.Entry{
		Seq: int64(n), Time: time.Date(2026, 3, 4, 9, 15, n, 123456789, time.UTC), Step: step, Data: data, Salt: [audit.SaltSize]byte(salt[:]),
	})
}

// link gives every entry its number and the hash of the one before.
func (d *draft) link() {
	var prev audit.Hash
	for i, e := range d.entries {
		e.Seq, e.Prev = int64(i), prev
		prev = audit.LeafHash(d.encode(e))
	}
}

func (d *draft) encode(e *audit.Entry) []byte {
	b, err := e.Marshal()
	if err != nil {
		d.m.fail(err)
	}
	return b
}

// bodies returns the encoded entries as they are, linked or not.
func (d *draft) bodies() (list [][]byte) {
	for _, e := range d.entries {
		list = append(list, d.encode(e))
	}
	return list
}

// root returns the root over encoded entries.
func root(bodies [][]byte) audit.Hash {
	var tree audit.Frontier
	for _, b := range bodies {
		tree.Append(audit.LeafHash(b))
	}
	return tree.Root()
}

// sign returns a signed checkpoint over encoded entries.
func (m *maker) sign(k *audit.LogKey, origin string, bodies [][]byte) []byte {
	return m.note(k, audit.Checkpoint{Origin: origin, Size: int64(len(bodies)), Root: root(bodies)}.Text())
}

// note signs any text.
func (m *maker) note(k *audit.LogKey, text string) []byte {
	b, err := k.SignNote(text)
	if err != nil {
		m.fail(err)
	}
	return b
}

// last returns the key of the last segment.
func (d *draft) last() *audit.LogKey { return d.keys[len(d.keys)-1] }

// simple is a closed log of one segment, without a step.
func (m *maker) simple(origin string) *draft {
	d := m.newDraft(origin)
	d.read()
	d.add("", &audit.Result{Name: "a \"quoted\"\ttab", Value: "\\ / \u001f <😀"})
	d.add("", &audit.Result{Name: "weather", Value: "fair"})
	d.close()
	return d
}

// read records that the last segment's key was read aloud.
func (d *draft) read() {
	vkey := d.last().VerifierKey()
	sum := sha256.Sum256([]byte(vkey))
	d.add("", &audit.KeyRead{LogKey: vkey, Words: strings.Join(audit.Words(sum[:]), " "), People: []string{"w1"}})
}

func (d *draft) close() {
	d.add("", &audit.Close{Result: "complete", Size: int64(len(d.entries)) + 1})
	d.link()
}

// lines returns log.jsonl of encoded entries.
func lines(bodies [][]byte) []byte {
	var out []byte
	for _, b := range bodies {
		out = append(append(out, b...), '\n')
	}
	return out
}

// log adds a vector of a log.
func (m *maker) log(name, about string, v Vector, jsonl, checkpoint []byte) {
	v.Name, v.About, v.Input = name, about, InputLog
	v.Lines, v.Body = int64(len(jsonl)), append(bytes.Clone(jsonl), checkpoint...)
	m.add(v)
}

// fails says what keyrite-verify answers to a log: the code and the entry.
func fails(finding string, entry int64) Vector {
	return Vector{Finding: finding, Entry: entry, Offset: -1}
}

// holds is the answer to a log that is as it should be.
var holds = Vector{OK: true, Entry: -1, Offset: -1}

// logs adds ok- and chain-.
func (m *maker) logs() {
	d := m.simple(origin)
	b := d.bodies()
	signed := m.sign(d.last(), origin, b)
	m.log("ok-log", "a closed log of five entries", holds, lines(b), signed)

	list := func(at ...int) (out [][]byte) {
		for _, i := range at {
			out = append(out, b[i])
		}
		return out
	}
	m.log("chain-dropped", "entry 2 is missing", fails("E-CHAIN-BROKEN", 2), lines(list(0, 1, 3, 4)), signed)
	m.log("chain-swapped", "entries 2 and 3 have changed places", fails("E-CHAIN-BROKEN", 2), lines(list(0, 1, 3, 2, 4)), signed)
	m.log("chain-repeated", "entry 2 is there twice", fails("E-CHAIN-BROKEN", 3), lines(list(0, 1, 2, 2, 3, 4)), signed)
	m.log("chain-cut-tail", "the last two entries are missing", fails("E-LOG-CUT", -1), lines(list(0, 1, 2)), signed)
	m.log("chain-cut-line", "the last line does not end", fails("E-LINES-FORMAT", -1), bytes.TrimSuffix(lines(b), []byte("\n")), signed)
	m.log("chain-empty-line", "an empty line stands between two entries", fails("E-ENTRY-FORMAT", 2), lines([][]byte{b[0], b[1], {}, b[2], b[3], b[4]}), signed)
	m.log("chain-crlf", "lines end in carriage return and line feed", fails("E-ENTRY-FORMAT", 0), bytes.ReplaceAll(lines(b), []byte("\n"), []byte("\r\n")), signed)
	m.log("chain-wrong-first", "the log begins with its second entry", fails("E-CHAIN-BROKEN", 0), lines(list(1, 2, 3, 4)), signed)
	m.log("chain-tail-added", "an entry that follows from the last one was added, unsigned", fails("E-UNSIGNED-TAIL", 5), lines(append(list(0, 1, 2, 3, 4), m.after(d))), signed)
	m.changed(signed)
	m.signedWrong()
}

// after returns an entry that could follow the last one of a log.
func (m *maker) after(d *draft) []byte {
	d.add("", &audit.Result{Name: "late", Value: "addition"})
	d.link()
	b := d.encode(d.entries[len(d.entries)-1])
	d.entries = d.entries[:len(d.entries)-1]
	return b
}

// changed adds logs in which an entry was changed afterwards.
func (m *maker) changed(signed []byte) {
	d := m.simple(origin)
	was := d.bodies()
	d.entries[3].Data.(*audit.Result).Value = "foul"
	now := d.bodies()
	m.log("chain-changed", "entry 3 was changed, nothing else", fails("E-CHAIN-BROKEN", 4), lines(now), signed)
	d.link()
	m.log("chain-recomputed", "entry 3 was changed and every hash behind it made again; the checkpoint is the old one", fails("E-CHECKPOINT-ROOT", -1), lines(d.bodies()), signed)
	m.log("chain-resigned", "the same, and the checkpoint signed again by another key of the same name", fails("E-CHECKPOINT-SIGNATURE", -1), lines(d.bodies()), m.sign(m.key(origin, "forger"), origin, d.bodies()))

	salted := bytes.Replace(was[3], []byte(`"salt":"`), []byte(`"salt":"0`), 1)
	salted = append(salted[:bytes.Index(salted, []byte(`","seq"`))-1:bytes.Index(salted, []byte(`","seq"`))-1], salted[bytes.Index(salted, []byte(`","seq"`)):]...)
	m.log("chain-salt", "the salt of entry 3 is another", fails("E-CHAIN-BROKEN", 4), lines([][]byte{was[0], was[1], was[2], salted, was[4]}), signed)
	inserted := *d.entries[3]
	inserted.Data = &audit.Result{Name: "nothing", Value: "inserted"}
	inserted.Seq, inserted.Prev = 3, audit.LeafHash(was[2])
	m.log("chain-inserted", "an entry was put in front of entry 3 that follows from entry 2", fails("E-CHAIN-BROKEN", 4), lines([][]byte{was[0], was[1], was[2], d.encode(&inserted), was[3], was[4]}), signed)
}

// signedWrong adds logs that the log key itself signed and that are wrong all
// the same: a writer that does not keep the rules.
func (m *maker) signedWrong() {
	for _, c := range []struct {
		name, about string
		v           Vector
		change      func(d *draft)
	}{
		{"chain-wrong-prev", "entry 3 has another prev than the hash of entry 2; root and signature are right", fails("E-CHAIN-BROKEN", 3), func(d *draft) {
			d.entries[3].Prev[0] ^= 1
			d.entries[4].Prev = audit.LeafHash(d.encode(d.entries[3]))
		}},
		{"chain-first-prev", "entry 0 has a prev other than zeros; root and signature are right", fails("E-CHAIN-BROKEN", 0), func(d *draft) {
			d.entries[0].Prev[31] = 1
			for i := 1; i < 5; i++ {
				d.entries[i].Prev = audit.LeafHash(d.encode(d.entries[i-1]))
			}
		}},
		{"chain-wrong-seq", "entry 3 says that it is entry 4; root and signature are right", fails("E-CHAIN-BROKEN", 3), func(d *draft) {
			d.entries[3].Seq, d.entries[4].Seq = 4, 5
			d.entries[4].Prev = audit.LeafHash(d.encode(d.entries[3]))
		}},
		{"chain-two-opens", "a second log-open, in its place and signed", fails("E-LOG-GRAMMAR", 3), func(d *draft) {
			d.entries[3].Data = d.entries[0].Data
			d.link()
		}},
		{"chain-no-open", "the first entry is no log-open; its place is signed", fails("E-LOG-GRAMMAR", 0), func(d *draft) {
			d.entries[0].Data = d.entries[2].Data
			d.link()
		}},
		{"chain-after-close", "an entry follows the close, and all of it is signed", fails("E-AFTER-CLOSE", 5), func(d *draft) {
			d.add("", &audit.Result{Name: "late", Value: "addition"})
			d.link()
		}},
		{"chain-format-2", "a format version that no reader of version 1 knows", fails("E-LOG-GRAMMAR", 0), func(d *draft) {
			d.entries[0].Data.(*audit.LogOpen).Format = 2
			d.link()
		}},
		{"chain-mode", "the mode is production, the origin says rehearsal", fails("E-MODE-DIFFERS", 0), func(d *draft) {
			d.entries[0].Data.(*audit.LogOpen).Mode = audit.ModeProduction
			d.link()
		}},
	} {
		d := m.simple(origin)
		c.change(d)
		m.log(c.name, c.about, c.v, lines(d.bodies()), m.sign(d.last(), origin, d.bodies()))
	}
}
