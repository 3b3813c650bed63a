package ceremony

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/internal/token"
)

// Ways in which a PIN is entered.
const (
	One    = "one"    // a custodian types it
	Halves = "halves" // two custodians type a part each
)

// A PINSpec says how a PIN of a token is entered and who holds it.
type PINSpec struct {
	Way        string   `yaml:"way,required" enum:"one,halves" desc:"one: a custodian types it; halves: two custodians type a part each, and neither sees the other's"`
	Custodians []string `yaml:"custodians,required" desc:"participants who hold it, in the order of their parts" line:"one"`
	Threshold  int      `yaml:"-"`
}

// Held returns how a PIN of the token is entered and who holds it, whichever
// way the script writes it; without custodians if nobody may be asked for it.
func (t *TokenSpec) Held(kind token.PINKind) PINSpec {
	long, short := t.UserPIN, t.UserPINCustodian
	if kind == token.SOPIN {
		long, short = t.SOPIN, t.SOPINCustodian
	}
	switch {
	case long != nil:
		return *long
	case short != "":
		return PINSpec{Way: One, Custodians: []string{short}}
	}
	return PINSpec{Way: One}
}

// Needed returns how many of the custodians have to be there to enter it.
func (p PINSpec) Needed() int { return len(p.Custodians) }

// first returns the spec of a PIN that is nobody's own yet: the first custodian
// types it alone.
func (p PINSpec) first() PINSpec {
	return PINSpec{Way: One, Custodians: p.Custodians[:min(1, len(p.Custodians))]}
}

// pinRoles are the roles of those who hold a PIN.
var pinRoles = map[token.PINKind][]string{
	token.SOPIN:   {"so-pin-custodian"},
	token.UserPIN: {"user-pin-custodian", "crypto-officer"},
}

// pins judges who holds the PINs of the i-th token.
func (c *checker) pins(i int, t *TokenSpec) {
	half := map[string]token.PINKind{}
	for _, pin := range []struct {
		kind        token.PINKind
		field       string
		long        *PINSpec
		short, what string
	}{
		{token.SOPIN, "so_pin", t.SOPIN, t.SOPINCustodian, "so_pin_custodian"},
		{token.UserPIN, "user_pin", t.UserPIN, t.UserPINCustodian, "user_pin_custodian"},
	} {
		path := at("tokens", i, pin.field)
		if pin.long == nil {
			c.custodian(at("tokens", i, pin.what), pin.short, pinRoles[pin.kind])
			continue
		}
		if pin.short != "" {
			c.wrong(at("tokens", i, pin.what), "%s says who holds this PIN: take one of the two out", pin.field)
		}
		c.held(path, pin.kind, pin.long)
		if pin.long.Way != Halves {
			continue
		}
		for j, id := range pin.long.Custodians {
			if other, twice := half[id]; twice && other != pin.kind {
				c.wrong(fmt.Sprintf("%s.custodians[%d]", path, j+1), "%q has a part of this token's %s already: one person holds one part", id, other)
			}
			half[id] = pin.kind
		}
	}
}

// held judges one PIN's custodians.
func (c *checker) held(path string, kind token.PINKind, p *PINSpec) {
	for j, id := range p.Custodians {
		at := fmt.Sprintf("%s.custodians[%d]", path, j+1)
		c.custodian(at, id, pinRoles[kind])
		if slices.Contains(p.Custodians[:j], id) {
			c.wrong(at, "%q is there twice: one person holds one part of a PIN", id)
		}
	}
	switch n := len(p.Custodians); {
	case p.Way == One && n > 1:
		c.wrong(path+".custodians", "expected one custodian for a PIN that one person types, not %d: write way: halves for two", n)
	case p.Way == Halves && n > 0 && n != 2:
		c.wrong(path+".custodians", "expected two custodians with a part each, not %d", n)
	}
}

// custodian judges a person who enters a PIN.
func (c *checker) custodian(path, id string, roles []string) {
	if !c.refers(path, id, "participants", c.ids()) {
		return
	}
	p := c.Participant(id)
	switch {
	case hasRole(p, administrator):
		c.wrong(path, "%q is the ceremony administrator, who holds no PIN and no part of one", id)
	case len(p.Roles) > 0 && !hasRole(p, roles...):
		c.wrong(path, "%q has not the role %s, which the one who enters this PIN needs", id, strings.Join(roles, " or "))
	}
}
