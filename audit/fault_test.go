package audit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
)

// The fault table: at every append of a run, fail with and without having
// written; then reopen, check everything, go on to the end.
func TestFaults(t *testing.T) {
	const appends = 12 // of one undisturbed run
	for _, fault := range []storetest.Fault{storetest.Failed, storetest.Persisted} {
		for n := range appends {
			t.Run(fmt.Sprintf("fault %d at append %d", fault, n), func(t *testing.T) { testFault(t, n, fault) })
		}
	}
	m := &storetest.Faulty{Store: new(storetest.Memory)}
	if done, err := run(t, m, 0, 0); err != nil || m.Appends() != appends || done != 10 {
		t.Errorf("an undisturbed run of %d steps makes %d appends (%v)", done, m.Appends(), err)
	}
}

// run appends ten results, and keeps a checkpoint now and then, beginning with
// result from. It returns how many are done.
func run(t *testing.T, s audit.Store, segment, from int) (done int, err error) {
	c := config(t, s, segment)
	var l *audit.Log
	if segment == 0 {
		l, err = audit.Create(c)
	} else {
		l, err = audit.Reopen(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	if segment == 0 {
		_, err = l.AppendSync("", opening(c.Key))
	} else {
		_, err = l.AppendSync("", segmentOpening(c.Key, segment))
	}
	for i := from; i < 10 && err == nil; i++ {
		if _, err = l.AppendSync("s", &audit.Result{Name: "step", Value: fmt.Sprint(i)}); err == nil {
			done++
		}
		if i == 4 && err == nil {
			err = l.Keep()
		}
	}
	if err != nil {
		stays(t, l, err)
	}
	return from + done, err
}

// stays checks that a failed log stays failed and says what to do.
func stays(t *testing.T, l *audit.Log, err error) {
	t.Helper()
	size := l.Size()
	for range 2 {
		_, again := l.Append("", &audit.Pause{})
		for _, e := range []error{err, again, l.Keep(), l.Err()} {
			if !errors.Is(e, storetest.ErrInjected) || !strings.Contains(e.Error(), "keyrite resume") {
				t.Errorf("after a failed write: %v", e)
			}
		}
	}
	if l.Size() != size {
		t.Error("the size changed after a failed write")
	}
}

func testFault(t *testing.T, n int, fault storetest.Fault) {
	m := new(storetest.Memory)
	done, err := run(t, &storetest.Faulty{Store: m, At: storetest.Once(n, fault)}, 0, 0)
	if !errors.Is(err, storetest.ErrInjected) {
		t.Fatalf("the fault did not show: %v", err)
	}
	if head, _ := m.Head(); head == nil { // not even the first entry is there: begin again
		done, err = run(t, m, 0, 0)
	} else {
		found := results(t, m)
		if found != done && !(fault == storetest.Persisted && found == done+1) {
			t.Fatalf("%d results are in the log, %d were done", found, done)
		}
		done, err = run(t, m, 1, found)
	}
	if err != nil || done != 10 {
		t.Fatalf("the run ended after %d: %v", done, err)
	}
	if found := results(t, m); found != 10 {
		t.Errorf("%d results", found)
	}
}

// results checks a store and returns how many results it holds: each once, in
// order.
func results(t *testing.T, s audit.Store) (n int) {
	t.Helper()
	checkStore(t, s)
	for _, b := range encoded(t, s) {
		e, err := audit.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := e.Data.(*audit.Result); ok {
			if r.Value != fmt.Sprint(n) {
				t.Errorf("result %s after %d", r.Value, n)
			}
			n++
		}
	}
	return n
}
