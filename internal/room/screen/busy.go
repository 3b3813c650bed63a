package screen

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/plain"
)

// patience is how long something may take before a line about it stays.
const patience = time.Second

// A busy is something that takes time.
type busy struct {
	what   string
	expect time.Duration
	start  time.Time
}

// Busy says that something takes time: in the place of the prompt, with the
// time passing. What took long leaves a line behind. done can be called more
// than once.
func (r *Room) Busy(what string, expect time.Duration) (done func()) {
	b := &busy{what: plain.Clean(what), expect: expect, start: r.now()}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.view.busy = b
	r.paint()
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.view.busy == b {
			r.view.busy = nil
		}
		if took := r.now().Sub(b.start); took >= patience {
			r.view.show(room.Text{Text: fmt.Sprintf("… %s: took %s", b.what, plain.Seconds(took))})
		}
		r.later()
	})
}

// lines says what goes on and for how long.
func (b *busy) lines(now time.Time, width int) []string {
	passed := now.Sub(b.start)
	text := plain.Seconds(passed)
	if b.expect > 0 {
		text += fmt.Sprintf(" of about %s", plain.Seconds(b.expect))
	}
	lines := plain.Wrap("… "+b.what, width)
	bar := ""
	if n := min(width-plain.Columns(text)-4, 40); b.expect >= 2*time.Second && n >= 10 {
		full := min(n, int(int64(n)*int64(passed)/int64(b.expect)))
		bar = "  " + strings.Repeat("█", full) + strings.Repeat("░", n-full)
	}
	return append(lines, "  "+text+bar)
}
