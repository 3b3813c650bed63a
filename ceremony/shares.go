package ceremony

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/secretshare"
	"github.com/keyrite/keyrite/internal/token"
)

func shareKind(kind token.PINKind) secretshare.Kind {
	if kind == token.SOPIN {
		return secretshare.SOPIN
	}
	return secretshare.UserPIN
}

// errAnew means that a custodian cannot go on with a share that was handed out.
var errAnew = errors.New("the shares are made anew")

// deal makes a new PIN, hands its shares out and has each typed back. The PIN is
// returned when every custodian has shown that the share is written down.
func (t *Token) deal(spec PINSpec, kind token.PINKind) (token.PIN, error) {
	for {
		if err := t.s.voidShares(t.Name, kind, brokenOff); err != nil {
			return token.PIN{}, err
		}
		pin, err := t.dealOnce(spec, kind)
		if !errors.Is(err, errAnew) {
			return pin, err
		}
		t.s.Show(room.Warning{Text: "The PIN and all its shares are thrown away and made anew."})
		if err := t.s.voidShares(t.Name, kind, unread); err != nil {
			return token.PIN{}, err
		}
	}
}

func (t *Token) dealOnce(spec PINSpec, kind token.PINKind) (token.PIN, error) {
	pin, err := t.randomPIN(kind)
	if err != nil {
		return token.PIN{}, err
	}
	given := false
	defer func() {
		if !given {
			pin.Wipe()
		}
	}()
	size, _ := t.s.Head()
	set := secretshare.Set{Origin: t.s.State().Open.Origin, Token: t.Name, Kind: shareKind(kind), Number: size, K: spec.Threshold, N: len(spec.Custodians)}
	var shares []*secretshare.Share
	pin.Reveal(func(b []byte) { shares, err = set.Split(b, t.s.Rand()) })
	if err != nil {
		return token.PIN{}, err
	}
	defer wipeShares(shares)
	for i, person := range spec.Custodians {
		if err := t.handOut(person, spec, set, shares[i]); err != nil {
			return token.PIN{}, err
		}
	}
	for i, person := range spec.Custodians {
		commitment := shares[i].Commitment()
		if _, err := t.s.Record(&audit.Share{
			Person: person, Secret: kind.String(), Token: t.Name, Set: hex.EncodeToString(shares[i].Tag[:]), Number: size, Index: i + 1,
			Threshold: spec.Threshold, Shares: len(shares), Shown: t.shownBy(spec), Commitment: hex.EncodeToString(commitment[:]),
		}); err != nil {
			return token.PIN{}, err
		}
	}
	given = true
	return pin, nil
}

func wipeShares(shares []*secretshare.Share) {
	for _, s := range shares {
		s.Wipe()
	}
}

// randomPIN makes a PIN that nobody knows, of digits, as long as the model takes
// and at most 16: from the token's randomness XOR the system's, so that it is
// random if one of them is.
func (t *Token) randomPIN(kind token.PINKind) (token.PIN, error) {
	form := t.Model.Rule(kind).New
	n := min(form.Max, secretshare.MostBytes)
	if n < form.Min {
		return token.PIN{}, fmt.Errorf("a %s of a %s must be %s: that is too long to be split into shares", kind, t.Model.Title, form.Words)
	}
	for range 100 {
		digits := make([]byte, 0, n)
		for len(digits) < n {
			more, err := t.mixed(64)
			if err != nil {
				clear(digits)
				return token.PIN{}, err
			}
			digits = appendDigits(digits, more)
			clear(more)
		}
		pin := token.NewPIN(digits)
		if t.Model.CheckNew(kind, pin) == nil {
			return pin, nil
		}
		pin.Wipe()
	}
	return token.PIN{}, errors.New("100 random PINs in a row were too easy to guess: the randomness is not random")
}

// appendDigits appends to digits, up to its capacity, a digit for each byte below
// 250; the others would make 0 to 5 come more often than 6 to 9.
func appendDigits(digits, random []byte) []byte {
	for _, b := range random {
		if b < 250 && len(digits) < cap(digits) {
			digits = append(digits, '0'+b%10)
		}
	}
	return digits
}

