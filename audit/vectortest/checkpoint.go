package vectortest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// checkpoint adds a vector of one signed checkpoint, to be checked with the
// log key and the witnesses' keys.
func (m *maker) checkpoint(name, about string, ok bool, body []byte, witnesses ...string) {
	finding := ""
	if !ok {
		finding = "E-CHECKPOINT-FORMAT"
	}
	m.add(Vector{
		Name: name, About: about, OK: ok, Input: InputCheckpoint, Finding: finding, Entry: -1, Offset: -1,
		LogKey: m.key(origin, "segment 0").VerifierKey(), Origin: origin, WitnessKeys: witnesses, Body: body,
	})
}

// head is what the checkpoints here say.
func (m *maker) head() audit.Checkpoint {
	b := m.simple(origin).bodies()
	return audit.Checkpoint{Origin: origin, Size: int64(len(b)), Root: root(b)}
}

// checkpoints adds checkpoint-, and those among ok-.
func (m *maker) checkpoints() {
	k, c := m.key(origin, "segment 0"), m.head()
	good := m.note(k, c.Text())
	m.checkpoint("ok-checkpoint", "a checkpoint of five entries", true, good)
	m.checkpoint("ok-checkpoint-other-line", "a second signature line, by a key that is not known", true, append(bytes.Clone(good), line("other.example", []byte("\x00\x01\x02\x03 not a signature"))...))
	texts := []struct{ name, about, text string }{
		{"checkpoint-size-zero", "the size has a leading zero", strings.Replace(c.Text(), "\n5\n", "\n05\n", 1)},
		{"checkpoint-size-sign", "the size has a plus sign", strings.Replace(c.Text(), "\n5\n", "\n+5\n", 1)},
		{"checkpoint-size-beyond", "the size is 2^53", strings.Replace(c.Text(), "\n5\n", "\n9007199254740992\n", 1)},
		{"checkpoint-root-bits", "the root's last character has bits that mean nothing", unused(c.Text())},
		{"checkpoint-root-padding", "the root has no padding", strings.Replace(c.Text(), "=\n", "\n", 1)},
		{"checkpoint-root-short", "the root has 31 bytes", fmt.Sprintf("%s\n5\n%s\n", origin, base64.StdEncoding.EncodeToString(c.Root[1:]))},
		{"checkpoint-root-hex", "the root is in hex", fmt.Sprintf("%s\n5\n%s\n", origin, c.Root)},
		{"checkpoint-root-url", "the root is in the base64 of URLs", urlRoot()},
		{"checkpoint-extension", "a fourth line: this format has no extensions", c.Text() + "more\n"},
		{"checkpoint-empty-line", "an empty fourth line", c.Text() + "\n"},
		{"checkpoint-two-lines", "the root is missing", fmt.Sprintf("%s\n5\n", origin)},
		{"checkpoint-page", "the note of a page of the transcript", page(c)},
		{"checkpoint-manifest", "a manifest", manifest(c)},
	}
	for _, t := range texts {
		m.checkpoint(t.name, t.about, false, m.note(k, t.text))
	}
	m.badNotes(k, c, good)
}

// unused sets a bit that decoding drops.
func unused(text string) string {
	i := len(text) - 3
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return text[:i] + string(alphabet[strings.IndexByte(alphabet, text[i])+1]) + text[i+1:]
}

// unusedBits sets a bit of a note's last signature that decoding drops.
func unusedBits(note []byte) []byte { return []byte(unused(string(note))) }

// urlRoot is a checkpoint's text whose root has the characters in which the two
// forms of base64 differ.
func urlRoot() string {
	var r audit.Hash
	copy(r[:], bytes.Repeat([]byte{0xff, 0xef}, 16))
	return fmt.Sprintf("%s\n5\n%s\n", origin, base64.URLEncoding.EncodeToString(r[:]))
}

// page is the text that the log key signs of a page; docs/transcript.md.
func page(c audit.Checkpoint) string {
	return fmt.Sprintf("keyrite page v1\norigin %s\nmode rehearsal\npage 1 of 1\ndigest %064x\nlog %d %s\n", origin, 7, c.Size, c.Root)
}

