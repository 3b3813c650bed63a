package steps

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A custody step says who leaves with which bag, card or share.
type custody struct {
	Items []custodyItem `yaml:"items,required" desc:"what leaves the room, one each"`
}

// A custodyItem is something that somebody takes.
type custodyItem struct {
	Item   string `yaml:"item,required" desc:"what it is" line:"one"`
	Bag    string `yaml:"bag" desc:"number of its bag, in quotes; asked: the one who takes it types it; none, if left out" line:"one"`
	Holder string `yaml:"holder,required" desc:"participant who takes it"`
	Place  string `yaml:"place,required" desc:"where it goes" line:"one"`
}

// Check wants people who are in the room, and each item once.
func (a *custody) Check(w *ceremony.World) {
	seen := map[string]bool{}
	for i, c := range a.Items {
		field := fmt.Sprintf("items[%d]", i)
		inRoom(w, field+".holder", c.Holder)
		if seen[c.Item] {
			w.Problem(field+".item", "%q is there twice: one person takes it", c.Item)
		}
		seen[c.Item] = true
	}
}

// Run reads the table aloud and has each holder acknowledge.
func (a *custody) Run(s *ceremony.Session) error {
	rows := [][]string{}
	for _, c := range a.Items {
		rows = append(rows, []string{c.Item, c.number(), s.Script().Shown(c.Holder), c.Place})
	}
	s.Show(room.Text{Text: "Read aloud. Everybody who is named takes what is theirs before the witnesses' eyes, and acknowledges it."})
	s.Show(room.Table{Header: []string{"item", "bag", "taken by", "to"}, Rows: rows})
	for _, c := range a.Items {
		if err := take(s, c); err != nil {
			return err
		}
	}
	return nil
}

func (c *custodyItem) number() string {
	if c.Bag == "" {
		return "none"
	}
	return c.Bag
}

// take has the holder say that the item is in their hands.
func take(s *ceremony.Session, c custodyItem) error {
	c.Holder = s.Who(c.Holder)
	bag := c.number()
	if bag == "asked" {
		var err error
		if err = s.Here(c.Holder); err != nil {
			return err
		}
		if bag, err = s.Line(c.Holder, "bag", "Which number has the bag of "+c.Item+"? (read it from the bag)"); err != nil {
			return err
		}
	}
	if err := s.Acknowledge(c.Holder, "holder", "takes", fmt.Sprintf("I take %s, bag %s, to %s", c.Item, bag, c.Place)); err != nil {
		return err
	}
	_, err := s.Record(&audit.Custody{Item: c.Item, Bag: bag, Person: c.Holder, Place: c.Place})
	return err
}
