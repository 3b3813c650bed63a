package steps

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// An export step copies artifacts to a medium.
type export struct {
	Files []string `yaml:"files,required" desc:"artifacts to copy"`
	To    string   `yaml:"to,required" desc:"folder to make on the medium: beside the script, or in the folder that --media names"`
}

// Check wants files that exist by then.
func (a *export) Check(w *ceremony.World) {
	for i, f := range a.Files {
		if _, ok := w.Files[f]; !ok && !a.publicKey(w, f) {
			w.Problem(fmt.Sprintf("files[%d]", i), "%q does not exist by then: no earlier step makes it", f)
		}
	}
	if err := ceremony.CheckFileName(a.To); err != nil {
		w.Problem("to", "%v", err)
	}
}

// publicKey reports whether f is the public key of a key that exists.
func (a *export) publicKey(w *ceremony.World, f string) bool {
	for name, k := range w.Keys {
		if k.Exists && f == publicKeyFile(name) {
			return true
		}
	}
	return false
}

// publicKeyFile is the artifact with a key's public half.
func publicKeyFile(key string) string { return key + ".pub.pem" }

// Run copies, reads back and compares.
func (a *export) Run(s *ceremony.Session) error {
	d := &audit.Export{Destination: a.To, Files: []audit.File{}, ReadBack: true}
	rows := [][]string{}
	for _, name := range a.Files {
		_, b, err := s.Artifact(name)
		if err != nil {
			return err
		}
		back, err := s.WriteMedia(a.To, name, b)
		if err != nil {
			return err
		}
		f := ceremony.FileOf(a.To+"/"+name, back)
		if f.SHA256 != ceremony.FileOf("", b).SHA256 {
			return fmt.Errorf("%s on the medium is not what was written: use another medium", name)
		}
		d.Files = append(d.Files, f)
		rows = append(rows, []string{f.Name, fmt.Sprint(f.Size), f.SHA256})
	}
	s.Show(room.Table{Header: []string{"file", "bytes", "SHA-256, read back"}, Rows: rows})
	_, err := s.Record(d)
	return err
}