// manifest is the text that the log key signs last; docs/bundle.md.
func manifest(c audit.Checkpoint) string {
	return fmt.Sprintf("keyrite manifest v1\norigin %s\nsize %d\nroot %s\nsums %064x\n", origin, c.Size, c.Root, 7)
}

// line is one signature line of a note.
func line(name string, signature []byte) []byte {
	return []byte("— " + name + " " + base64.StdEncoding.EncodeToString(signature) + "\n")
}

// badNotes adds checkpoints whose text is right and whose note is not.
func (m *maker) badNotes(k *audit.LogKey, c audit.Checkpoint, good []byte) {
	text := c.Text()
	raw, err := k.Sign([]byte(text))
	if err != nil {
		m.fail(err)
	}
	id := binary.BigEndian.AppendUint32(nil, k.KeyHash())
	broken := append(bytes.Clone(id), raw...)
	broken[40] ^= 1
	other := audit.Checkpoint{Origin: otherOrigin, Size: c.Size, Root: c.Root}
	for _, n := range []struct {
		name, about string
		note        []byte
	}{
		{"checkpoint-wrong-key", "signed by another key of the same name", m.note(m.key(origin, "forger"), text)},
		{"checkpoint-wrong-key-same-hash", "signed by another key, with the right key's hash", append([]byte(text+"\n"), line(origin, append(bytes.Clone(id), m.raw(m.key(origin, "forger"), text)...))...)},
		{"checkpoint-wrong-origin", "another log's checkpoint, by that log's key", m.note(m.key(otherOrigin, "segment 0"), other.Text())},
		{"checkpoint-wrong-origin-signed", "another log's origin, signed by this log's key", m.note(k, other.Text())},
		{"checkpoint-signature-broken", "one bit of the signature is another", append([]byte(text+"\n"), line(origin, broken)...)},
		{"checkpoint-signature-short", "the last byte of the signature is missing", append([]byte(text+"\n"), line(origin, append(bytes.Clone(id), raw[:63]...))...)},
		{"checkpoint-text-changed", "the size is another than was signed", bytes.Replace(good, []byte("\n5\n"), []byte("\n6\n"), 1)},
		{"checkpoint-unsigned", "no signature line", []byte(text + "\n")},
		{"checkpoint-no-empty-line", "no empty line before the signature", bytes.Replace(good, []byte("\n\n"), []byte("\n"), 1)},
		{"checkpoint-cut", "the last line does not end", bytes.TrimSuffix(good, []byte("\n"))},
		{"checkpoint-hyphen", "a hyphen in the place of the em dash", bytes.Replace(good, []byte("—"), []byte("-"), 1)},
		{"checkpoint-crlf", "lines end in carriage return and line feed", bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n"))},
		{"checkpoint-trailing", "a line behind the signatures that is none", append(bytes.Clone(good), "thanks\n"...)},
		{"checkpoint-signature-twice", "the signature line is there twice", append(bytes.Clone(good), line(origin, append(bytes.Clone(id), raw...))...)},
		{"checkpoint-signature-bits", "the last character of the signature has bits that mean nothing", unusedBits(good)},
		{"checkpoint-base64", "the signature is no base64", bytes.Replace(good, []byte(origin+" "), []byte(origin+" *"), 1)},
	} {
		m.checkpoint(n.name, n.about, false, n.note)
	}
}

// raw is a bare signature.
func (m *maker) raw(k *audit.LogKey, text string) []byte {
	b, err := k.Sign([]byte(text))
	if err != nil {
		m.fail(err)
	}
	return b
}

// A witness is a key that cosigns checkpoints.
type witness struct {
	name    string
	private ed25519.PrivateKey
}

func newWitness(name string) witness {
	seed := sha256.Sum256([]byte("keyrite test vector witness " + name))
	return witness{name, ed25519.NewKeyFromSeed(seed[:])}
}

// Types of a note's key: plain Ed25519, and a witness's.
const (
	typeEd25519     = 0x01
	typeCosignature = 0x04
)

// key returns the public key with the type before it, and its key ID.
func (w witness) key(typ byte) (key, id []byte) {
	key = append([]byte{typ}, w.private.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(w.name+"\n"), key...))
	return key, sum[:4]
}

