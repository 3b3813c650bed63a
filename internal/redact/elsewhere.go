package redact

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// telling are the members of an entry's data whose text a person may want to
// hide: what somebody said, typed, or is called.
var telling = []string{"name", "identity", "value", "because", "happened", "decided", "reason", "subject", "serial", "label", "custody", "question", "answer", "item", "place", "shows"}

// minTelling is the fewest bytes of a text that is looked for elsewhere.
const minTelling = 4

// Elsewhere returns texts of hidden entries that can still be read in the copy's
// log or script, in order. A redaction hides entries, not facts: what another
// entry says too stays readable.
func (p *Plan) Elsewhere() []string {
	shown := string(bytes.Join(append(p.entries, p.script), []byte("\n")))
	var list []string
	for _, e := range p.hidden {
		b, err := json.Marshal(e.Data)
		if err != nil {
			continue // every kind of data can be encoded
		}
		var data map[string]any
		if json.Unmarshal(b, &data) != nil {
			continue
		}
		for _, member := range telling {
			text, _ := data[member].(string)
			if len(text) >= minTelling && !slices.Contains(list, text) && strings.Contains(shown, text) {
				list = append(list, text)
			}
		}
	}
	slices.Sort(list)
	return list
}
