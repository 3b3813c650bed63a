package ceremony

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// A looked is what the log last saw of a token's counters.
type looked struct {
	seq   int64
	flags []string
	spent bool // a call since then may have changed them
}

// countedFlags are the flags that tell of tries and states, which nothing but a
// login, an initialisation or a change of a PIN sets or clears.
func countedFlags(flags []string) []string {
	var list []string
	for _, f := range flags {
		if strings.Contains(f, "_PIN_") || f == "CKF_TOKEN_INITIALIZED" {
			list = append(list, f)
		}
	}
	slices.Sort(list)
	return list
}

// applyLook takes in what a call said of a token, or may have changed on one.
func (st *State) applyLook(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		if lasting(d) && d.Function != string(token.GenerateKeyPair) && d.Function != string(token.Sign) {
			for _, l := range st.looks {
				l.spent = true
			}
		}
	case *audit.HSMOutcome:
		if d.Token != nil && d.Token.Serial != "" && d.RV == "CKR_OK" {
			st.looks[d.Token.Serial] = &looked{seq: e.Seq, flags: countedFlags(d.Token.Flags)}
		}
		st.countSessions(d)
	}
}

// countSessions counts the sessions that this program has open.
func (st *State) countSessions(d *audit.HSMOutcome) {
	switch {
	case d.RV != "CKR_OK":
	case d.Function == string(token.OpenSession):
		st.sessions++
	case d.Function == string(token.CloseSession):
		st.sessions = max(0, st.sessions-1)
	case d.Function == string(token.CloseAllSessions), d.Function == string(token.Finalize), d.Function == string(token.Initialize):
		st.sessions = 0
	}
}

// unexplained returns what a token says of itself now that no call of this log
// explains: counters that changed since it was last looked at, sessions that
// this program did not open.
func (t *Token) unexplained(before *looked, sessions int) []string {
	differs := []string{}
	if now := countedFlags(token.TokenFlags(t.Info.Flags)); before != nil && !before.spent && !slices.Equal(before.flags, now) {
		differs = append(differs, fmt.Sprintf("PIN flags and state: %s in entry %d, %s now, and no call of this log in between explains it", orNothing(before.flags), before.seq, orNothing(now)))
	}
	if told := recorded.TokenInfo(t.Info).Sessions; told != "" {
		if n, err := strconv.Atoi(told); err == nil && n > sessions {
			differs = append(differs, fmt.Sprintf("open sessions: %d by the token's count, %d by this log", n, sessions))
		}
	}
	return differs
}

func orNothing(flags []string) string {
	if len(flags) == 0 {
		return "none"
	}
	return strings.Join(flags, " ")
}

// lookAgain compares, after a break, what is on each token and what it counts
// with what the log knows, and has the room decide about a difference.
func (r *Runner) lookAgain() error {
	s := r.outside("resume")
	for i := range r.Script.Tokens {
		name := r.Script.Tokens[i].Name
		if r.state.Tokens[name] == nil {
			continue
		}
		differs, err := s.compareToken(name)
		if Fatal(err) {
			return err
		}
		if err != nil {
			differs = []string{"it cannot be looked at: " + err.Error()}
			if _, err := s.Record(&audit.Problem{What: "token " + name + ": " + differs[0]}); err != nil {
				return err
			}
		}
		if len(differs) == 0 {
			r.Room.Show(room.Fact{Name: "token " + name, Value: "holds and counts what this log last knew"})
			continue
		}
		if err := s.differing(name, differs); err != nil {
			return err
		}
	}
	return nil
}

// differing has the room decide about a token that is not as the log left it.
func (s *Session) differing(name string, differs []string) error {
	s.Show(room.Warning{Text: fmt.Sprintf("Token %s is not as this log left it: %s.", name, strings.Join(differs, "; "))})
	v, err := s.Decide(s.Step.Actor, "differs", "Token "+name+" is not as this log left it: "+strings.Join(differs, "; ")+". Does the room go on?",
		room.Choice{Word: "on", Does: "go on; the difference stands in the log and on the transcript"},
		room.Choice{Word: "pause", Does: "stop here; 'keyrite resume' goes on later"},
		room.Choice{Word: "abort", Does: "give the ceremony up"})
	if err != nil || v == "on" {
		return err
	}
	return &Stop{Abort: v == "abort", Reason: "token " + name + " is not as this log left it", Person: s.Step.Actor}
}

// compareToken lists what can be seen on a token without logging in and
// records it with what differs.
func (s *Session) compareToken(name string) (differs []string, err error) {
	t, err := s.token(name)
	if err != nil {
		return nil, err
	}
	objects := []audit.Object{}
	if !t.Blank() {
		err := t.WithSession(false, func(session uint) error {
			objects, err = t.Objects(session)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	differs = append(t.news, s.unexpectedObjects(name, objects)...)
	_, err = s.Record(&audit.Inventory{Token: name, Objects: objects, Expected: "as the log says", Differs: differs})
	return differs, err
}

// Held returns the objects that somebody put on a token: all but those of class
// CKO_PROFILE, by which a module says what it can do (pkcs11-profiles-v3.0,
// section 3). OpenSC shows one on every token.
func Held(objects []audit.Object) []audit.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o audit.Object) bool { return o.Class == "CKO_PROFILE" })
}

// unexpectedObjects compares what is seen on a token with the keys that the log
// knows there. A key whose generation broke off may be there or not; private
// keys are seen without a login on some tokens only.
func (s *Session) unexpectedObjects(name string, objects []audit.Object) []string {
	const public = "CKO_PUBLIC_KEY"
	known, open := map[string]bool{}, map[string]bool{}
	for _, k := range s.State().Keys {
		if k.Token == name {
			known[k.Label+"\n"+k.ID] = true
		}
	}
	if s.State().generated() {
		for _, k := range s.Script().Keys {
			if k.Token == name {
				open[k.Label+"\n"+k.KeyID] = true
			}
		}
	}
	differs := []string{}
	for _, o := range Held(objects) {
		key := o.Label + "\n" + o.ID
		ours := o.Class == public || o.Class == "CKO_PRIVATE_KEY"
		if !ours || !known[key] && !open[key] {
			differs = append(differs, fmt.Sprintf("unexpected %s %q (id %s)", o.Class, o.Label, o.ID))
		}
		if o.Class == public {
			delete(known, key)
		}
	}
	for key := range known {
		label, id, _ := strings.Cut(key, "\n")
		differs = append(differs, fmt.Sprintf("missing %s %q (id %s)", public, label, id))
	}
	slices.Sort(differs)
	return differs
}

// generated reports whether some step has called C_GenerateKeyPair, whatever
// came of it.
func (st *State) generated() bool {
	for _, step := range st.Steps {
		if _, ok := step.Attempted(token.GenerateKeyPair); ok {
			return true
		}
	}
	return false
}

// errNews marks the problem of a token that changed between two calls.
var errNews = errors.New("another program may be using the token")

// noteNews records and shows what no call of this log explains.
func (t *Token) noteNews() error {
	for _, what := range t.news {
		p := &audit.Problem{What: fmt.Sprintf("token %s: %s (%v)", t.Name, what, errNews)}
		t.s.Show(room.Warning{Text: p.What})
		if _, err := t.s.Record(p); err != nil {
			return err
		}
	}
	return nil
}
