package ceremony

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/strictyaml"
)

const (
	administrator      = "ceremony-administrator"
	independentWitness = "independent-witness"
	externalWitness    = "external-witness"
	operator           = "operator"
)

// apart lists the roles that nobody may have together with the first one.
var apart = [][]string{
	{administrator, "internal-witness", independentWitness, externalWitness, "crypto-officer", "recovery-holder", "so-pin-custodian", "user-pin-custodian"},
	{"recovery-holder", "crypto-officer"},
	{independentWitness, "operator", "internal-witness", "crypto-officer", "recovery-holder", "so-pin-custodian", "user-pin-custodian", "safe-controller", "security-officer"},
	{externalWitness, "operator", "internal-witness", "crypto-officer", "recovery-holder", "so-pin-custodian", "user-pin-custodian", "safe-controller", "security-officer"},
}

func hasRole(p *Participant, roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(p.Roles, r) })
}

// people judges the participants.
func (c *checker) people() {
	ids, names, initials := map[string]bool{}, map[string]bool{}, map[string]string{}
	keys := map[string]string{}
	for i := range c.Participants {
		p := &c.Participants[i]
		c.name(at("participants", i, "id"), p.ID, ids)
		if name := strings.ToLower(p.Name); name != "" {
			if names[name] {
				c.wrong(at("participants", i, "name"), "%q is there twice: a person is listed once, with all roles", p.Name)
			}
			names[name] = true
		}
		c.initials(at("participants", i, "initials"), p.Initials, initials)
		c.roles(i, p)
		c.alternate(i, p)
		c.witnessKey(at("participants", i, "witness_key"), p, keys)
	}
}

// witnessKey judges a verifier key: its form, who has it, and that no other has
// the same name or the same public key.
func (c *checker) witnessKey(path string, p *Participant, seen map[string]string) {
	if p.WitnessKey == "" {
		return
	}
	k, err := audit.ParseWitnessKey(p.WitnessKey)
	if err != nil {
		c.wrong(path, "%v", err)
		return
	}
	if hasRole(p, administrator, "operator") {
		c.wrong(path, "%q runs the machine that the key is to be independent of: a witness's key belongs to somebody else", p.ID)
	}
	for _, id := range []string{"name " + k.Name(), "public key " + hex.EncodeToString(k.Public())} {
		if other := seen[id]; other != "" {
			c.wrong(path, "the %s is that of %q, too: each witness has a key of their own", id, other)
		}
		seen[id] = p.ID
	}
}

func (c *checker) initials(path, s string, seen map[string]string) {
	if s == "" {
		return
	}
	n := utf8.RuneCountInString(s)
	if strings.EqualFold(s, refuse) {
		c.wrong(path, "%q is what somebody types who does not agree: write other initials", s)
		return
	}
	if n < 2 || n > 4 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		c.wrong(path, "expected 2 to 4 letters, not %q", s)
		return
	}
	look := looks(s)
	if other := seen[look]; other != "" {
		c.wrong(path, "the initials %q look like %q, which another participant has: write different ones", s, other)
	}
	seen[look] = s
}

// looks returns a text that is the same for initials that people cannot tell
// apart: capital and small letters, and letters of other alphabets that look
// like Latin ones.
func looks(s string) string {
	return strings.Map(func(r rune) rune {
		const like, latin = "АВЕЅІЈКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABESIJKMHOPCTYXABEZHIKMNOPTYX"
		if i := slices.Index([]rune(like), unicode.ToUpper(r)); i >= 0 {
			return rune(latin[i])
		}
		return unicode.ToUpper(r)
	}, s)
}

func (c *checker) roles(i int, p *Participant) {
	list := at("participants", i, "roles")
	for j, role := range p.Roles {
		path := fmt.Sprintf("%s[%d]", list, j+1)
		if _, known := Roles[role]; role != "" && !known {
			c.wrong(path, "there is no role %q%s", role, strictyaml.Instead(role, slices.Sorted(maps.Keys(Roles))))
		}
		if slices.Contains(p.Roles[:j], role) {
			c.wrong(path, "the role %q is there twice", role)
		}
	}
	for _, two := range p.mixes() {
		c.wrong(list, "nobody is %s and %s at once: give one of the two to somebody else", two[0], two[1])
	}
}

// mixes lists the pairs of a participant's roles that nobody may have together.
func (p *Participant) mixes() (pairs [][2]string) {
	for _, roles := range apart {
		for _, other := range roles[1:] {
			if hasRole(p, roles[0]) && hasRole(p, other) {
				pairs = append(pairs, [2]string{roles[0], other})
			}
		}
	}
	return pairs
}

// rootKind is the step kind that makes a root certificate.
const rootKind = "self-sign-root"

// floor judges who has to be on the roster at least. Alternates do not count:
// each comes for somebody who does.
func (c *checker) floor() {
	var roster []*Participant
	for i := range c.Participants {
		if p := &c.Participants[i]; p.AlternateFor == "" {
			roster = append(roster, p)
		}
	}
	for _, what := range c.below(roster) {
		c.wrong("participants", "%s", what)
	}
}

// below says what people lack who are to hold the ceremony (BR 5.2.2 and
// 6.1.1.1); none if they are enough.
func (s *Script) below(people []*Participant) (lacks []string) {
	trusted := 0
	has := map[string]bool{}
	for _, p := range people {
		for _, role := range p.Roles {
			has[role] = true
		}
		if !hasRole(p, independentWitness, externalWitness) {
			trusted++
		}
	}
	if !has[administrator] {
		lacks = append(lacks, "nobody is ceremony-administrator: somebody has to run the script")
	}
	if trusted < 2 {
		lacks = append(lacks, "expected at least two people with roles other than independent-witness and external-witness")
	}
	root := func(s Step) bool { return s.Kind == rootKind }
	if s.Mode == Production && !has[independentWitness] && slices.ContainsFunc(s.Steps, root) {
		lacks = append(lacks, "a root that counts is made before an auditor or notary: give somebody the role independent-witness (BR 6.1.1.1)")
	}
	return lacks
}
