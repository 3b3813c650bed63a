package steps

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
)

// A media step writes artifacts to a medium with a list of their checksums, and
// has the list read on a second machine.
type media struct {
	Files  []string `yaml:"files,required" desc:"artifacts to write"`
	To     string   `yaml:"to,required" desc:"folder to make on the medium: beside the script, or in the folder that --media names"`
	Medium string   `yaml:"medium,required" desc:"what it is, with the number on it: a CD-R, a USB stick" line:"one"`
	Reader string   `yaml:"reader,required" desc:"participant who puts the medium into another machine and reads the checksums there"`
	Typist string   `yaml:"typist,required" desc:"another participant, who types them back"`
}

// Check is that of an export, with two people.
func (a *media) Check(w *ceremony.World) {
	(&export{Files: a.Files, To: a.To}).Check(w)
	twoPeople(w, "reader", a.Reader, "typist", a.Typist)
	if slices.Contains(a.Files, bundle.SumsFile) {
		w.Problem("files", "%s is the name of the list of checksums", bundle.SumsFile)
	}
}

// Run writes, reads back here, and has the list of checksums read elsewhere.
func (a *media) Run(s *ceremony.Session) error {
	if err := s.Here(a.Reader, a.Typist); err != nil {
		return err
	}
	if err := s.Result("medium", a.Medium, false); err != nil {
		return err
	}
	if err := (&export{Files: a.Files, To: a.To}).Run(s); err != nil {
		return err
	}
	sums, err := a.sums(s)
	if err != nil {
		return err
	}
	back, err := s.WriteMedia(a.To, bundle.SumsFile, sums)
	if err != nil {
		return err
	}
	if string(back) != string(sums) {
		return fmt.Errorf("%s on the medium is not what was written: use another medium", bundle.SumsFile)
	}
	h := sha256.Sum256(sums)
	s.Show(room.Text{Text: fmt.Sprintf("Now the medium is unmounted, taken out, and put into ANOTHER machine. There, in the folder %s: sha256sum -c %s, and all files are OK; then sha256sum %s, whose first digits are read aloud.", a.To, bundle.SumsFile, bundle.SumsFile)})
	_, err = s.TypedBack(ceremony.Reading{
		What: "SHA-256 of " + a.To + "/" + bundle.SumsFile + " by the second machine", Prompt: "sums-sha256", Reader: a.Reader, Typist: a.Typist,
		Expected: hex.EncodeToString(h[:]), Compared: ceremony.ComparedWritten, Begins: 16,
	})
	return err
}

// sums is the list that sha256sum -c takes, sorted by name.
func (a *media) sums(s *ceremony.Session) ([]byte, error) {
	var b strings.Builder
	for _, name := range slices.Sorted(slices.Values(a.Files)) {
		f, _, err := s.Artifact(name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s  %s\n", f.File.SHA256, name)
	}
	return []byte(b.String()), nil
}
