package pcsclite

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/token/apdu"
)

// TestNoLibrary: without libpcsclite a call says what to install; a library
// that is another one is refused.
func TestNoLibrary(t *testing.T) {
	for name, want := range map[string]string{"libpcsclite-none.so.1": "libpcsclite1", "libc.so.6": "SCardEstablishContext"} {
		s := &Service{library: name}
		if _, err := s.Do(apdu.Call{Function: apdu.ListReaders}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
