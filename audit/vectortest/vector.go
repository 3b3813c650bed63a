// Package vectortest makes the test vectors in audit/testdata/vectors, and
// reads them: small logs, entries, notes and databases that every program which
// reads a log must judge alike. docs/vectors.md describes the files.
package vectortest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// firstLine begins every vector.
const firstLine = "keyrite test vector v1"

// What the body of a vector is.
const (
	InputEntry      = "entry"      // one entry
	InputEntries    = "entries"    // entries, each on a line of its own, that need not follow each other
	InputLog        = "log"        // log.jsonl and the file checkpoint
	InputCheckpoint = "checkpoint" // a signed checkpoint
)

// A Vector is one test vector.
type Vector struct {
	Name        string // of the file; what stands before the first hyphen is its class
	About       string // what it is, in words
	OK          bool   // what a reader must answer
	Input       string // what the body is
	Finding     string // keyrite-verify's code, "" if it has none for this input
	Entry       int64  // at fault, from 0; -1 for none
	Offset      int64  // byte of that entry at fault, from 0; -1 for none
	Lines       int64  // of a log: bytes of log.jsonl at the body's beginning
	LogKey      string // of a checkpoint: the verifier key it must be signed by
	Origin      string // of a checkpoint: the origin it must have
	WitnessKeys []string
	Database    string // of a log: name of the file that must hold the same
	Pages       bool   // only a reader of the database's pages can tell
	Body        []byte

	database []byte
}

// Class returns the vector's class, "json" for "json-white-space".
func (v *Vector) Class() string {
	class, _, _ := strings.Cut(v.Name, "-")
	return class
}

// JSONL and Checkpoint return the two files in the body of a log.
func (v *Vector) JSONL() []byte { return v.Body[:v.Lines] }

// Checkpoint returns the file checkpoint of a log, or the body of a checkpoint.
func (v *Vector) Checkpoint() []byte { return v.Body[v.Lines:] }

// header returns the lines of the header that have a value, in order.
func (v *Vector) header() [][2]string {
	number := func(n, none int64) string {
		if n == none {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	list := [][2]string{
		{"about", v.About},
		{"expect", map[bool]string{true: "ok", false: "fail"}[v.OK]},
		{"input", v.Input},
		{"finding", v.Finding},
		{"entry", number(v.Entry, -1)},
		{"offset", number(v.Offset, -1)},
		{"lines", number(v.Lines, 0)},
		{"log-key", v.LogKey},
		{"origin", v.Origin},
	}
	for _, key := range v.WitnessKeys {
		list = append(list, [2]string{"witness-key", key})
	}
	return append(list, [2]string{"database", v.Database}, [2]string{"pages", map[bool]string{true: "yes"}[v.Pages]})
}

// Marshal returns the vector as a file: the first line, lines of name and value,
// an empty line, the body.
func (v *Vector) Marshal() []byte {
	var out bytes.Buffer
	fmt.Fprintln(&out, firstLine)
	for _, line := range v.header() {
		if line[1] != "" {
			fmt.Fprintf(&out, "%s: %s\n", line[0], line[1])
		}
	}
	out.WriteByte('\n')
	out.Write(v.Body)
	return out.Bytes()
}

// Parse reads a vector as [Vector.Marshal] writes it; anything else is an
// error.
func Parse(name string, b []byte) (*Vector, error) {
	head, body, ok := bytes.Cut(b, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !ok || lines[0] != firstLine {
		return nil, fmt.Errorf("reading vector %q: it does not begin with %q and end its header with an empty line", name, firstLine)
	}
	v := &Vector{Name: name, Entry: -1, Offset: -1, Body: body}
	for _, line := range lines[1:] {
		field, value, _ := strings.Cut(line, ": ")
		if err := v.set(field, value); err != nil {
			return nil, fmt.Errorf("reading vector %q: %q: %w", name, line, err)
		}
	}
	if v.Lines > int64(len(body)) || !bytes.Equal(v.Marshal(), b) {
		return nil, fmt.Errorf("reading vector %q: not in its one form", name)
	}
	return v, nil
}

// set takes one line of the header.
func (v *Vector) set(field, value string) (err error) {
	switch field {
	case "about":
		v.About = value
	case "expect":
		v.OK = value == "ok"
	case "input":
		v.Input = value
	case "finding":
		v.Finding = value
	case "entry":
		v.Entry, err = strconv.ParseInt(value, 10, 64)
	case "offset":
		v.Offset, err = strconv.ParseInt(value, 10, 64)
	case "lines":
		v.Lines, err = strconv.ParseInt(value, 10, 64)
	case "log-key":
		v.LogKey = value
	case "origin":
		v.Origin = value
	case "witness-key":
		v.WitnessKeys = append(v.WitnessKeys, value)
	case "database":
		v.Database = value
	case "pages":
		v.Pages = value == "yes"
	default:
		err = fmt.Errorf("unknown field")
	}
	return err
}

// Files makes every vector: the files of audit/testdata/vectors by their names.
func Files() (map[string][]byte, error) {
	m := &maker{files: map[string][]byte{}}
	m.entries()
	m.logs()
	m.segments()
	m.checkpoints()
	m.cosignatures()
	m.stores()
	return m.files, m.err
}

// All returns every vector as it is made, in the order of their names.
func All() ([]*Vector, error) {
	files, err := Files()
	if err != nil {
		return nil, err
	}
	var list []*Vector
	for name, b := range files {
		if strings.HasSuffix(name, ".db") {
			continue
		}
		v, err := Parse(name, b)
		if err != nil {
			return nil, err
		}
		v.database = files[v.Database]
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b *Vector) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// DatabaseBytes returns the file that Database names, nil if there is none.
func (v *Vector) DatabaseBytes() []byte { return v.database }

// A maker collects vectors; the first error stops it from adding more.
type maker struct {
	files map[string][]byte
	err   error
}

// fail notes the first error.
func (m *maker) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// add adds a vector under its name.
func (m *maker) add(v Vector) {
	if _, twice := m.files[v.Name]; twice {
		m.fail(fmt.Errorf("vector %q is made twice", v.Name))
	}
	m.files[v.Name] = v.Marshal()
	if v.Database != "" {
		m.files[v.Database] = v.database
	}
}
