package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

// MaxPolicy is the most bytes that a policy has.
const MaxPolicy = 1 << 16

// maxDefined is the most logs, witnesses and groups that a policy defines.
const maxDefined = 256

// A policy is a C2SP tlog-policy: which logs and witnesses are known, and whose
// cosignatures make a checkpoint trusted.
type policy struct {
	logs      []string // verifier keys
	witnesses []policyWitness
	groups    map[string]policyGroup
	quorum    string // a witness or group; "none" if no cosignature is asked for
}

// A policyWitness is a witness line.
type policyWitness struct {
	name string
	key  *audit.WitnessKey
}

// A policyGroup is a group line: at least k of its members, witnesses or groups
// defined before it.
type policyGroup struct {
	k       int
	members []string
}

// parsePolicy reads a policy. The error names the line.
func parsePolicy(b []byte) (*policy, error) {
	if len(b) > MaxPolicy {
		return nil, fmt.Errorf("policy of %d bytes, at most %d", len(b), MaxPolicy)
	}
	if len(b) == 0 || b[len(b)-1] != '\n' {
		return nil, errors.New("policy: its last line does not end")
	}
	p := &policy{groups: map[string]policyGroup{}}
	used := map[string]bool{} // names that are a group's member
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		if err := p.line(strings.TrimSuffix(line, "\n"), used); err != nil {
			return nil, fmt.Errorf("policy: line %d: %w", n, err)
		}
	}
	if p.quorum == "" {
		return nil, errors.New("policy: no quorum line")
	}
	return p, nil
}

func (p *policy) line(line string, used map[string]bool) error {
	if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); i >= 0 {
		return fmt.Errorf("control character %q", line[i])
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 || words[0][0] == '#' {
		return nil
	}
	if len(p.logs)+len(p.witnesses)+len(p.groups) >= maxDefined {
		return fmt.Errorf("more than %d definitions", maxDefined)
	}
	switch {
	case words[0] == "log" && (len(words) == 2 || len(words) == 3):
		return p.addLog(words[1])
	case words[0] == "witness" && (len(words) == 3 || len(words) == 4):
		return p.addWitness(words[1], words[2])
	case words[0] == "group" && len(words) >= 4:
		return p.addGroup(words[1], words[2], words[3:], used)
	case words[0] == "quorum" && len(words) == 2 && p.quorum == "":
		if words[1] != "none" && !p.defines(words[1]) {
			return fmt.Errorf("quorum %q is defined by no line before", words[1])
		}
		p.quorum = words[1]
		return nil
	case words[0] == "quorum" && len(words) == 2:
		return errors.New("a second quorum line")
	}
	return fmt.Errorf("%q is none of: log VKEY [URL], witness NAME VKEY [URL], group NAME all|any|K NAME…, quorum NAME", line)
}

func (p *policy) addLog(vkey string) error {
	if _, err := note.NewVerifier(vkey); err != nil {
		return fmt.Errorf("log key %q: %w", vkey, err)
	}
	public := vkey[strings.LastIndexByte(vkey, '+'):]
	for _, k := range p.logs {
		if strings.HasSuffix(k, public) {
			return fmt.Errorf("log key %q: its public key is there twice", vkey)
		}
	}
	p.logs = append(p.logs, vkey)
	return nil
}

func (p *policy) addWitness(name, vkey string) error {
	k, err := audit.ParseWitnessKey(vkey)
	if err != nil {
		return err
	}
	if name == "none" || p.defines(name) {
		return fmt.Errorf("name %q is taken", name)
	}
	for _, w := range p.witnesses {
		if slices.Equal(w.key.Public(), k.Public()) {
			return fmt.Errorf("the public key of witness %q is that of witness %q", name, w.name)
		}
	}
	p.witnesses = append(p.witnesses, policyWitness{name, k})
	return nil
}

func (p *policy) addGroup(name, count string, members []string, used map[string]bool) error {
	if name == "none" || p.defines(name) {
		return fmt.Errorf("name %q is taken", name)
	}
	for _, m := range members {
		if !p.defines(m) {
			return fmt.Errorf("member %q is defined by no line before", m)
		}
		if used[m] {
			return fmt.Errorf("member %q is one of a group already", m)
		}
		used[m] = true
	}
	g := policyGroup{members: members}
	switch count {
	case "all":
		g.k = len(members)
	case "any":
		g.k = 1
	default:
		k, err := strconv.Atoi(count)
		if err != nil || strconv.Itoa(k) != count || k < 1 || k > len(members) {
			return fmt.Errorf("%q is not all, any, or a number from 1 to %d", count, len(members))
		}
		g.k = k
	}
	p.groups[name] = g
	return nil
}

func (p *policy) defines(name string) bool {
	_, group := p.groups[name]
	return group || p.witness(name) != nil
}

func (p *policy) witness(name string) *audit.WitnessKey {
	for _, w := range p.witnesses {
		if w.name == name {
			return w.key
		}
	}
	return nil
}

// met reports whether the quorum is met by the public keys, in hex, that
// cosigned. A policy that asks for no cosignature vouches for nothing.
func (p *policy) met(signed map[string]bool) bool {
	return p.quorum != "none" && p.has(p.quorum, signed)
}

func (p *policy) has(name string, signed map[string]bool) bool {
	if k := p.witness(name); k != nil {
		return signed[publicHex(k)]
	}
	g, n := p.groups[name], 0
	for _, m := range g.members {
		if p.has(m, signed) {
			n++
		}
	}
	return n >= g.k
}

func publicHex(k *audit.WitnessKey) string { return hex.EncodeToString(k.Public()) }
