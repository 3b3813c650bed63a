package audit_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
)

// look wants the number of entries that are new.
func look(t *testing.T, f *audit.Follower, m audit.Store, want int) []audit.Followed {
	t.Helper()
	list, err := f.Look(m)
	if err != nil || len(list) != want {
		t.Fatalf("%d entries are new, %v; want %d", len(list), err, want)
	}
	return list
}

func TestFollower(t *testing.T) {
	m := new(storetest.Memory)
	var f audit.Follower
	look(t, &f, m, 0)
	l := begin(t, config(t, m, 0))
	look(t, &f, m, 1)
	look(t, &f, m, 0)
	for range 3 {
		appendTo(t, l, "", &audit.Pause{Reason: "one"})
	}
	if list := look(t, &f, m, 3); list[2].Root != l.Root() || list[2].Entry.Seq != 3 || f.Head().Root != l.Root() || f.Head().Size != 4 {
		t.Errorf("followed to %+v, the log is at %v", f.Head(), l.Root())
	}
	c := config(t, m, 1)
	head := l.Checkpoint()
	again, err := audit.Reopen(c)
	if err != nil {
		t.Fatal(err)
	}
	d := segmentOpening(c.Key, 1)
	d.Checkpoint = string(head)
	appendTo(t, again, "", d)
	appendTo(t, again, "", &audit.Close{Result: "complete"})
	look(t, &f, m, 2)
	var late audit.Follower
	look(t, &late, m, 6)
	if late.Head() != f.Head() {
		t.Errorf("who came late saw %+v, who came early %+v", late.Head(), f.Head())
	}
}

// What a hand at the store does is found at the next look, and stays found.
func TestFollowerFindsDamage(t *testing.T) {
	other := new(storetest.Memory)
	lo := begin(t, config(t, other, 7))
	for range 3 {
		appendTo(t, lo, "", &audit.Pause{})
	}
	earlier := new(storetest.Memory)
	before := begin(t, config(t, earlier, 0)).Checkpoint()
	for name, test := range map[string]struct {
		damage func(m *storetest.Memory, e [][]byte)
		want   string
	}{
		"new entry changed":     {func(m *storetest.Memory, e [][]byte) { m.Set(2, bytes.Replace(e[2], []byte("one"), []byte("two"), 1)) }, "entry 3: prev is"},
		"last entry changed":    {func(m *storetest.Memory, e [][]byte) { m.Set(3, bytes.Replace(e[3], []byte("one"), []byte("two"), 1)) }, "after entry 3: the checkpoint's root is"},
		"not canonical":         {func(m *storetest.Memory, e [][]byte) { m.Set(3, append(e[3], ' ')) }, "entry 3: parsing an entry"},
		"new entry dropped":     {func(m *storetest.Memory, e [][]byte) { m.Truncate(3) }, "checkpoint is for 4 entries, but there are 3"},
		"checkpoint of another": {func(m *storetest.Memory, e [][]byte) { m.Set(-1, lo.Checkpoint()) }, "checking the log's signature after entry 3"},
		"checkpoint no note":    {func(m *storetest.Memory, e [][]byte) { m.Set(-1, []byte("x")) }, "checking the log's signature"},
		"rolled back":           {func(m *storetest.Memory, e [][]byte) { m.Truncate(1); m.Set(-1, before) }, "rolled back or exchanged"},
		"emptied":               {func(m *storetest.Memory, e [][]byte) { m.Truncate(0); m.Set(-1, nil) }, "rolled back or exchanged"},
	} {
		t.Run(name, func(t *testing.T) {
			m := new(storetest.Memory)
			l := begin(t, config(t, m, 0))
			appendTo(t, l, "", &audit.Pause{Reason: "one"})
			var f audit.Follower
			look(t, &f, m, 2)
			appendTo(t, l, "", &audit.Pause{Reason: "one"})
			appendTo(t, l, "", &audit.Pause{Reason: "one"})
			test.damage(m, encoded(t, m))
			for range 2 {
				list, err := f.Look(m)
				if err == nil || list != nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("Look: %d entries, %v; want …%s…", len(list), err, test.want)
				}
				if rolled := errors.Is(err, audit.ErrRolledBack); rolled != strings.Contains(test.want, "rolled back") {
					t.Errorf("a rollback: %t (%v)", rolled, err)
				}
			}
			if f.Head().Size != 2 {
				t.Errorf("the follower is at %d entries", f.Head().Size)
			}
		})
	}
}

// A segment must go on from the log that it follows, as the key before signed
// it.
func TestFollowerChecksSegments(t *testing.T) {
	for name, checkpoint := range map[string]func(l *audit.Log) []byte{
		"no note":         func(*audit.Log) []byte { return []byte("x") },
		"an earlier head": func(l *audit.Log) []byte { return begin(t, config(t, new(storetest.Memory), 0)).Checkpoint() },
	} {
		t.Run(name, func(t *testing.T) {
			m := new(storetest.Memory)
			l := begin(t, config(t, m, 0))
			appendTo(t, l, "", &audit.Pause{Reason: "one"})
			c := config(t, m, 1)
			again, err := audit.Reopen(c)
			if err != nil {
				t.Fatal(err)
			}
			d := segmentOpening(c.Key, 1)
			d.Checkpoint = string(checkpoint(l))
			appendTo(t, again, "", d)
			var f audit.Follower
			if list, err := f.Look(m); err == nil || !strings.Contains(err.Error(), "entry 2: the ") {
				t.Errorf("Look: %d entries, %v", len(list), err)
			}
		})
	}
}
