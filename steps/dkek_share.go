package steps

import (
	"crypto/subtle"
	"fmt"
	"io"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/dkek"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// hashing is how long a password is hashed, on a machine of today and an old one.
func hashing() token.Duration { return token.Duration{Usual: 5 * time.Second, Long: time.Minute} }

// A dkekCreateShare step makes a share of a DKEK.
type dkekCreateShare struct {
	Token     string `yaml:"token,required" desc:"the token that gives random bytes for the share, beside the system's; it does not get the share"`
	Custodian string `yaml:"custodian,required" desc:"participant who holds the share: types the password of its file, and takes the medium"`
	To        string `yaml:"to,required" desc:"folder to make on the custodian's medium: beside the script, or in the folder that --media names"`
	File      string `yaml:"file,required" desc:"file to make there, in the form of sc-hsm-tool"`
}

// Check wants a token that gives random bytes and a custodian who is there.
func (a *dkekCreateShare) Check(w *ceremony.World) {
	if t := identified(w, a.Token); t != nil && !t.Initialised {
		w.Problem("token", "token %q is not initialised yet", a.Token)
	}
	inRoom(w, "custodian", a.Custodian)
	onMedium(w, "to", a.To, a.File)
}

// onMedium reports a folder or file on a medium that cannot be.
func onMedium(w *ceremony.World, field, folder, file string) {
	if err := ceremony.CheckFileName(folder); err != nil {
		w.Problem(field, "%v", err)
	}
	if err := ceremony.CheckFileName(file); err != nil {
		w.Problem("file", "%v", err)
	}
}

// Announce says what the share opens.
func (a *dkekCreateShare) Announce(s *ceremony.Session) (effect, irreversible string) {
	return fmt.Sprintf("a random share of the key backup key is made and written, encrypted, to %s/%s for %s", a.To, a.File, s.Script().Shown(a.Custodian)),
		"what is wrapped under the key can be opened by nobody once this share or its password is lost"
}

// Run makes the share once.
func (a *dkekCreateShare) Run(s *ceremony.Session) error {
	name := a.To + "/" + a.File
	if s.Done().Wrote("dkek-share") {
		s.Show(room.Text{Text: name + " was written in an earlier attempt."})
		return nil
	}
	password, err := s.FilePassword(a.Custodian, name, ceremony.New)
	if err != nil {
		return err
	}
	defer password.Wipe()
	share, random, err := a.draw(s)
	if err != nil {
		return err
	}
	defer clear(share)
	done := s.Patiently("hashing the password ten million times", hashing())
	var file []byte
	password.Reveal(func(b []byte) { file, err = dkek.Seal(share, b, s.Rand()) })
	done()
	if err != nil {
		return err
	}
	d := &audit.DKEKShare{Person: s.Who(a.Custodian), Check: dkek.CheckValue(share), Random: random}
	if d.File, err = toMedium(s, a.To, a.File, file); err != nil {
		return err
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	s.Show(room.Fact{Name: "check value of the share", Value: d.Check})
	s.Show(room.Fact{Name: "SHA-256 of " + name + ", read back", Value: d.File.SHA256, Big: true})
	return nil
}

// draw makes a share of bytes of the token and of the system: it is as random as
// the better of the two.
func (a *dkekCreateShare) draw(s *ceremony.Session) (share []byte, seq int64, err error) {
	t, err := s.Token(a.Token)
	if err != nil {
		return nil, 0, err
	}
	share = make([]byte, dkek.ShareSize)
	if _, err := io.ReadFull(s.Rand(), share); err != nil {
		return nil, 0, fmt.Errorf("drawing a share: %w", err)
	}
	err = t.WithSession(false, func(session uint) error {
		var random []byte
		random, seq, err = t.Random(session, len(share), token.PurposeSecret)
		if err == nil {
			subtle.XORBytes(share, share, random)
			clear(random)
		}
		return err
	})
	return share, seq, err
}

// toMedium writes a file to a medium and returns it as it was read back.
func toMedium(s *ceremony.Session, folder, name string, b []byte) (audit.File, error) {
	back, err := s.WriteMedia(folder, name, b)
	if err != nil {
		return audit.File{}, err
	}
	f := ceremony.FileOf(folder+"/"+name, back)
	if f.SHA256 != ceremony.FileOf("", b).SHA256 {
		return f, fmt.Errorf("%s on the medium is not what was written: use another medium", f.Name)
	}
	return f, nil
}
