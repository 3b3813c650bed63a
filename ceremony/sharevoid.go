package ceremony

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// Why shares are void.
const (
	brokenOff = "the step broke off before the PIN was given to the token"
	unread    = "one of them could not be written down, printed or typed back"
	replaced  = "another PIN was set"
	givenUp   = "the ceremony was given up before the PIN was given to the token"
)

// voidShares declares the shares of a PIN void that open nothing, and has those who
// saw one destroy it. An old PIN's shares are not touched before a new one is set.
func (s *Session) voidShares(tokenName string, kind token.PINKind, because string) error {
	for _, set := range s.State().abandoned(pinName(tokenName, kind.String())) {
		d := void(set, tokenName, kind.String(), because)
		s.Show(room.Warning{Text: s.r.voidText(d)})
		for _, person := range d.People {
			if !s.State().Here(person) {
				continue
			}
			question := fmt.Sprintf("The share of the %s of %s, set %s, that %s saw opens nothing. Is what was written down or printed of it destroyed, before the eyes of the others?", d.Secret, d.Token, d.Set, s.r.Script.Shown(person))
			if _, err := s.Ask(person, short(kind)+"-void", question, room.Choice{Word: "destroyed", Does: "nothing is left of it"}); err != nil {
				return err
			}
		}
		if _, err := s.Record(d); err != nil {
			return err
		}
	}
	return nil
}

// voidAll is voidShares for every PIN, when a step ends.
func (s *Session) voidAll() error {
	for i := range s.r.Script.Tokens {
		for _, kind := range []token.PINKind{token.SOPIN, token.UserPIN} {
			if err := s.voidShares(s.r.Script.Tokens[i].Name, kind, brokenOff); err != nil {
				return err
			}
		}
	}
	return nil
}

// voidGivenUp declares shares void after an abort, when nobody is asked any more.
func (r *Runner) voidGivenUp() error {
	for _, name := range slices.Sorted(maps.Keys(r.state.shareSets)) {
		tokenName, secret, _ := strings.Cut(name, "\n")
		for _, set := range r.state.abandoned(name) {
			d := void(set, tokenName, secret, givenUp)
			r.Room.Show(room.Warning{Text: r.voidText(d)})
			if _, err := r.record("", d, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func void(set *ShareSet, tokenName, secret, because string) *audit.ShareVoid {
	if set.sent {
		because = replaced
	}
	d := &audit.ShareVoid{Secret: secret, Token: tokenName, Set: set.Tag, People: slices.Clone(set.seen), Because: because}
	if len(d.People) == 0 { // a log that does not say who saw them
		for _, i := range slices.Sorted(maps.Keys(set.Shares)) {
			d.People = append(d.People, set.Shares[i].Person)
		}
	}
	return d
}

func (r *Runner) voidText(d *audit.ShareVoid) string {
	var people []string
	for _, id := range d.People {
		people = append(people, r.Script.Shown(id))
	}
	return fmt.Sprintf("The shares of the %s of %s in set %s are void, because %s. Destroy what %s wrote down or got printed: it opens nothing.", d.Secret, d.Token, d.Set, d.Because, strings.Join(people, ", "))
}
