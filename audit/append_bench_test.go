package audit_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// nowhere is a store that keeps nothing: what is left of an append is the
// processor's work.
type nowhere struct{ audit.Store }

func (nowhere) Head() ([]byte, error)                            { return nil, nil }
func (nowhere) Append(int64, [][]byte, []byte, bool, bool) error { return nil }

// BenchmarkAppend is what the two entries of a signature cost besides the disk.
func BenchmarkAppend(b *testing.B) {
	k, err := audit.NewLogKey(origin, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	l, err := audit.Create(audit.Config{Store: nowhere{}, Key: k, Origin: origin, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	intent := &audit.HSMIntent{Function: "C_Sign", Session: "1", Data: strings.Repeat("5a", 32), For: 7}
	outcome := &audit.HSMOutcome{Intent: 8, Function: "C_Sign", RV: "CKR_OK", Signature: strings.Repeat("5a", 64), Micros: 31}
	for b.Loop() {
		for _, d := range []audit.Data{intent, outcome} {
			if _, err := l.AppendSync("sign", d); err != nil {
				b.Fatal(err)
			}
		}
	}
}
