package sqlitefile

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/keyrite/keyrite/audit/sqlite"
)

// TestSealed reads what the log's own store leaves behind: it must be the one
// form that this package knows.
func TestSealed(t *testing.T) {
	if sqlite.ApplicationID != ApplicationID || sqlite.UserVersion != UserVersion {
		t.Errorf("the store marks its files %#x, %d", sqlite.ApplicationID, sqlite.UserVersion)
	}
	for _, rows := range []int{0, 1, 150, 20000} {
		name := filepath.Join(t.TempDir(), "audit.db")
		s, err := sqlite.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for from := 0; from < rows; {
			var batch [][]byte
			for range min(100, rows-from) {
				batch = append(batch, body(from+len(batch), 50+(from+len(batch))*7919%4000))
			}
			if err := s.Append(int64(from), batch, []byte(fmt.Sprintf("checkpoint %d", from+len(batch))), true, false); err != nil {
				t.Fatal(err)
			}
			from += len(batch)
		}
		if err := s.Seal(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := read(b, nil)
		if d.err != nil || len(d.problems) > 0 {
			t.Errorf("%d rows: error %v, problems %q", rows, d.err, d.problems[:min(5, len(d.problems))])
		}
		if d.entries != rows || d.checkpoints != (rows+99)/100 || rows > 0 && d.head != fmt.Sprintf("checkpoint %d", rows) {
			t.Errorf("%d rows: read %d, %d checkpoints, head %q", rows, d.entries, d.checkpoints, d.head)
		}
	}
}
