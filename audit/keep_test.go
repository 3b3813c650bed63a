package audit_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
)

const keepOrigin = "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0"

// withLine returns a checkpoint with the line of a witness.
func withLine(t *testing.T, checkpoint []byte) []byte {
	t.Helper()
	w, err := audit.GenerateWitnessKey("witness.example.org/w1", &source{seed: "witness"})
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := audit.Cosignatures(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.Cosign(c, start)
	if err != nil {
		t.Fatal(err)
	}
	b, err := audit.AddCosignature(checkpoint, line.Line(), w.Key())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func keptOf(t *testing.T, m *storetest.Memory) map[int64]string {
	t.Helper()
	all := map[int64]string{}
	if err := m.Kept(func(size int64, note []byte) error { all[size] = string(note); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// A cosigned checkpoint is kept with its lines while the log goes on; what is
// kept is never replaced; the last one of a closed log is the head, too.
func TestKeepCosigned(t *testing.T) {
	m := new(storetest.Memory)
	key := newKey(t, keepOrigin, "log")
	l, err := audit.Create(audit.Config{Store: m, Key: key, Origin: keepOrigin, Now: newClock().now, Rand: &source{seed: "salt"}})
	if err != nil {
		t.Fatal(err)
	}
	add := func(d audit.Data) {
		t.Helper()
		if _, err := l.AppendSync("", d); err != nil {
			t.Fatal(err)
		}
	}
	add(&audit.Pause{})
	first := l.Checkpoint()
	add(&audit.Pause{})
	with := withLine(t, first)
	for range 2 {
		if err := l.KeepCosigned(with); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.KeepCosigned(first); !errors.Is(err, audit.ErrKept) || l.Err() != nil {
		t.Errorf("replacing it by the bare one: %v, then %v", err, l.Err())
	}
	if kept := keptOf(t, m); kept[1] != string(with) || !bytes.Equal(l.Checkpoint(), must(m.Head())) || bytes.Equal(l.Checkpoint(), with) {
		t.Errorf("kept %v", kept)
	}
	add(&audit.Close{})
	last := withLine(t, l.Checkpoint())
	if err := l.KeepCosigned(last); err != nil {
		t.Fatal(err)
	}
	if kept := keptOf(t, m); kept[3] != string(last) || !bytes.Equal(must(m.Head()), last) || !bytes.Equal(l.Checkpoint(), last) {
		t.Errorf("kept %v, head %q", kept, must(m.Head()))
	}
}

// A checkpoint of another log is not kept, and neither is one whose text was
// changed.
func TestKeepForeign(t *testing.T) {
	m := new(storetest.Memory)
	key := newKey(t, keepOrigin, "log")
	l, err := audit.Create(audit.Config{Store: m, Key: key, Origin: keepOrigin, Now: newClock().now, Rand: &source{seed: "salt"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AppendSync("", &audit.Pause{}); err != nil {
		t.Fatal(err)
	}
	other, err := newKey(t, keepOrigin, "another").SignNote(audit.Checkpoint{Origin: keepOrigin, Size: 1, Root: l.Root()}.Text())
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"another key": other, "another size": bytes.Replace(l.Checkpoint(), []byte("\n1\n"), []byte("\n2\n"), 1), "nothing": nil} {
		if err := l.KeepCosigned(b); err == nil || l.Err() != nil || len(keptOf(t, m)) != 0 {
			t.Errorf("%s: %v, then %v, kept %v", name, err, l.Err(), keptOf(t, m))
		}
	}
}

// When keeping fails, nothing is appended any more.
func TestKeepFails(t *testing.T) {
	m := &storetest.Faulty{Store: new(storetest.Memory), At: storetest.Once(2, storetest.Persisted)}
	l, err := audit.Create(audit.Config{Store: m, Key: newKey(t, keepOrigin, "log"), Origin: keepOrigin, Now: newClock().now, Rand: &source{seed: "salt"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := l.AppendSync("", &audit.Pause{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.KeepCosigned(withLine(t, l.Checkpoint())); !errors.Is(err, storetest.ErrInjected) {
		t.Errorf("%v", err)
	}
	if _, err := l.AppendSync("", &audit.Pause{}); !errors.Is(err, storetest.ErrInjected) {
		t.Errorf("appending after it: %v", err)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
