package ceremony

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// A Backup is what the log says of shares of a DKEK and of keys wrapped under it.
type Backup struct {
	Shares  map[string]*audit.DKEKShare    // by the SHA-256 of the file
	Imports map[string][]*audit.DKEKImport // by token, in order, since it was initialised
	Wraps   map[string]*audit.KeyWrap      // last, by key
	Copies  map[string]*audit.KeyUnwrap    // by the copy's name
	Checks  map[string]string              // check value of a share by the SHA-256 of its file
}

func newBackup() *Backup {
	return &Backup{
		Shares: map[string]*audit.DKEKShare{}, Imports: map[string][]*audit.DKEKImport{}, Wraps: map[string]*audit.KeyWrap{},
		Copies: map[string]*audit.KeyUnwrap{}, Checks: map[string]string{},
	}
}

// apply takes one more entry.
func (b *Backup) apply(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.Destroyed:
		if d.Key == "" { // the token was initialised again
			delete(b.Imports, d.Token)
		}
	case *audit.DKEKShare:
		b.Shares[d.File.SHA256], b.Checks[d.File.SHA256] = d, d.Check
	case *audit.DKEKImport:
		b.Imports[d.Token] = append(b.Imports[d.Token], d)
		b.Checks[d.File.SHA256] = d.Check
	case *audit.KeyWrap:
		b.Wraps[d.Key] = d
	case *audit.KeyUnwrap:
		b.Copies[d.Key] = d
	}
}

// KeyCheck is the key check value of a token as the log has it, "" if it does not.
func (b *Backup) KeyCheck(tokenName string) string {
	list := b.Imports[tokenName]
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1].KeyCheck
}

// Reopen leaves the PKCS#11 module, so that the next call looks at the tokens
// anew: OpenSC keeps in memory what it has read of a card, and does not see what
// a command beside it has written.
func (s *Session) Reopen() error { return s.r.finalize() }

// Lengths of the password of a file: a new one, and one that other programs may
// have let through.
const (
	minFilePassword = 12
	maxFilePassword = 128
)

// FilePassword asks a person for the password of a file, unseen; a new one is
// typed twice. What does not fit is recorded, said and asked for again. The caller
// wipes it.
func (s *Session) FilePassword(person, file string, use Use) (token.PIN, error) {
	person = s.Who(person)
	if err := s.Here(person); err != nil {
		return token.PIN{}, err
	}
	for {
		pin, err := s.filePassword(person, file, use)
		var refused *refusedPassword
		if err != nil && !errors.As(err, &refused) {
			return token.PIN{}, err
		}
		d := &audit.Secret{Person: person, Secret: "password of " + file, Use: string(use), Result: accepted}
		if refused != nil {
			d.Result = refused.why
		}
		if _, err := s.Record(d); err != nil {
			pin.Wipe()
			return token.PIN{}, err
		}
		if refused == nil {
			return pin, nil
		}
		s.Show(room.Warning{Text: "This is not taken: " + refused.why + "."})
	}
}

// refusedPassword says why what was typed is not taken; it does not show it.
type refusedPassword struct{ why string }

func (r *refusedPassword) Error() string { return r.why }

func (s *Session) filePassword(person, file string, use Use) (token.PIN, error) {
	least, what := 1, "dkek-password-current"
	question := fmt.Sprintf("The password of the file %s", file)
	if use == New {
		least, what = minFilePassword, "dkek-password-new"
		question = fmt.Sprintf("A password for the file %s, of your own: at least %d characters of ASCII. Whoever has the file and the password has the share", file, least)
	}
	pin, err := s.secret(person, what, question)
	if err != nil {
		return token.PIN{}, err
	}
	why := ""
	pin.Reveal(func(b []byte) {
		for _, c := range b {
			if c < 0x20 || c > 0x7E {
				why = "it has a character that is not one of ASCII, which other programs may encode in another way"
			}
		}
		if n := utf8.RuneCount(b); n < least || n > maxFilePassword {
			why = fmt.Sprintf("it has %d characters, expected %d to %d", n, least, maxFilePassword)
		}
	})
	if why == "" && use == New {
		again, err := s.secret(person, what, "The same password again")
		if err != nil {
			pin.Wipe()
			return token.PIN{}, err
		}
		if !pin.Equal(again) {
			why = "the two entries differ"
		}
		again.Wipe()
	}
	if why != "" {
		pin.Wipe()
		return token.PIN{}, &refusedPassword{why}
	}
	return pin, nil
}
