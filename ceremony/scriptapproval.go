package ceremony

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
)

// Approvals are the approvals without which no production ceremony starts.
type Approvals struct {
	Count     int        `yaml:"count,required" desc:"how many of the approvers have to approve the script, each once"`
	Approvers []Approver `yaml:"approvers,required" desc:"who may approve it"`
}

// An Approver may approve a script: with a key before the ceremony, or, as a
// participant, in the room from the paper that was approved.
type Approver struct {
	ID   string `yaml:"id,required" desc:"short name: a-z, 0-9, -; the id of a participant who may also approve in the room" line:"one"`
	Name string `yaml:"name" desc:"the person's name; left out for a participant" line:"one"`
	Key  string `yaml:"key" desc:"the approver's own verifier key, made with keyrite-verify witness-key; required for somebody who is no participant" line:"one"`
}

// How an approval was given.
const (
	ByNote  = "note"
	ByPaper = "paper"
)

// approver returns the approver with an id, or nil.
func (s *Script) approver(id string) *Approver {
	if s.Approvals == nil {
		return nil
	}
	for i := range s.Approvals.Approvers {
		if s.Approvals.Approvers[i].ID == id {
			return &s.Approvals.Approvers[i]
		}
	}
	return nil
}

// ApproverName returns the name of an approver.
func (s *Script) ApproverName(id string) string {
	if p := s.Participant(id); p != nil {
		return p.Name
	}
	if a := s.approver(id); a != nil {
		return a.Name
	}
	return id
}

// ApproverWithKey returns the id of the approver whose key has the verifier key
// vkey, "" if nobody has.
func (s *Script) ApproverWithKey(vkey string) string {
	if s.Approvals == nil {
		return ""
	}
	for _, a := range s.Approvals.Approvers {
		if a.Key == vkey && vkey != "" {
			return a.ID
		}
	}
	return ""
}

// ErrOtherScriptApproved means that an approval is of another script.
var ErrOtherScriptApproved = errors.New("it approves another script")

// Approval returns what an approval's signed note means for the script with
// these bytes. A note by a key of no approver is refused, and so is one of
// another script, with [ErrOtherScriptApproved].
func (s *Script) Approval(script, signed []byte) (*audit.ScriptApproval, error) {
	said, key, err := audit.ReadScriptApproval(signed)
	if err != nil {
		return nil, err
	}
	if s.Approvals == nil {
		return nil, errors.New("the script asks for no approvals")
	}
	if sum := FileOf("", script).SHA256; said.Script.String() != sum {
		return nil, fmt.Errorf("%w: %q with the SHA-256 %s; this script has %s", ErrOtherScriptApproved, said.Title, said.Script, sum)
	}
	for _, a := range s.Approvals.Approvers {
		k, err := audit.ParseWitnessKey(a.Key)
		if err != nil {
			continue
		}
		if _, err := audit.OpenScriptApproval(signed, k); err != nil {
			continue
		}
		if said.Title != s.Title || said.Mode != s.Mode {
			return nil, fmt.Errorf("it names the script's SHA-256, but says %q, mode %s: the script says %q, mode %s", said.Title, said.Mode, s.Title, s.Mode)
		}
		return &audit.ScriptApproval{Person: a.ID, Name: s.ApproverName(a.ID), How: ByNote, Note: string(signed)}, nil
	}
	return nil, fmt.Errorf("the signature by %q is not by a key of the script's approvers, or the note was changed", key)
}

// InRoom returns those approvers who could still approve in the room: the
// participants among them of whom given holds no approval.
func (s *Script) InRoom(given []*audit.ScriptApproval) []string {
	var list []string
	for _, id := range s.notApproved(given) {
		if s.Participant(id) != nil {
			list = append(list, id)
		}
	}
	return list
}

