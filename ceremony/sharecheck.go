package ceremony

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/secretshare"
	"github.com/keyrite/keyrite/internal/token"
)

// right is the result of a share that is the one committed to.
const right = "right"

// CheckShare has a custodian type a share and compares it with its commitment,
// that of this log or else the script's. No token is touched. The error says
// what is wrong with the share.
func (s *Session) CheckShare(tokenName string, kind token.PINKind, person string) error {
	spec := s.r.Script.Token(tokenName)
	if spec == nil {
		return fmt.Errorf("the script has no token %q", tokenName)
	}
	person = s.Who(person)
	if err := s.Here(person); err != nil {
		return err
	}
	t := &Token{Name: tokenName, Spec: spec, s: s}
	d := &audit.ShareCheck{Person: person, Secret: kind.String(), Token: tokenName}
	if d.Commitment, d.Against = t.commitment(kind, person); d.Commitment == "" {
		return fmt.Errorf("neither this log nor the script has a commitment to a share of %s", s.r.Script.Shown(person))
	}
	share, err := t.shareOf(shareTyping{
		person: person, kind: kind, use: Current, wrong: func(*secretshare.Share) error { return nil },
		otherwise: room.Choice{Word: "without", Does: "this share cannot be shown"},
	})
	switch {
	case errors.Is(err, errAnew):
		d.Result = "it was not shown"
	case err != nil:
		return err
	default:
		d.Result = judgeShare(share, kind, d.Commitment)
		share.Wipe()
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	if d.Result != right {
		return fmt.Errorf("the share of %s: %s", s.r.Script.Shown(person), d.Result)
	}
	s.Show(room.Fact{Name: "the share of " + s.r.Script.Shown(person), Value: "is the one that " + d.Against + " committed to"})
	return nil
}

// judgeShare says whether a share is the one committed to.
func judgeShare(share *secretshare.Share, kind token.PINKind, commitment string) string {
	switch sum := share.Commitment(); {
	case share.Kind != shareKind(kind):
		return fmt.Sprintf("it is of the %s, and that of the %s was asked for", share.Kind, kind)
	case hex.EncodeToString(sum[:]) != commitment:
		return fmt.Sprintf("it is not the one committed to: share %d of set %x", share.Index, share.Tag)
	}
	return right
}

// commitment returns what a person's share is held against, and where that is
// from; "" if it is nowhere.
func (t *Token) commitment(kind token.PINKind, person string) (commitment, against string) {
	if set := t.s.State().ShareSet(t.Name, kind); set != nil {
		if d := set.Of(person); d != nil {
			return d.Commitment, "this log"
		}
		return "", ""
	}
	held := t.Spec.Held(kind)
	if i := slices.Index(t.s.whos(held.Custodians), person); i >= 0 && i < len(held.Commitments) {
		return held.Commitments[i], "script"
	}
	return "", ""
}
