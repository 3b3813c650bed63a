package tries

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// An event is what happens to a PIN: a call, or a look that shows so many tries.
type event struct {
	call func(*Account)
	look int
}

func calls(f func(*Account)) event { return event{call: f} }

func looks(n int) event { return event{look: n} }

func play(events ...event) *Account {
	a := newAccount()
	for i, e := range events {
		if e.call != nil {
			e.call(a)
		} else {
			a.saw(int64(i), e.look)
		}
	}
	return a
}

// TestAccount balances what can happen between looks.
func TestAccount(t *testing.T) {
	refused, accepted, doubtful, anew := calls((*Account).refused), calls((*Account).accepted), calls((*Account).doubtful), calls((*Account).anew)
	for _, c := range []struct {
		name   string
		events []event
		want   string // start, spent, given back, unexplained, left
	}{
		{"nobody looked", nil, "-1 0 0 0 -1"},
		{"nothing happened", []event{looks(3), looks(3)}, "3 0 0 0 3"},
		{"refused twice", []event{looks(3), refused, refused, looks(1)}, "3 2 0 0 1"},
		{"refused, then right", []event{looks(3), accepted, looks(3), refused, accepted, looks(3)}, "3 1 1 0 3"},
		{"refused before the first look", []event{refused, looks(2)}, "3 1 0 0 2"},
		{"locked: no try is left to spend", []event{looks(1), refused, refused, looks(0)}, "1 1 0 0 0"},
		{"spent by somebody else", []event{looks(15), looks(14)}, "15 0 0 -1 14"},
		{"spent by somebody else beside a call of the log", []event{looks(15), refused, looks(13)}, "15 1 0 -1 13"},
		{"given back by nothing in the log", []event{looks(2), looks(3)}, "2 0 0 1 3"},
		{"right, and yet fewer", []event{looks(3), accepted, looks(3), accepted, looks(2)}, "3 0 0 -1 2"},
		{"nobody knows, and it was spent", []event{looks(3), accepted, looks(3), doubtful, looks(2)}, "3 1 0 0 2"},
		{"nobody knows, and it was not", []event{looks(3), accepted, looks(3), doubtful, looks(3)}, "3 0 0 0 3"},
		{"nobody knows of one, and two are gone", []event{looks(3), accepted, looks(3), doubtful, looks(1)}, "3 0 0 -2 1"},
		{"a new PIN with more tries", []event{looks(1), anew, looks(10)}, "1 0 9 0 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := play(c.events...)
			if got := fmt.Sprint(a.Start, a.Spent, a.GivenBack, a.Unexplained, a.Left); got != c.want {
				t.Errorf("start, spent, given back, unexplained, left: %s, want %s", got, c.want)
			}
			if (a.Unexplained != 0) != (a.Differs != nil) {
				t.Errorf("unexplained %d, and the difference is %+v", a.Unexplained, a.Differs)
			}
		})
	}
}

// TestAlwaysBalanced: whatever calls are made and looks show, the account adds up.
func TestAlwaysBalanced(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a := newAccount()
		var course []string
		for i := range 1 + r.IntN(12) {
			switch k := r.IntN(8); k {
			case 0:
				a.refused()
				course = append(course, "refused")
			case 1:
				a.accepted()
				course = append(course, "accepted")
			case 2:
				a.doubtful()
				course = append(course, "doubtful")
			case 3:
				a.anew()
				course = append(course, "anew")
			default:
				n := r.IntN(16)
				a.saw(int64(i), n)
				course = append(course, fmt.Sprint("saw ", n))
				if a.Start-a.Spent+a.GivenBack+a.Unexplained != a.Left {
					t.Fatalf("%v: %d − %d + %d + %d is not %d", course, a.Start, a.Spent, a.GivenBack, a.Unexplained, a.Left)
				}
			}
		}
	}
}
