package steps

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// key binds a witness's key at the roll call: the one in the script after it
// was compared with what the witness has on paper, or one that is brought.
func (a *attendance) key(s *ceremony.Session, p *ceremony.Participant) error {
	if bound := s.WitnessKey(p.ID); bound != nil {
		s.Show(room.Fact{Name: "witness key of " + p.Name, Value: bound.String()})
		return nil
	}
	if p.WitnessKey != "" {
		k, err := audit.ParseWitnessKey(p.WitnessKey)
		if err != nil {
			return err
		}
		return compareKey(s, p, k, ceremony.FromScript)
	}
	if !a.Keys || !p.IsWitness() {
		return nil
	}
	k, err := broughtKey(s, p)
	if err != nil || k == nil {
		return err
	}
	return compareKey(s, p, k, ceremony.Adopted)
}

// broughtKey asks for a verifier key until there is one or the witness has
// none.
func broughtKey(s *ceremony.Session, p *ceremony.Participant) (*audit.WitnessKey, error) {
	for {
		v, err := s.AskOnly(p.ID, "witness-key", "Do you witness with a key of your own? Type or paste its verifier key (name+hash+base64), or 'file NAME' for a file on the medium, or 'none'")
		if err != nil || strings.EqualFold(v, "none") {
			return nil, err
		}
		text, err := s.TypedOrFile(v)
		var k *audit.WitnessKey
		if err == nil {
			k, err = audit.ParseWitnessKey(strings.TrimSpace(text))
		}
		if err == nil {
			return k, nil
		}
		s.Show(room.Warning{Text: err.Error() + ". Nothing was taken; please type it again."})
	}
}

// compareKey shows a key, has its witness compare it with what they noted on
// their own machine, and binds it.
func compareKey(s *ceremony.Session, p *ceremony.Participant, k *audit.WitnessKey, how string) error {
	s.ShowKey("witness key of "+p.Name, k.String(), k.Public(), k.Words())
	v, err := s.AskOnly(p.ID, "key-compared", "Compare it with what your own machine says of your key. Is it yours?",
		room.Choice{Word: "yes", Does: "it is my key, and I alone can sign with it"},
		room.Choice{Word: "no", Does: "it is not"})
	if err != nil {
		return err
	}
	if v == "no" {
		return fmt.Errorf("%s says that %s is not their key (%s)", s.Script().Shown(p.ID), k, map[string]string{ceremony.FromScript: "it stands in the script", ceremony.Adopted: "it was brought to the roll call"}[how])
	}
	return s.BindWitnessKey(p.ID, k, how)
}
