package steps

import (
	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// An evidence step refers to a photograph or a recording that is kept
// elsewhere.
type evidence struct {
	Form  string `yaml:"form,required" enum:"photo,video,other" desc:"what it is"`
	Shows string `yaml:"shows,required" desc:"what can be seen or heard on it"`
	By    string `yaml:"by,required" desc:"participant who makes it"`
}

// Check wants somebody who is in the room.
func (a *evidence) Check(w *ceremony.World) { inRoom(w, "by", a.By) }

// Run asks for the number of the medium and the place on it.
func (a *evidence) Run(s *ceremony.Session) error {
	by := s.Who(a.By)
	if err := s.Here(by); err != nil {
		return err
	}
	d := &audit.Evidence{Form: a.Form, Shows: a.Shows, Person: by}
	var err error
	if d.ID, err = s.Line(by, "id", "Which number or name has the "+a.Form+"? (medium or file, as it will be found again)"); err != nil {
		return err
	}
	if d.TimeCode, err = s.Line(by, "time-code", "At which time code? (as the camera shows it now; the picture's number for a photo)"); err != nil {
		return err
	}
	s.Show(room.Fact{Name: a.Form + " " + d.ID, Value: d.TimeCode + ": " + d.Shows})
	_, err = s.Record(d)
	return err
}