// vkey returns the verifier key in the form of C2SP signed-note.
func (w witness) vkey(typ byte) string {
	key, id := w.key(typ)
	return w.name + "+" + hex.EncodeToString(id) + "+" + base64.StdEncoding.EncodeToString(key)
}

// cosign returns a C2SP tlog-cosignature line over signed, as if made at one
// time and dated at another.
func (w witness) cosign(signed string, made, dated uint64) []byte {
	_, id := w.key(typeCosignature)
	sig := ed25519.Sign(w.private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", made, signed))
	return line(w.name, append(binary.BigEndian.AppendUint64(bytes.Clone(id), dated), sig...))
}

// cosignatures adds cosignature-, and those among ok-.
func (m *maker) cosignatures() {
	k, c := m.key(origin, "segment 0"), m.head()
	good := m.note(k, c.Text())
	alice, bob := newWitness("witness.example/alice"), newWitness("witness.example/bob")
	key := alice.vkey(typeCosignature)
	with := func(lines ...[]byte) []byte { return append(bytes.Clone(good), bytes.Join(lines, nil)...) }
	const now = 1772615704
	smaller, other := c, c
	smaller.Size, other.Origin = 4, otherOrigin
	m.checkpoint("ok-cosignature", "cosigned by one witness", true, with(alice.cosign(c.Text(), now, now)), key)
	m.checkpoint("ok-cosignature-two", "cosigned by two witnesses, both of whom are asked for", true, with(bob.cosign(c.Text(), now, now), alice.cosign(c.Text(), now+9, now+9)), key, bob.vkey(typeCosignature))
	m.checkpoint("ok-cosignature-unknown", "cosigned by a witness who is asked for and one who is not", true, with(bob.cosign(c.Text(), now, now), alice.cosign(c.Text(), now, now)), key)
	_, plain := alice.key(typeEd25519)
	_, id := alice.key(typeCosignature)
	flipped := alice.cosign(c.Text(), now, now)
	for _, x := range []struct {
		name, about string
		line        []byte
	}{
		{"cosignature-missing", "the witness who is asked for did not sign", nil},
		{"cosignature-other-witness", "another witness signed than the one who is asked for", bob.cosign(c.Text(), now, now)},
		{"cosignature-wrong-time", "the time beside the signature is another than the one that was signed", alice.cosign(c.Text(), now, now+1)},
		{"cosignature-other-size", "a cosignature of the checkpoint of four entries", alice.cosign(smaller.Text(), now, now)},
		{"cosignature-other-origin", "a cosignature of another log's checkpoint", alice.cosign(other.Text(), now, now)},
		{"cosignature-wrong-key", "another key signed under the witness's name and key ID", line(alice.name, append(binary.BigEndian.AppendUint64(bytes.Clone(id), now), ed25519.Sign(bob.private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", now, c.Text()))...))},
		{"cosignature-plain", "the witness's key signed the checkpoint as a plain Ed25519 key, type 0x01", line(alice.name, append(bytes.Clone(plain), ed25519.Sign(alice.private, []byte(c.Text()))...))},
		{"cosignature-plain-id", "a plain Ed25519 signature under the key ID of type 0x04", line(alice.name, append(bytes.Clone(id), ed25519.Sign(alice.private, []byte(c.Text()))...))},
		{"cosignature-whole-note", "what was signed is the whole note with the log's signature, not its text", alice.cosign(string(good), now, now)},
		{"cosignature-no-header", "what was signed lacks the line cosignature/v1", line(alice.name, append(binary.BigEndian.AppendUint64(bytes.Clone(id), now), ed25519.Sign(alice.private, fmt.Appendf(nil, "time %d\n%s", now, c.Text()))...))},
		{"cosignature-short", "the last byte is missing", line(alice.name, append(bytes.Clone(id), bytes.Repeat([]byte{1}, 71)...))},
		{"cosignature-renamed", "a right cosignature under another name", bytes.Replace(flipped, []byte("alice"), []byte("alina"), 1)},
	} {
		m.checkpoint(x.name, x.about, false, with(x.line), key)
	}
	m.checkpoint("cosignature-alone", "a right cosignature, and no signature by the log key", false, append([]byte(c.Text()+"\n"), flipped...), key)
}
