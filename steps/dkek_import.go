package steps

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/dkek"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// A dkekImport step gives a token one share of its DKEK.
type dkekImport struct {
	Token     string `yaml:"token,required" desc:"the token that gets the share"`
	Custodian string `yaml:"custodian,required" desc:"participant who holds the share and types the password of its file"`
	From      string `yaml:"from,required" desc:"folder on the custodian's medium: beside the script, or in the folder that --media names"`
	File      string `yaml:"file,required" desc:"the share's file there, made by a dkek-create-share step or sc-hsm-tool"`
	SHA256    string `yaml:"sha256" desc:"SHA-256 of the file, if an earlier ceremony made it: 64 hex digits"`
	KeyCheck  string `yaml:"key_check" desc:"key check value that the token must have once all shares are in it, if it is known from before: 16 hex digits"`
	ReadBack  string `yaml:"read_back" desc:"participant who types back the key check value, or the share's, as the actor reads it aloud; it is compared"`
}

// Check counts the shares.
func (a *dkekImport) Check(w *ceremony.World) {
	w.CheckReadBack(a.ReadBack)
	inRoom(w, "custodian", a.Custodian)
	onMedium(w, "from", a.From, a.File)
	hexField(w, "sha256", a.SHA256, 64)
	hexField(w, "key_check", a.KeyCheck, 2*dkek.CheckSize)
	t := identified(w, a.Token)
	if t == nil {
		return
	}
	backsUp(w, t, "token")
	switch {
	case !t.Initialised:
		w.Problem("token", "token %q is not initialised yet: a token-init step with dkek_shares must come first", a.Token)
	case t.ComesBlank() && t.Shares == 0:
		w.Problem("token", "token %q is initialised without a DKEK: its token-init step needs dkek_shares", a.Token)
	case t.ComesBlank() && t.Imported >= t.Shares:
		w.Problem("token", "token %q has all %d shares of its DKEK by then", a.Token, t.Shares)
	}
	t.Imported++
}

// hexField reports a field that is neither left out nor of so many hex digits.
func hexField(w *ceremony.World, field, value string, digits int) {
	if _, ok := hexInt(value); value != "" && (!ok || len(value) != digits) {
		w.Problem(field, "expected %d hex digits in lower case", digits)
	}
}

// Announce says what the share makes possible.
func (a *dkekImport) Announce(s *ceremony.Session) (effect, irreversible string) {
	return fmt.Sprintf("token %s gets the share of the key backup key in %s/%s", a.Token, a.From, a.File),
		"a wrong share cannot be taken out again: the token would have to be initialised anew"
}

// Run imports the share once.
func (a *dkekImport) Run(s *ceremony.Session) error {
	t, without, err := backupToken(s, a.Token)
	if err != nil || without {
		return err
	}
	if !s.Done().Wrote("dkek-import") {
		if err := a.give(s, t); err != nil {
			return err
		}
	}
	all := s.State().Backup.Imports[a.Token]
	d := all[len(all)-1]
	name, value := "check value of the share", d.Check
	if d.KeyCheck != "" {
		name, value = "key check value of token "+t.Name, d.KeyCheck
	}
	s.Show(room.Fact{Name: "shares still missing", Value: fmt.Sprintf("%d of %d", d.Outstanding, d.Shares)})
	s.Show(room.Fact{Name: name, Value: value, Big: true})
	if err := a.compare(s, d); err != nil {
		return err
	}
	return s.ReadBack(a.ReadBack, name, value)
}

// give reads the share, gives it to the token and records it.
func (a *dkekImport) give(s *ceremony.Session, t *ceremony.Token) error {
	i, err := a.read(s, t)
	if err != nil {
		return err
	}
	defer clear(i.share)
	if err := i.give(s, t, a.KeyCheck); err != nil {
		return fmt.Errorf("importing %s into token %q: %w", i.File.Name, t.Name, err)
	}
	_, err = s.Record(&i.DKEKImport)
	return err
}

// An importing is a share that is imported.
type importing struct {
	audit.DKEKImport
	share []byte
}

// read reads the share's file, which must be the right one, and opens it.
func (a *dkekImport) read(s *ceremony.Session, t *ceremony.Token) (*importing, error) {
	name := a.From + "/" + a.File
	b, err := s.ReadMedia(name, dkek.FileSize)
	if err != nil {
		return nil, err
	}
	if err := dkek.CheckFile(b); err != nil {
		return nil, fmt.Errorf("%s is no share of a DKEK: %w; nothing was sent to the token: bring the right medium", name, err)
	}
	i := &importing{DKEKImport: audit.DKEKImport{Token: t.Name, Serial: t.Info.Serial, Person: s.Who(a.Custodian), File: ceremony.FileOf(name, b)}}
	if err := a.right(s, i.File); err != nil {
		return nil, err
	}
	password, err := s.FilePassword(a.Custodian, name, ceremony.Current)
	if err != nil {
		return nil, err
	}
	defer password.Wipe()
	done := s.Patiently("hashing the password ten million times", hashing())
	password.Reveal(func(p []byte) { i.share, err = dkek.Open(b, p) })
	done()
	if err != nil {
		return nil, fmt.Errorf("%s: %w; nothing was sent to the token", name, err)
	}
	i.Check = dkek.CheckValue(i.share)
	if known := s.State().Backup.Checks[i.File.SHA256]; known != "" && known != i.Check {
		clear(i.share)
		return nil, fmt.Errorf("%s: %w (the share's check value would be %s, the log says %s); nothing was sent to the token", name, dkek.ErrPassword, i.Check, known)
	}
	return i, nil
}

