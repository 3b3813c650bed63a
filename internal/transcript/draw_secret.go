package transcript

import (
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// shareShown says in words where a share is seen.
func shareShown(how string) string {
	return map[string]string{"screen": "on a screen cleared for it", "slip": "on a sealed slip"}[how] + " (" + how + ")"
}

func drawShare(t *teller, d *audit.Share) {
	shown := shareShown(d.Shown)
	t.say("%s was given share %d of %d of the %s of token %s, %s, and typed it back, unseen; %d of them are enough. The share is not in the log.",
		t.f.name(d.Person), d.Index, d.Shares, d.Secret, d.Token, shown, d.Threshold)
	t.fact("set", d.Set)
	t.fact("split after", plural(int(d.Number), "entry"))
	t.hex("commitment", d.Commitment)
}

func drawShareShown(t *teller, d *audit.ShareShown) {
	t.say("%s is shown share %d of %d of the %s of token %s, %s, set %s. The share is not in the log.",
		t.f.name(d.Person), d.Index, d.Shares, d.Secret, d.Token, shareShown(d.Shown), d.Set)
	if d.Printer != "" {
		t.fact("printer", d.Printer)
	}
	if d.Warning != "" {
		t.alarm("The printer may keep what is printed: %s.", d.Warning)
	}
}

func drawShareVoid(t *teller, d *audit.ShareVoid) {
	var people []string
	for _, id := range d.People {
		people = append(people, t.f.name(id))
	}
	t.alarm("VOID: the shares of the %s of token %s in set %s, which %s had seen, open nothing: %s. The room was told to destroy them.",
		d.Secret, d.Token, d.Set, strings.Join(people, ", "), d.Because)
}

func drawShareCheck(t *teller, d *audit.ShareCheck) {
	draw := t.say
	if d.Result != "right" {
		draw = t.alarm
	}
	draw("%s typed a share of the %s of token %s, unseen, to be compared with %s: %s. The share is not in the log.", t.f.name(d.Person), d.Secret, d.Token, d.Against, d.Result)
	t.hex("commitment", d.Commitment)
}

func drawReadBack(t *teller, d *audit.ReadBack) {
	if !d.Match {
		t.alarm("%s typed something else than what was read aloud: %s.", t.f.name(d.Person), d.What)
	} else {
		t.say("READ BACK: %s typed what was read aloud, and it is the same: %s.", t.f.name(d.Person), d.What)
	}
	t.fact("on the screen", d.Value)
	t.some("typed as", d.Typed)
}
