package steps

import (
	"fmt"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A materials step compares the numbers of tamper-evident bags and their seals.
type materials struct {
	Way    string     `yaml:"way,required" enum:"in,out" desc:"in: bags are opened, their numbers are those of the script; out: bags are closed"`
	Items  []material `yaml:"items,required" desc:"what is in a bag, one each"`
	Reader string     `yaml:"reader,required" desc:"participant who reads the numbers aloud from the bags"`
	Typist string     `yaml:"typist,required" desc:"another participant, who types them back"`
}

// A material is something in a numbered bag.
type material struct {
	Name string `yaml:"name,required" desc:"what it is: a token, a card, a share, a sheet" line:"one"`
	Bag  string `yaml:"bag" desc:"number of the bag, in quotes; for bags that are closed it can be left out: then it is the one that both type" line:"one"`
	Seal string `yaml:"seal" desc:"number of its seal, in quotes, if it has one of its own" line:"one"`
}

// Check wants two people and, for what is opened, the numbers.
func (a *materials) Check(w *ceremony.World) {
	twoPeople(w, "reader", a.Reader, "typist", a.Typist)
	seen := map[string]bool{}
	for i, m := range a.Items {
		field := fmt.Sprintf("items[%d]", i)
		if seen[m.Name] {
			w.Problem(field+".name", "%q is there twice: each item is listed once", m.Name)
		}
		seen[m.Name] = true
		if m.Bag == "" && a.Way == "in" {
			w.Problem(field+".bag", "what number is expected? It stands on the protocol of when the bag was closed")
		}
	}
}

// twoPeople reports people of whom one is to hear what the other says.
func twoPeople(w *ceremony.World, field1, one, field2, other string) {
	inRoom(w, field1, one)
	inRoom(w, field2, other)
	if one == other {
		w.Problem(field2, "expected somebody else than %s: what one reads, another types back", field1)
	}
}

// Run has each number read by one and typed back by the other.
func (a *materials) Run(s *ceremony.Session) error {
	say := "Each bag is held so that everybody sees it is whole. Its number is read aloud from the bag, and typed back by the one who hears it; only then it is opened."
	if a.Way == "out" {
		say = "Each item goes into its bag before everybody's eyes, and the bag is closed. Its number is read aloud from the bag, and typed back by the one who hears it."
	}
	s.Show(room.Text{Text: say})
	rows := [][]string{}
	for _, m := range a.Items {
		bag, err := s.TypedBack(ceremony.Reading{What: "number of the bag of " + m.Name, Prompt: "bag", Reader: a.Reader, Typist: a.Typist, Expected: m.Bag, Compared: ceremony.ComparedScript})
		if err != nil {
			return err
		}
		seal := "none"
		if m.Seal != "" {
			if seal, err = s.TypedBack(ceremony.Reading{What: "number of the seal of " + m.Name, Prompt: "seal", Reader: a.Reader, Typist: a.Typist, Expected: m.Seal, Compared: ceremony.ComparedScript}); err != nil {
				return err
			}
		}
		rows = append(rows, []string{m.Name, bag, seal})
	}
	s.Show(room.Table{Header: []string{"item", "bag", "seal"}, Rows: rows})
	return nil
}
