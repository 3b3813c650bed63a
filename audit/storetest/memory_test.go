package storetest_test

import (
	"errors"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Place {
		m := new(storetest.Memory)
		return storetest.Place{Open: func() (storetest.Keeper, error) { return m, nil }}
	})
}

// TestSequences lives through random lives of logs in memory.
func TestSequences(t *testing.T) {
	storetest.Sequences(t, 150, func(*testing.T) storetest.Place {
		m := new(storetest.Memory)
		return storetest.Place{Open: func() (storetest.Keeper, error) { return m, nil }}
	})
}

func TestFaulty(t *testing.T) {
	for fault, written := range map[storetest.Fault]bool{storetest.None: true, storetest.Failed: false, storetest.Persisted: true} {
		m := new(storetest.Memory)
		f := &storetest.Faulty{Store: m, At: storetest.Once(1, fault)}
		if err := f.Append(0, [][]byte{{1}}, []byte("1"), false, true); err != nil {
			t.Errorf("fault %d: the first append fails: %v", fault, err)
		}
		err := f.Append(1, [][]byte{{2}}, []byte("2"), false, true)
		if errors.Is(err, storetest.ErrInjected) != (fault != storetest.None) {
			t.Errorf("fault %d: the second append: %v", fault, err)
		}
		if err := f.Append(7, nil, nil, false, true); !errors.Is(err, audit.ErrConflict) {
			t.Errorf("fault %d: a conflict is hidden: %v", fault, err)
		}
		if head, _ := f.Head(); (string(head) == "2") != written {
			t.Errorf("fault %d: head is %q", fault, head)
		}
		if f.Appends() != 3 {
			t.Errorf("fault %d: counted %d appends", fault, f.Appends())
		}
	}
}
