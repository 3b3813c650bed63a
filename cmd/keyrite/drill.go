package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/drill"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
)

// Faults of a drill.
const (
	drillTrySpent   = "try-spent"
	drillOtherCard  = "other-card"
	drillPulled     = "pulled"
	drillLabelTaken = "label-taken"
	drillClock      = "clock"
)

// drills are the faults that there are; drillRandom is one of them by chance.
var drills = []string{drillTrySpent, drillOtherCard, drillPulled, drillLabelTaken, drillClock}

const drillRandom = "random"

// newDrill chooses the fault of a rehearsal on tokens of a kind; nil without a
// name. Nothing is made yet.
func (r *running) newDrill(kind, name string) (*drilling, error) {
	switch {
	case name == "":
		return nil, nil
	case name != drillRandom && !slices.Contains(drills, name):
		return nil, usage("there is no drill %q; expected %s or %s", name, strings.Join(drills, ", "), drillRandom)
	}
	if name == drillRandom {
		fit := slices.DeleteFunc(slices.Clone(drills), func(d string) bool {
			return r.cannotDrill(d, kind) != "" || d == drillClock && !r.comparesClocks()
		})
		if len(fit) == 0 {
			return nil, usage("no drill fits: this script, on --token %s, has nothing that a fault would touch", kind)
		}
		i, err := chance(len(fit))
		if err != nil {
			return nil, environment(err)
		}
		name = fit[i]
	} else if why := r.cannotDrill(name, kind); why != "" {
		return nil, usage("--drill %s: %s", name, why)
	}
	d := &drilling{file: r.drillFile(), other: r.drillCard(), state: drillState{Kind: name}}
	if err := d.draw(r, kind); err != nil {
		return nil, environment(err)
	}
	return d, nil
}

// cannotDrill says why a fault cannot be made, "" if it can.
func (r *running) cannotDrill(name, kind string) string {
	switch {
	case kind == kindSpare:
		return "a drill is for a throw-away token, not for a spare device"
	case name == drillClock:
		return ""
	case len(r.script.Tokens) == 0:
		return "the script has no token"
	case name != drillLabelTaken && kind != kindSim:
		return "only a simulated card can do that: add --token " + kindSim
	case name == drillLabelTaken && len(r.labelled(kind)) == 0:
		return "the script gives no token its label, and a card is known by its serial number"
	case name == drillLabelTaken && kind == kindSim && len(r.script.Tokens) >= pcsc.Slots:
		return fmt.Sprintf("no reader is left for another card: the script has %d tokens", len(r.script.Tokens))
	}
	return ""
}