func (t *Token) mixed(n int) (mixed []byte, err error) {
	err = t.WithSession(true, func(session uint) error {
		mixed, _, err = t.Random(session, n, token.PurposeSecret)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("asking token %q for randomness: %w", t.Name, err)
	}
	system := make([]byte, n)
	defer clear(system)
	if _, err := io.ReadFull(t.s.Rand(), system); err != nil {
		return nil, fmt.Errorf("reading the system's randomness: %w", err)
	}
	for i := range system {
		mixed[i] ^= system[i]
	}
	return mixed, nil
}

// slipName is what a share is called in a prompt for its rows.
func (t *Token) slipName(kind token.PINKind) string { return t.Name + "/" + short(kind) }

// A shareTyping is a share that one person types, row by row.
type shareTyping struct {
	person    string
	kind      token.PINKind
	use       Use
	index, of int // which share, 0 if that is not known
	wrong     func(*secretshare.Share) error
	otherwise room.Choice // what an empty row can mean, besides a slip of the finger
}

// shareOf asks for a share until it is right. What is wrong with a row is said
// and recorded at once, never the row; errAnew means that the person chose the
// other way.
func (t *Token) shareOf(y shareTyping) (*secretshare.Share, error) {
	var r secretshare.Reader
	defer r.Wipe()
	part := "share"
	if y.index > 0 {
		part = fmt.Sprintf("share %d of %d", y.index, y.of)
	}
	for {
		number := r.Rows() + 1
		p := t.s.prompt(y.person, short(y.kind)+"-share", fmt.Sprintf("Row %d of the %s of the %s %s of %s, the words of one line of the slip. Only %s looks at the keyboard now.", number, part, y.use, y.kind, t.Name, t.s.r.Script.Shown(y.person)))
		p.Slip, p.Row = t.slipName(y.kind), number
		line, err := t.s.askSecret(p)
		if err != nil {
			return nil, err
		}
		if line.Empty() {
			v, err := t.s.AskOnly(y.person, short(y.kind)+"-row", "The row was empty.", room.Choice{Word: "again", Does: "type it again"}, y.otherwise)
			if err == nil && v == y.otherwise.Word {
				err = errAnew
			}
			if err != nil {
				return nil, err
			}
			continue
		}
		var share *secretshare.Share
		line.Reveal(func(b []byte) { share, err = r.Row(b) })
		line.Wipe()
		if err != nil {
			err = fmt.Errorf("row %d: %w", number, err)
		} else if share != nil {
			err = y.wrong(share)
		}
		if err == nil && share == nil {
			continue
		}
		if done, err := t.typedShare(y, part, share, err); done || err != nil {
			return share, err
		}
	}
}

// typedShare records and says what came of a row or of a whole share.
func (t *Token) typedShare(y shareTyping, part string, share *secretshare.Share, wrong error) (done bool, err error) {
	d := t.entered(y.person, y.kind, y.use, part)
	if wrong == nil {
		_, err = t.s.Record(d)
		return true, err
	}
	if share != nil {
		share.Wipe()
	}
	d.Result = wrong.Error()
	if _, err := t.s.Record(d); err != nil {
		return false, err
	}
	t.s.Show(room.Warning{Text: "This was not sent to the token: " + wrong.Error() + "."})
	return false, nil
}

// collect asks custodians for their shares until there are enough, and joins them.
func (t *Token) collect(spec PINSpec, kind token.PINKind) (token.PIN, error) {
	var here, away, left []string
	for _, person := range spec.Custodians {
		switch st := t.s.State(); {
		case st.Absent[person]:
			away = append(away, t.s.r.Script.Shown(person))
		case st.away[person]:
			left = append(left, person)
		default:
			here = append(here, person)
		}
	}
	for len(here) < spec.Threshold && len(left) > 0 { // wait for as many as it takes
		if err := t.s.waitFor(left[0]); err != nil {
			return token.PIN{}, err
		}
		here, left = append(here, left[0]), left[1:]
	}
	if len(here) < spec.Threshold {
		return token.PIN{}, fmt.Errorf("the %s of token %q needs %d of its %d custodians with their shares, and %s are absent", kind, t.Name, spec.Threshold, len(spec.Custodians), strings.Join(away, ", "))
	}
	shares, err := t.gather(spec, kind, here)
	defer wipeShares(shares)
	if err != nil {
		return token.PIN{}, err
	}
	if len(shares) < spec.Threshold {
		return token.PIN{}, fmt.Errorf("%d of the %d shares of the %s of token %q that are needed were entered: nothing was sent to the token", len(shares), spec.Threshold, kind, t.Name)
	}
	b, err := secretshare.Join(shares)
	if err != nil {
		return token.PIN{}, err
	}
	pin := token.NewPIN(b)
	if err := t.Model.CheckForm(kind, pin); err != nil {
		pin.Wipe()
		return token.PIN{}, fmt.Errorf("the shares were joined: %w", err)
	}
	return pin, nil
}

// gather has custodians enter their shares, one after the other.
func (t *Token) gather(spec PINSpec, kind token.PINKind, here []string) (shares []*secretshare.Share, err error) {
	for i, person := range here {
		need := spec.Threshold - len(shares)
		if need == 0 {
			break
		}
		if len(here)-i > need {
			v, err := t.s.AskOnly(person, short(kind)+"-gives", fmt.Sprintf("%d more of the %d shares of the %s of %s are needed. Does %s enter one?", need, spec.Threshold, kind, t.Name, t.s.r.Script.Shown(person)),
				room.Choice{Word: "yes", Does: "enter the share now"}, room.Choice{Word: "no", Does: "leave it to the others"})
			if err != nil {
				return shares, err
			}
			if v == "no" {
				continue
			}
		}
		share, err := t.shareOf(shareTyping{
			person: person, kind: kind, use: Current,
			wrong:     func(s *secretshare.Share) error { return t.wrongShare(spec, kind, person, s, shares) },
			otherwise: room.Choice{Word: "without", Does: "go on without this share"},
		})
		switch {
		case errors.Is(err, errAnew):
			continue
		case err != nil:
			return shares, err
		}
		shares = append(shares, share)
	}
	return shares, nil
}

// wrongShare says why a share is not one that opens the token now, or nil.
func (t *Token) wrongShare(spec PINSpec, kind token.PINKind, person string, share *secretshare.Share, before []*secretshare.Share) error {
	tag, sum := hex.EncodeToString(share.Tag[:]), share.Commitment()
	commitment := hex.EncodeToString(sum[:])
	set := t.s.State().setOpening(t.Name, kind, tag)
	switch {
	case share.Kind != shareKind(kind):
		return fmt.Errorf("this is a share of the %s, and the %s is asked for", share.Kind, kind)
	case t.s.State().void(t.Name, kind, tag):
		return fmt.Errorf("this share is of set %s, which the log declares void: destroy it", tag)
	case set != nil && tag != set.Tag:
		return fmt.Errorf("this share is of set %s and the PIN in use of set %s: it was made in another ceremony, for another token or for a PIN that was replaced", tag, set.Tag)
	case share.K != spec.Threshold || share.N != len(spec.Custodians):
		return fmt.Errorf("the share says %d of %d, the script %d of %d: it was made for other custodians", share.K, share.N, spec.Threshold, len(spec.Custodians))
	case spec.Custodians[share.Index-1] != person:
		return fmt.Errorf("this is share %d, which is that of %s", share.Index, t.s.r.Script.Shown(spec.Custodians[share.Index-1]))
	case set != nil && (set.Shares[share.Index] == nil || set.Shares[share.Index].Commitment != commitment):
		return fmt.Errorf("this is not the share %d that the log committed to", share.Index)
	case set == nil && len(spec.Commitments) > 0 && spec.Commitments[share.Index-1] != commitment:
		return fmt.Errorf("this is not the share %d that the script commits to: it is of another ceremony, or was changed", share.Index)
	}
	for _, other := range before {
		if err := other.Fits(share); err != nil {
			return err
		}
	}
	return nil
}
