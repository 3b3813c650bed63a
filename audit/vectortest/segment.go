package vectortest

import (
	"github.com/keyrite/keyrite/audit"
)

// resume begins the next segment of a log: its first entry carries the
// checkpoint, the people adopt the head, the new key is read aloud.
func (d *draft) resume(k *audit.LogKey, checkpoint []byte) {
	size, head := int64(len(d.entries)), root(d.bodies())
	d.add("", &audit.SegmentOpen{Segment: len(d.keys), LogKey: k.VerifierKey(), Checkpoint: string(checkpoint), Reason: "break", Program: program})
	d.keys = append(d.keys, k)
	d.add("", &audit.SegmentAdopt{Size: size, Head: head.String(), Seen: "typed", People: []string{"w1"}, Custody: "the operator, bag 7"})
	d.read()
}

// broken is a log of one segment that broke off after three entries.
func (m *maker) broken() (d *draft, checkpoint []byte) {
	d = m.newDraft(origin)
	d.read()
	d.add("", &audit.Result{Name: "weather", Value: "fair"})
	d.link()
	return d, m.sign(d.keys[0], origin, d.bodies())
}

// resumed is a closed log of two segments; entry 3 opens the second.
func (m *maker) resumed() *draft {
	d, checkpoint := m.broken()
	d.resume(m.key(origin, "segment 1"), checkpoint)
	d.close()
	return d
}

// segments adds segment- and the logs of several segments among ok-.
func (m *maker) segments() {
	d := m.resumed()
	m.log("ok-segments", "a closed log of two segments; entry 3 opens the second", holds, lines(d.bodies()), m.sign(d.last(), origin, d.bodies()))
	m.log("segment-old-key", "the final checkpoint is signed by the key of the first segment", fails("E-CHECKPOINT-SIGNATURE", -1), lines(d.bodies()), m.sign(d.keys[0], origin, d.bodies()))

	d, _ = m.broken()
	d.add("", &audit.Result{Name: "weather", Value: "fair again"})
	d.close()
	m.log("segment-missing-open", "a second key signs the end of the log and no segment-open names it", fails("E-CHECKPOINT-SIGNATURE", -1), lines(d.bodies()), m.sign(m.key(origin, "segment 1"), origin, d.bodies()))

	for _, c := range []struct {
		name, about, finding string
		key                  string // of the second segment
		checkpoint           func(d *draft, real []byte) []byte
	}{
		{"segment-key-reused", "the second segment has the first one's key", "E-LOG-GRAMMAR", "segment 0", func(_ *draft, real []byte) []byte { return real }},
		{"segment-rollback", "segment-open carries a checkpoint of fewer entries than stand before it", "E-SEGMENT-CHECKPOINT", "segment 1", func(d *draft, _ []byte) []byte {
			return m.sign(d.keys[0], origin, d.bodies()[:2])
		}},
		{"segment-ahead", "segment-open carries a checkpoint of more entries than stand before it: the log was rolled back", "E-SEGMENT-CHECKPOINT", "segment 1", func(d *draft, _ []byte) []byte {
			return m.sign(d.keys[0], origin, append(d.bodies(), m.after(d)))
		}},
		{"segment-other-root", "segment-open carries a checkpoint of the right size and another root", "E-SEGMENT-CHECKPOINT", "segment 1", func(d *draft, _ []byte) []byte {
			return m.sign(d.keys[0], origin, append(d.bodies()[:2], m.after(d)))
		}},
		{"segment-new-key-signs-old", "the checkpoint in segment-open is signed by the second segment's key", "E-SEGMENT-CHECKPOINT", "segment 1", func(d *draft, _ []byte) []byte {
			return m.sign(m.key(origin, "segment 1"), origin, d.bodies())
		}},
		{"segment-other-log", "the checkpoint in segment-open is another log's", "E-SEGMENT-CHECKPOINT", "segment 1", func(d *draft, _ []byte) []byte {
			return m.sign(m.key(otherOrigin, "segment 0"), otherOrigin, d.bodies())
		}},
		{"segment-no-checkpoint", "segment-open carries no checkpoint", "E-SEGMENT-CHECKPOINT", "segment 1", func(*draft, []byte) []byte { return nil }},
	} {
		d, real := m.broken()
		d.resume(m.key(origin, c.key), c.checkpoint(d, real))
		d.close()
		m.log(c.name, c.about, fails(c.finding, 3), lines(d.bodies()), m.sign(d.last(), origin, d.bodies()))
	}
	m.renamed()
}

// renamed adds logs of two segments whose second one says something wrong of
// itself.
func (m *maker) renamed() {
	d, real := m.broken()
	d.resume(m.key(origin, "segment 1"), real)
	d.entries[3].Data.(*audit.SegmentOpen).Segment = 2
	d.close()
	m.log("segment-number", "segment-open says it is segment 2; it is the second, number 1", fails("E-LOG-GRAMMAR", 3), lines(d.bodies()), m.sign(d.last(), origin, d.bodies()))

	d, real = m.broken()
	d.resume(m.key(otherOrigin, "segment 1"), real)
	d.close()
	m.log("segment-key-name", "the second segment's key is named after another log", fails("E-ORIGIN-DIFFERS", 3), lines(d.bodies()), m.sign(d.last(), origin, d.bodies()))
}