// notApproved returns the approvers of whom given holds no approval.
func (s *Script) notApproved(given []*audit.ScriptApproval) []string {
	if s.Approvals == nil {
		return nil
	}
	has := map[string]bool{}
	for _, a := range given {
		has[a.Person] = true
	}
	var list []string
	for _, a := range s.Approvals.Approvers {
		if !has[a.ID] {
			list = append(list, a.ID)
		}
	}
	return list
}

// approved counts the approvers of whom given holds an approval.
func (s *Script) approved(given []*audit.ScriptApproval) int {
	if s.Approvals == nil {
		return 0
	}
	return len(s.Approvals.Approvers) - len(s.notApproved(given))
}

// ApprovalsMissing says which approvals a ceremony lacks, given those at hand
// and, if room is true, those that can still be given in the room; "" if there
// are as many as the script asks for.
func (s *Script) ApprovalsMissing(given []*audit.ScriptApproval, room bool) string {
	if s.Approvals == nil {
		return ""
	}
	n := s.approved(given)
	can := n
	if room {
		can += len(s.InRoom(given))
	}
	if can >= s.Approvals.Count {
		return ""
	}
	var names []string
	for _, id := range s.notApproved(given) {
		names = append(names, fmt.Sprintf("%s (%s)", s.ApproverName(id), id))
	}
	return fmt.Sprintf("the script asks for %d approval(s) and has %d; not approved by %s", s.Approvals.Count, n, strings.Join(names, ", "))
}

// approveScript takes the approvals that the script asks for, before the first step:
// the signed notes that were brought, then the word of approvers in the room,
// who type the script's SHA-256 from the paper that they approved. A rehearsal
// needs none and says what is missing.
func (r *Runner) approveScript() error {
	if r.Script.Approvals == nil || r.state.running != "" {
		return nil
	}
	for _, a := range r.Given {
		if err := r.takeScriptApproval(a); err != nil {
			return err
		}
	}
	missing := r.Script.ApprovalsMissing(r.state.Approvals, false)
	if missing == "" {
		return nil
	}
	if r.Mode == Rehearsal {
		if r.state.toldUnapproved {
			return nil
		}
		return r.outside("approval").Result(unapproved, missing, false)
	}
	for _, id := range r.Script.InRoom(r.state.Approvals) {
		if err := r.approvedInRoom(id); err != nil {
			return err
		}
		if r.Script.ApprovalsMissing(r.state.Approvals, false) == "" {
			return nil
		}
	}
	return &Stop{Reason: r.Script.ApprovalsMissing(r.state.Approvals, false)}
}

// unapproved is the name of the fact that a rehearsal lacks approvals.
const unapproved = "approvals missing, which a rehearsal does not need"

// takeScriptApproval records a signed note and copies it into the bundle.
func (r *Runner) takeScriptApproval(a *audit.ScriptApproval) error {
	for _, old := range r.state.Approvals {
		if old.Person == a.Person {
			return nil
		}
	}
	r.Room.Show(room.Fact{Name: "approved by", Value: a.Name + ", with a signed note"})
	if _, err := r.record("", a, true); err != nil {
		return err
	}
	return r.writeOnce(bundle.ApprovalFile(a.Person), []byte(a.Note))
}

// approvedInRoom asks an approver for the script's SHA-256 until it is typed
// right, or refused.
func (r *Runner) approvedInRoom(id string) error {
	s := r.outside("approval")
	sum := r.state.Open.Script.SHA256
	r.Room.Show(room.Text{Text: r.Script.ApprovalsMissing(r.state.Approvals, false) + ". An approver who is here takes the paper that was approved and types the SHA-256 on its cover: its 32 words, or its 64 hex digits. It is not shown here, so that what counts is the paper."})
	const question = "Type the SHA-256 of the script from your approved paper, or 'none' if you do not approve it"
	for {
		v, err := s.AskOnly(id, "script", question)
		if err != nil {
			return err
		}
		if strings.EqualFold(v, "none") {
			_, err := s.Record(&audit.Answer{Person: id, Question: question, Value: v})
			return err
		}
		if TypedHash(v, sum) {
			_, err := r.record("", &audit.ScriptApproval{Person: id, Name: r.Script.ApproverName(id), How: ByPaper, Typed: v}, true)
			return err
		}
		what := fmt.Sprintf("what %s typed is not the SHA-256 of this script", r.Script.Shown(id))
		if _, err := s.Record(&audit.Problem{What: what}); err != nil {
			return err
		}
		r.Room.Show(room.Warning{Text: what + ". If it is what stands on the paper, another script was approved: do not go on (!). Else type it again."})
	}
}