// labelled are the tokens whose label counts: on cards those that the script
// initialises, else all.
func (r *running) labelled(kind string) (slots []int) {
	for slot := range r.script.Tokens {
		if kind != kindSim || r.comesBlank(slot) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// comparesClocks reports whether a step of the script reads a second clock.
func (r *running) comparesClocks() bool {
	return slices.ContainsFunc(r.script.Steps, func(s ceremony.Step) bool { return s.Kind == "environment" || s.Kind == "clock" })
}

// chance returns a number below n that nobody can foretell.
func chance(n int) (int, error) {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0, fmt.Errorf("drawing a drill: %w", err)
	}
	return int(i.Int64()), nil
}

// Bounds of what is drawn. A clock that is two and a half minutes off is more
// than the templates allow. A card gets twelve commands and more in each step that
// touches a token: a script with n such steps has it pulled out at one of the
// first 10 n.
const (
	firstCommand     = 3
	commandsOfStep   = 10
	leastAhead, upTo = 150, 900 // seconds
)

// tokenSteps counts the steps that touch a token.
func (r *running) tokenSteps() (n int) {
	for i := range r.script.Steps {
		if effect, _ := ceremony.Announced(r.script, &r.script.Steps[i]); effect != "" {
			n++
		}
	}
	return n
}

// draw chooses where and when the fault is made, and puts it into words.
func (d *drilling) draw(r *running, kind string) error {
	slots := make([]int, 0, len(r.script.Tokens))
	for slot := range r.script.Tokens {
		slots = append(slots, slot)
	}
	if d.state.Kind == drillLabelTaken {
		slots = r.labelled(kind)
	}
	var n [4]int
	for i, below := range []int{max(1, len(slots)), max(1, commandsOfStep*r.tokenSteps()-firstCommand), 2, upTo - leastAhead} {
		var err error
		if n[i], err = chance(below); err != nil {
			return err
		}
	}
	d.state.Command, d.state.After, d.state.Ahead = firstCommand+n[1], n[2] == 1, leastAhead+n[3]
	if len(slots) > 0 {
		d.state.Slot = slots[n[0]]
	}
	secret, err := drill.New(d.words(r), rand.Reader)
	d.state.Secret = secret
	return err
}

// words says what the fault is.
func (d *drilling) words(r *running) string {
	if d.state.Kind == drillClock {
		return fmt.Sprintf("clock: the machine's clock is %d seconds ahead", d.state.Ahead)
	}
	t := r.script.Tokens[d.state.Slot]
	switch d.state.Kind {
	case drillTrySpent:
		return fmt.Sprintf("try-spent: a wrong %s was typed to token %q before the log began", d.mistyped(r), t.Name)
	case drillOtherCard:
		return fmt.Sprintf("other-card: another card is in the reader of token %q", t.Name)
	case drillPulled:
		when := "before it carries it out"
		if d.state.After {
			when = "when it has carried it out and not yet answered"
		}
		return fmt.Sprintf("pulled: token %q is pulled out at command %d that it gets in one run of the program, %s", t.Name, d.state.Command, when)
	}
	return fmt.Sprintf("label-taken: another token has the label %q of token %q", t.Label, t.Name)
}

// mistyped is the PIN that was: of a token that is to be initialised the SO-PIN,
// since a try of its user PIN is nobody's loss.
func (d *drilling) mistyped(r *running) string {
	if r.comesBlank(d.state.Slot) {
		return "SO-PIN"
	}
	return "user PIN"
}

// comesBlank reports whether the script initialises the token of a slot.
func (r *running) comesBlank(slot int) bool {
	return ceremony.NewWorld(r.script).Tokens[r.script.Tokens[slot].Name].ComesBlank()
}

// about are texts of the problems that the fault makes; nil if any problem after
// it may be one.
func (d *drilling) about() []string {
	switch d.state.Kind {
	case drillTrySpent:
		return []string{"tries", "try "}
	case drillOtherCard:
		return []string{"expected serial"}
	case drillLabelTaken:
		return []string{"is taken by the token", "more than one fits"}
	case drillClock:
		return []string{"the clocks are", "the clocks have"}
	}
	return nil
}

// hold puts the drill between the ceremony and its room, and into its clock.
func (d *drilling) hold(c *ceremony.Config) {
	if d == nil {
		return
	}
	c.Room, c.Now, c.Last = &drilledRoom{c.Room, d}, d.now, d.last
}

// now is the machine's clock, as the drill has it.
func (d *drilling) now() time.Time {
	now := time.Now()
	if d == nil || d.state.Kind != drillClock {
		return now
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.PutRight.IsZero() {
		now = now.Add(time.Duration(d.state.Ahead) * time.Second)
	}
	return now
}

// last reveals the fault and reports on it, once in a log.
func (d *drilling) last(entries []*audit.Entry) (list []*audit.Result) {
	told := map[string]bool{}
	for _, e := range entries {
		if r, ok := e.Data.(*audit.Result); ok {
			told[r.Name] = true
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range []*audit.Result{d.state.Secret.Reveal(), drill.Report(d.state.Secret, d.course(), entries)} {
		if told[drill.Committed] && !told[r.Name] {
			list = append(list, r)
			d.report = r.Value
		}
	}
	return list
}

// tell says below everything else what the drill was.
func (d *drilling) tell(w io.Writer) {
	if d != nil && d.report != "" {
		fmt.Fprintf(w, "\nThe drill. %s\n", d.report)
	}
}

// course is what became of the fault. d.mu is held.
func (d *drilling) course() drill.Course {
	return drill.Course{Happened: d.state.Kind != drillPulled || !d.state.At.IsZero(), At: d.state.At, PutRight: d.state.PutRight, About: d.about()}
}

// A drilledRoom is a room in whose midst the fault is. Whoever decides after a
// problem to go on has put right what was wrong: with a real token by hand, here
// the drill does it.
type drilledRoom struct {
	room.Room
	d *drilling
}

// Show notes the problem that is shown last.
func (r *drilledRoom) Show(m room.Message) {
	if f, ok := m.(room.Failure); ok {
		r.d.problem = f.What
	}
	r.Room.Show(m)
}

// Ask puts right what is wrong when somebody answers that the step is tried again.
func (r *drilledRoom) Ask(p room.Prompt) (string, error) {
	v, err := r.Room.Ask(p)
	if err == nil && strings.Contains(p.Key, "/on-failure/") && (v == "again" || v == "repeat") {
		if rerr := r.d.putRight(); rerr != nil {
			return "", errors.Join(room.ErrGone, fmt.Errorf("putting right the fault of the drill: %w", rerr))
		}
	}
	return v, err
}
