package transcript

import (
	"fmt"
	"strconv"

	"github.com/keyrite/keyrite/audit"
)

func drawTryLedger(t *teller, d *audit.TryLedger) {
	if d.At == audit.TriesEnd {
		t.say("The tries of the PINs of token %s (serial %s) are balanced.", d.Token, d.Serial)
	} else {
		t.alarm("The tries of the PINs of token %s (serial %s) are NOT as expected.", d.Token, d.Serial)
	}
	for _, a := range d.PINs {
		if a.Seen >= 0 {
			t.fact(a.PIN, fmt.Sprintf("%s at the start, %d spent, %d given back, %d unexplained, %s left (entry %d)",
				triesOrUntold(a.Start), a.Spent, a.GivenBack, a.Unexplained, triesOrUntold(a.Left), a.Seen))
		} else {
			t.fact(a.PIN, fmt.Sprintf("no numbers are told; %d spent in this ceremony", a.Spent))
		}
		t.fact(a.PIN+", by "+a.Source, a.Says)
		if a.Script != -1 {
			t.fact(a.PIN+", by the script", fmt.Sprintf("%d at the start", a.Script))
		}
		t.some(a.PIN+" differs", a.Differs)
	}
}

// triesOrUntold shows a number of tries; -1 is one that nobody has told.
func triesOrUntold(n int) string {
	if n == -1 {
		return "not told"
	}
	return strconv.Itoa(n)
}