// TypedHash reports whether what was typed is a SHA-256, given in hex: as 32
// words or 64 hex digits, in any case, with spaces or none.
func TypedHash(typed, sum string) bool {
	want, err := hex.DecodeString(sum)
	if err != nil || len(want) != 32 {
		return false
	}
	digits := strings.ToLower(strings.Join(strings.Fields(typed), ""))
	if digits == sum {
		return true
	}
	b, err := audit.ParseWords(typed)
	return err == nil && bytes.Equal(b, want)
}

// restoreApprovals writes signed notes that a break kept from being written.
func (r *Runner) restoreApprovals() error {
	for _, a := range r.state.Approvals {
		if a.How != ByNote {
			continue
		}
		if err := r.writeOnce(bundle.ApprovalFile(a.Person), []byte(a.Note)); err != nil {
			return err
		}
	}
	return nil
}

// approvals judges who has to approve the script. An approver is a participant,
// or somebody else with a name and a key; the administrator, who runs the
// script, does not approve it.
func (c *checker) approvals() {
	a := c.Script.Approvals
	if a == nil {
		return
	}
	if a.Count < 1 || len(a.Approvers) > 0 && a.Count > len(a.Approvers) {
		c.wrong("approvals.count", "expected 1 to %d, the number of approvers", len(a.Approvers))
	}
	ids, keys := map[string]bool{}, map[string]string{}
	for i := range a.Approvers {
		c.approver(i, &a.Approvers[i], ids, keys)
	}
}

func (c *checker) approver(i int, a *Approver, ids map[string]bool, keys map[string]string) {
	c.name(at("approvals.approvers", i, "id"), a.ID, ids)
	p := c.Participant(a.ID)
	switch {
	case a.ID == "":
	case p != nil && a.Name != "":
		c.wrong(at("approvals.approvers", i, "name"), "%q is a participant, whose name stands there already: leave the name out", a.ID)
	case p != nil && hasRole(p, administrator):
		c.wrong(at("approvals.approvers", i, "id"), "%q is the ceremony administrator: somebody else approves the script", a.ID)
	case p == nil && a.Name == "":
		c.wrong(at("approvals.approvers", i, "id"), "%q is no participant: write the person's name, too", a.ID)
	case p == nil && a.Key == "":
		c.wrong(at("approvals.approvers", i, "id"), "%q is no participant and cannot approve in the room: write the person's key (made with keyrite-verify witness-key)", a.ID)
	}
	if a.Key == "" {
		return
	}
	path := at("approvals.approvers", i, "key")
	k, err := audit.ParseWitnessKey(a.Key)
	if err != nil {
		c.wrong(path, "%v", err)
		return
	}
	for _, id := range []string{"name " + k.Name(), "public key " + hex.EncodeToString(k.Public())} {
		if other, taken := keys[id]; taken {
			c.wrong(path, "the %s is that of %q, too: each approver has a key of their own", id, other)
		}
		keys[id] = a.ID
	}
	for _, p := range c.Participants {
		if w, err := audit.ParseWitnessKey(p.WitnessKey); err == nil && p.ID != a.ID && (w.Name() == k.Name() || w.Public().Equal(k.Public())) {
			c.wrong(path, "it is the witness key of %q: each person has a key of their own", p.ID)
		}
	}
}