// right reports a file that is not the one that the script or the log names, or
// that the token has already.
func (a *dkekImport) right(s *ceremony.Session, f audit.File) error {
	const bring = "; nothing was sent to the token: bring the right medium"
	if a.SHA256 != "" && f.SHA256 != a.SHA256 {
		return fmt.Errorf("%s is another file than the script says: its SHA-256 is %s, expected %s"+bring, f.Name, f.SHA256, a.SHA256)
	}
	b := s.State().Backup
	for _, made := range b.Shares {
		if made.File.Name == f.Name && made.File.SHA256 != f.SHA256 {
			return fmt.Errorf("%s is not the share that was made for %s: its SHA-256 is %s, the log says %s"+bring, f.Name, s.Script().Shown(made.Person), f.SHA256, made.File.SHA256)
		}
	}
	for _, in := range b.Imports[a.Token] {
		if in.File.SHA256 == f.SHA256 {
			return fmt.Errorf("token %q has the share in %s already: importing it again would take it out"+bring, a.Token, f.Name)
		}
	}
	return nil
}

// give sends the share, unless the card says that an earlier attempt did.
func (i *importing) give(s *ceremony.Session, t *ceremony.Token, expected string) error {
	before := len(s.State().Backup.Imports[t.Name])
	return t.Card(func(c *recorded.Card) error {
		d, err := askDKEK(c)
		if err != nil {
			return err
		}
		seq, attempted := s.Done().Attempted(apdu.ImportDKEKShare)
		switch missing := d.Shares - before; {
		case attempted && d.Outstanding == missing-1:
			if out, ok := s.Done().Happened(apdu.ImportDKEKShare); ok {
				seq = out
			}
			s.Show(room.Text{Text: "The card says that an earlier attempt gave it this share; it is not given again."})
			i.Call = seq
		case d.Outstanding == 0:
			return fmt.Errorf("no share of its DKEK is missing (its key check value is %s); nothing was sent", d.KeyCheck)
		case before > 0 && d.Outstanding != missing:
			return fmt.Errorf("%d of its %d shares are missing, and by this log it should be %d: somebody else gave it one; nothing was sent", d.Outstanding, d.Shares, missing)
		default:
			if d.Shares == 1 && expected != "" && expected != i.Check {
				return fmt.Errorf("with this share its key check value would be %s, the script says %s: it is another share; nothing was sent", i.Check, expected)
			}
			if d, err = i.send(c); err != nil {
				return err
			}
		}
		i.Shares, i.Outstanding, i.KeyCheck = d.Shares, d.Outstanding, d.KeyCheck
		return nil
	})
}

func (i *importing) send(c *recorded.Card) (apdu.DKEK, error) {
	b, status, err := c.Transmit(apdu.ImportShare(i.share))
	i.Call = c.Seq
	if err != nil || status != apdu.OK {
		return apdu.DKEK{}, errors.Join(err, commandRefused("IMPORT DKEK SHARE", status))
	}
	return apdu.ParseDKEK(b)
}

// compare holds a complete DKEK against what is known of it: the script's value,
// the only share's, that of another token with the same shares.
func (a *dkekImport) compare(s *ceremony.Session, i *audit.DKEKImport) error {
	if i.KeyCheck == "" {
		return nil
	}
	const wrong = "; no key was wrapped: initialise the token anew and import the right shares"
	if a.KeyCheck != "" && a.KeyCheck != i.KeyCheck {
		return fmt.Errorf("token %q has the key check value %s, the script says %s"+wrong, i.Token, i.KeyCheck, a.KeyCheck)
	}
	if i.Shares == 1 && i.KeyCheck != i.Check {
		return fmt.Errorf("token %q has the key check value %s, its only share %s"+wrong, i.Token, i.KeyCheck, i.Check)
	}
	b := s.State().Backup
	for name := range b.Imports {
		if other := b.KeyCheck(name); other != "" && other != i.KeyCheck && sameShares(b.Imports[name], b.Imports[i.Token]) {
			return fmt.Errorf("token %q has the key check value %s, and token %q with the same shares %s"+wrong, i.Token, i.KeyCheck, name, other)
		}
	}
	return nil
}

// sameShares reports whether two tokens were given the same shares.
func sameShares(a, b []*audit.DKEKImport) bool {
	has := map[string]bool{}
	for _, d := range a {
		has[d.Check] = true
	}
	for _, d := range b {
		if !has[d.Check] {
			return false
		}
	}
	return len(a) == len(b)
}
