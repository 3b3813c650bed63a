package ceremony

import (
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
)

// A ShareSet is what the log says of the shares of a PIN.
type ShareSet struct {
	Tag    string // hex
	Shares map[int]*audit.Share

	seen []string // who was shown one, in order
	of   int      // how many there are
	sent bool     // a call to set its PIN was made, and nobody knows that it did nothing
	void bool
}

// Of returns the share of a person, or nil.
func (set *ShareSet) Of(person string) *audit.Share {
	if set == nil {
		return nil
	}
	for _, d := range set.Shares {
		if d.Person == person {
			return d
		}
	}
	return nil
}

// ShareSet returns the shares of the PIN that this ceremony has set, or nil.
func (st *State) ShareSet(tokenName string, kind token.PINKind) *ShareSet {
	return st.sharesInUse[pinName(tokenName, kind.String())]
}

// applyShares takes an entry about shares. They count once their PIN is set.
func (st *State) applyShares(data audit.Data) {
	switch d := data.(type) {
	case *audit.ShareShown:
		set := st.set(pinName(d.Token, d.Secret), d.Set)
		set.seen, set.of = append(set.seen, d.Person), d.Shares
	case *audit.Share:
		set := st.set(pinName(d.Token, d.Secret), d.Set)
		set.Shares[d.Index], set.of = d, d.Shares
	case *audit.ShareVoid:
		st.set(pinName(d.Token, d.Secret), d.Set).void = true
	}
}

// set returns the set with a tag, new if there was none.
func (st *State) set(name, tag string) *ShareSet {
	list := st.shareSets[name]
	if i := slices.IndexFunc(list, func(s *ShareSet) bool { return s.Tag == tag }); i >= 0 {
		return list[i]
	}
	set := &ShareSet{Tag: tag, Shares: map[int]*audit.Share{}}
	st.shareSets[name] = append(list, set)
	return set
}

// dealt returns the last set all of whose shares were typed back, or nil.
func (st *State) dealt(name string) *ShareSet {
	for _, set := range slices.Backward(st.shareSets[name]) {
		if len(set.Shares) == set.of && !set.void {
			return set
		}
	}
	return nil
}

func setsPIN(function string) bool {
	return function == string(token.SetPIN) || function == string(token.InitPIN)
}

// nothingSet are the return values of a call that set no PIN for certain. After any
// other nobody knows: the shares may open the token.
var nothingSet = []string{
	"CKR_PIN_INCORRECT", "CKR_PIN_INVALID", "CKR_PIN_LEN_RANGE", "CKR_PIN_LOCKED", "CKR_ARGUMENTS_BAD",
	"CKR_USER_NOT_LOGGED_IN", "CKR_SESSION_READ_ONLY", "CKR_FUNCTION_NOT_SUPPORTED",
}

// sendShares notes whether the new PINs of a step were given to a call that sets
// one, so that their shares may open the token.
func (st *State) sendShares(step, function string, sent bool) {
	if !setsPIN(function) {
		return
	}
	for _, name := range st.fresh[step] {
		if set := st.dealt(name); set != nil {
			set.sent = sent
		}
	}
}

// abandoned lists the sets of a PIN of which somebody saw a share and that open
// nothing: their PIN was given up before it was sent to the token, or another one
// was set after it. Those of a PIN of which it is not known whether it was set are
// not among them.
func (st *State) abandoned(name string) (list []*ShareSet) {
	inUse := st.sharesInUse[name]
	replaced := inUse != nil
	for _, set := range st.shareSets[name] {
		replaced = replaced && set != inUse
		if !set.void && set != inUse && (!set.sent || replaced) {
			list = append(list, set)
		}
	}
	return list
}

// setOpening returns the set that shares with a tag are held against: the one in
// use, or the one with the tag if the log does not know whether its PIN was set.
func (st *State) setOpening(tokenName string, kind token.PINKind, tag string) *ShareSet {
	name := pinName(tokenName, kind.String())
	for _, set := range st.shareSets[name] {
		if set.Tag == tag && set.sent && !set.void {
			return set
		}
	}
	return st.sharesInUse[name]
}

// void reports whether the log declares the shares with a tag void.
func (st *State) void(tokenName string, kind token.PINKind, tag string) bool {
	return slices.ContainsFunc(st.shareSets[pinName(tokenName, kind.String())], func(s *ShareSet) bool { return s.Tag == tag && s.void })
}
