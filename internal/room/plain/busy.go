package plain

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// patience is how long something may take before its time is shown.
const patience = time.Second

// Busy says that something takes time. On a terminal a line shows the time
// passing once a second has gone by, and what took long leaves a line behind;
// elsewhere there is a line at the start and one at the end. done can be
// called more than once.
func (s *Screen) Busy(what string, expect time.Duration) (done func()) {
	what = clean(what)
	b := &busyness{s: s, what: what, expect: expect, start: s.now(), stop: make(chan struct{})}
	if s.live {
		b.running.Go(b.run)
	} else {
		s.Show(plainLine(fmt.Sprintf("  … %s%s", what, about(expect))))
	}
	return sync.OnceFunc(b.end)
}

type busyness struct {
	s       *Screen
	what    string
	expect  time.Duration
	start   time.Time
	stop    chan struct{}
	running sync.WaitGroup
	crash   error // a panic of run; set before running is done
}

// run shows the time. If it panics, end does so in its place, where whoever opened
// the room gives the terminal back.
func (b *busyness) run() {
	defer func() {
		if v := recover(); v != nil {
			b.crash = fmt.Errorf("showing the time that passes: %v\n%s", v, debug.Stack())
		}
	}()
	t := time.NewTicker(b.s.tick)
	defer t.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-t.C:
			b.show()
		}
	}
}

// show writes the time passed over what stood on the line.
func (b *busyness) show() {
	passed := b.passed()
	if passed < patience {
		return
	}
	s := b.s
	line := fmt.Sprintf("  … %s: %s%s", b.what, Seconds(passed), about(b.expect))
	line, _ = cut(line, max(s.size(), leastWidth)-1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(s.erasure() + line)
	s.busy = line
}

func (b *busyness) end() {
	close(b.stop)
	b.running.Wait()
	if b.crash != nil {
		panic(b.crash)
	}
	if passed := b.passed(); !b.s.live || passed >= patience {
		b.s.Show(plainLine(fmt.Sprintf("  … %s: took %s", b.what, Seconds(passed))))
	}
}

func (b *busyness) passed() time.Duration { return b.s.now().Sub(b.start) }

func about(expect time.Duration) string {
	if expect <= 0 {
		return ""
	}
	return fmt.Sprintf(" (about %s expected)", Seconds(expect))
}

// Seconds is how a person says a duration: "12 s", "3 min 20 s".
func Seconds(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 1:
		return "under 1 s"
	case s < 120:
		return fmt.Sprintf("%d s", s)
	case s%60 == 0:
		return fmt.Sprintf("%d min", s/60)
	}
	return fmt.Sprintf("%d min %d s", s/60, s%60)
}
