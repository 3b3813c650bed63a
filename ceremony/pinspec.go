package ceremony

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/internal/secretshare"
	"github.com/keyrite/keyrite/internal/token"
)

// Ways in which a PIN is entered.
const (
	One    = "one"    // a custodian types it
	Halves = "halves" // two custodians type a part each
	Shares = "shares" // k of n custodians type a share each
)

// A PINSpec says how a PIN of a token is entered and who holds it.
type PINSpec struct {
	Way        string   `yaml:"way,required" enum:"one,halves,shares" desc:"one: a custodian types it; halves: two custodians type a part each, and neither sees the other's; shares: it is made in the room and seen by nobody, and threshold of the custodians give it back"`
	Custodians []string `yaml:"custodians,required" desc:"participants who hold it, in the order of their parts" line:"one"`
	Threshold  int      `yaml:"threshold" desc:"shares: how many custodians are enough, 2 or more"`
	Show       string   `yaml:"show" enum:"screen,slip" desc:"shares: how a custodian gets a new one: on the screen, cleared before and after, to be written down (if left out); or printed on a slip of its own, on the printer of the place file"`

	Commitments []string `yaml:"commitments" desc:"shares made in an earlier ceremony: the commitment of each from its log, 64 hex digits, in the order of the custodians" line:"one"`
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
func (p PINSpec) Needed() int {
	if p.Way == Shares {
		return p.Threshold
	}
	return len(p.Custodians)
}

// Slip reports whether new shares are printed.
func (p PINSpec) Slip() bool { return p.Way == Shares && p.Show == slipShown }

// PrintsSlips returns the field of the first PIN whose shares the script prints, ""
// for none.
func (s *Script) PrintsSlips() string {
	for i := range s.Tokens {
		switch t := &s.Tokens[i]; {
		case t.Held(token.SOPIN).Slip():
			return at("tokens", i, "so_pin.show")
		case t.Held(token.UserPIN).Slip():
			return at("tokens", i, "user_pin.show")
		}
	}
	return ""
}

// first returns the spec of a PIN that is nobody's own yet: the first custodian
// types it alone.
func (p PINSpec) first() PINSpec {
	return PINSpec{Way: One, Custodians: p.Custodians[:min(1, len(p.Custodians))]}
}

// secretOf names a PIN in the table of roles.
var secretOf = map[token.PINKind]string{token.SOPIN: soPIN, token.UserPIN: userPIN}

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
			c.custodian(at("tokens", i, pin.what), pin.short, secretOf[pin.kind])
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
		c.custodian(at, id, secretOf[kind])
		if slices.Contains(p.Custodians[:j], id) {
			c.wrong(at, "%q is there twice: one person holds one part of a PIN", id)
		}
	}
	switch n := len(p.Custodians); {
	case p.Way == One && n > 1:
		c.wrong(path+".custodians", "expected one custodian for a PIN that one person types, not %d: write way: halves for two", n)
	case p.Way == Halves && n > 0 && n != 2:
		c.wrong(path+".custodians", "expected two custodians with a part each, not %d", n)
	case p.Way == Shares && n > 0:
		c.shared(path, p)
	}
	if p.Way != Shares && p.Threshold != 0 {
		c.wrong(path+".threshold", "only a PIN with way: shares has a threshold: take it out")
	}
	if p.Way != Shares && p.Show != "" {
		c.wrong(path+".show", "only a PIN with way: shares is shown to anybody: take it out")
	}
	if p.Way != Shares && len(p.Commitments) > 0 {
		c.wrong(path+".commitments", "only a PIN with way: shares has commitments: take them out")
	}
}

// commitmentForm is a SHA-256 in hex.
var commitmentForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// shared judges the numbers of shares.
func (c *checker) shared(path string, p *PINSpec) {
	n := len(p.Custodians)
	switch {
	case n < 2:
		c.wrong(path+".custodians", "expected two custodians or more with a share each, not %d", n)
	case n > secretshare.Most:
		c.wrong(path+".custodians", "expected at most %d custodians with a share each, not %d", secretshare.Most, n)
	case p.Threshold == 0:
		c.wrong(path, "how many shares are enough is missing: write threshold")
	case p.Threshold == 1:
		c.wrong(path+".threshold", "with a threshold of 1 each custodian has the whole PIN: expected 2 or more")
	case p.Threshold < 0:
		c.wrong(path+".threshold", "expected 2 or more, not %d", p.Threshold)
	case p.Threshold > n:
		c.wrong(path+".threshold", "%d shares are needed and there are only %d custodians: nobody could ever enter the PIN", p.Threshold, n)
	}
	if m := len(p.Commitments); m > 0 && m != n {
		c.wrong(path+".commitments", "there are %d commitments and %d custodians: expected one for each, in the same order", m, n)
	}
	for j, id := range p.Commitments {
		at := fmt.Sprintf("%s.commitments[%d]", path, j+1)
		if !commitmentForm.MatchString(id) {
			c.wrong(at, "expected the 64 hex digits of a commitment, as a log's entry of kind share has it")
		} else if slices.Contains(p.Commitments[:j], id) {
			c.wrong(at, "this commitment is there twice: each share has its own")
		}
	}
}

// custodian judges a person who enters a PIN.
func (c *checker) custodian(path, id, secret string) {
	if !c.refers(path, id, "participants", c.ids()) {
		return
	}
	p := c.Participant(id)
	holds := func(r Role) bool { return slices.Contains(r.holds, secret) }
	switch {
	case hasRole(p, administrator):
		c.wrong(path, "%q is the ceremony administrator, who holds no PIN and no part of one", id)
	case p.known() && !p.may(holds):
		c.wrong(path, "%q has not the role %s, which the one who enters this PIN needs", id, strings.Join(rolesThat(holds), " or "))
	}
	c.named(path, id)
}
