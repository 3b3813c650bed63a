package transcript

import (
	"crypto/sha256"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

func drawVerdict(t *teller, d *audit.Verdict) {
	who, upTo := t.f.name(d.Person), plural(int(d.Size), "entry")
	switch {
	case d.Missing:
		t.alarm("%s gave NO VERDICT on what was done up to here: %s. That is not agreement.", who, upTo)
	case d.Agree:
		t.say("%s AGREES with what was done up to here: %s.", who, upTo)
	default:
		t.alarm("%s DOES NOT AGREE with what was done up to here: %s.", who, upTo)
	}
	t.some("because", d.Because)
	t.hex("head", d.Head)
	if d.Note != "" {
		t.listing("signed note", signedLines(d.Note))
	}
	if d.Exposed {
		t.alarm("The key that signed it was EXPOSED TO THE MACHINE.")
	}
}

func drawWitnessKey(t *teller, d *audit.WitnessKeyRead) {
	how := map[string]string{
		"script":  "as it stands in the script",
		"adopted": "ADOPTED at this roll call: it does not stand in the script",
	}[d.How]
	t.say("%s witnesses with a key of their own, %s (%s).", t.f.name(d.Person), how, d.How)
	t.fact("witness key", d.Key)
	sum := sha256.Sum256([]byte(d.Key))
	t.fact("words", strings.Join(audit.Words(sum[:]), " "))
}

func drawCosigned(t *teller, d *audit.Cosigned) {
	t.say("%s COSIGNED the checkpoint of %s.", t.f.name(d.Person), plural(int(d.Size), "entry"))
	t.fact("line", d.NoteLine)
	if c, err := audit.ParseCosignature(d.NoteLine); err == nil {
		t.fact("signed at", moment(c.At())+" by the witness's machine")
	}
	if d.Exposed {
		t.alarm("The key that signed it was EXPOSED TO THE MACHINE: the time above is that of whoever used it.")
	}
}

func drawKeyExposed(t *teller, d *audit.WitnessKeyExposed) {
	name := d.Key
	if k, err := audit.ParseWitnessKey(d.Key); err == nil {
		name = k.Name()
	}
	t.alarm("%s unlocked the witness key %s on the ceremony machine, for a %s. From here on it is EXPOSED TO THE MACHINE: what it signs, before and afterwards, the machine could have signed.", t.f.name(d.Person), name, d.For)
	t.fact("key file", d.File)
	t.fact("witness key", d.Key)
}

func drawFreshness(t *teller, d *audit.Freshness) {
	t.say("%s brought a public value that nobody could know before it was published.", t.f.name(d.Person))
	t.fact("source", d.Source)
	t.fact("value", d.Value)
	t.fact("public since", d.Claimed+", as said")
}

// signedLines returns the lines of a signed note.
func signedLines(note string) []string { return strings.Split(strings.TrimSuffix(note, "\n"), "\n") }
