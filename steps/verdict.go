package steps

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A verdict step asks each witness of the step for a verdict on everything up
// to here.
type verdict struct {
	To string `yaml:"to" desc:"folder to make on the medium, into which the checkpoint that the verdicts speak of is written for the witnesses' machines; none if left out" line:"one"`
}

// Check refuses a verdict that nobody gives.
func (a *verdict) Check(w *ceremony.World) {
	if len(w.Step.Witnesses) == 0 {
		w.Problem("witnesses", "a verdict needs at least one witness")
	}
	for _, id := range w.Step.Witnesses {
		w.Asks(id, "say whether you agree with everything up to here; without a key, sign on paper")
	}
	folderName(w, a.To)
}

// folderName reports a field "to" that cannot be a folder on the medium.
func folderName(w *ceremony.World, to string) {
	if to == "" {
		return
	}
	if err := ceremony.CheckFileName(to); err != nil {
		w.Problem("to", "%v", err)
	}
}

// The answers to the question for a verdict.
var verdictChoices = []room.Choice{
	{Word: "agree", Does: "it was done as the script and the log say"},
	{Word: "disagree", Does: "it was not; you are asked why"},
	{Word: "no-verdict", Does: "none is given; recorded as missing, which is never agreement"},
}

// Run asks the witnesses one after the other. Saying no is an answer like any
// other: it is recorded with its reason and stops nothing by itself. The step
// ends only when each has an entry.
func (a *verdict) Run(s *ceremony.Session) error {
	note, p, err := s.Checkpoint()
	if err != nil {
		return err
	}
	size, head := p.Size, p.Root
	s.Show(room.Text{Text: "Each witness now says whether everything up to here was done as the script says. Who has no key writes name and signature on paper beside the words of this head."})
	s.Show(room.Fact{Name: "log size", Value: fmt.Sprint(size, " entries")})
	s.Show(room.Fact{Name: "log head", Value: head.String(), Big: true})
	s.Show(room.Fact{Name: "in words", Value: strings.Join(audit.Words(head[:]), " "), Big: true})
	if len(cosigners(s)) > 0 {
		if err := s.ShowCheckpoint(note, p, a.To); err != nil {
			return err
		}
	}
	for _, id := range s.Step.Witnesses {
		d := &audit.Verdict{Person: id, Size: size, Head: head.String()}
		if err := a.ask(s, d, head); err != nil {
			return err
		}
		if _, err := s.Record(d); err != nil {
			return err
		}
	}
	return nil
}

// ask fills in what a witness says.
func (a *verdict) ask(s *ceremony.Session, d *audit.Verdict, head audit.Hash) error {
	v, err := s.AskOnly(d.Person, "verdict", "Do you agree with what was done and written down up to here?", verdictChoices...)
	if err != nil {
		return err
	}
	d.Agree, d.Missing = v == "agree", v == "no-verdict"
	if d.Agree {
		return a.sign(s, d, head)
	}
	question := "What do you not agree with? (one line)"
	if d.Missing {
		question = "Why is there no verdict? (one line)"
	}
	for d.Because == "" {
		if d.Because, err = s.AskOnly(d.Person, "because", question); err != nil {
			return err
		}
	}
	if d.Missing {
		return nil
	}
	return a.sign(s, d, head)
}

// sign asks a witness with a key for the verdict's signature. Without one, the
// verdict stands as it was typed.
func (a *verdict) sign(s *ceremony.Session, d *audit.Verdict, head audit.Hash) error {
	k := s.WitnessKey(d.Person)
	if k == nil {
		return nil
	}
	n := audit.VerdictNote{Origin: s.State().Open.Origin, Step: s.Step.ID, Size: d.Size, Root: head, Witness: d.Person, Agree: d.Agree, Because: d.Because}
	if _, err := audit.ParseVerdictNote(n.Text()); err != nil {
		return err
	}
	s.Show(room.Text{Text: "This text is to be signed with the key " + k.Name() + " on the witness's own machine, after comparing it there with what was noted:"})
	s.Show(room.Verbatim{Text: n.Text()})
	s.ShowCode("verdict of "+s.Script().Shown(d.Person), n.Text())
	given, err := s.Bring(ceremony.Signing{
		Person: d.Person, What: "verdict-signature", Asked: "The signature of your verdict", Use: ceremony.ForVerdict,
		Take: func(text string) error {
			b, err := signedVerdict(text, n, k)
			d.Note = string(b)
			return err
		},
		Sign: func(key *audit.WitnessSigner) (string, error) {
			b, err := key.SignVerdict(n)
			return string(b), err
		},
	})
	d.Exposed = d.Note != "" && s.Exposed(k)
	if err == nil && !given {
		s.Show(room.Warning{Text: "The verdict is recorded without a signature, as the keyboard had it."})
	}
	return err
}

// signedVerdict returns the signed note of a verdict from what was brought: the
// note, its signature line or the form for typing.
func signedVerdict(text string, n audit.VerdictNote, k *audit.WitnessKey) ([]byte, error) {
	b, err := ceremony.SignedNote(text, n.Text(), k.Name(), func(text string) ([]byte, error) { return audit.ParseTypedVerdict(text, n, k) })
	if err != nil {
		return nil, err
	}
	got, err := audit.OpenVerdictNote(b, k)
	if err != nil {
		return nil, fmt.Errorf("the signature does not verify with the key %s and the text shown: %w", k.Name(), err)
	}
	if got != n {
		return nil, fmt.Errorf("the note says something else than the text shown")
	}
	return b, nil
}
