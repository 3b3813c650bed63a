package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/ceremony"
)

// TestEndedHint holds what is said at the end of a run: resume is named where it
// goes on, and something else where it would only say the same again.
func TestEndedHint(t *testing.T) {
	const resume = "to go on: keyrite resume DIR"
	for _, test := range []struct {
		err    error
		code   int
		resume bool
		hinted string
	}{
		{&ceremony.Stop{Reason: "lunch"}, exitPaused, true, ""},
		{&ceremony.Stop{Abort: true, Reason: "fire"}, exitFailed, false, ""},
		{errors.New("no space left on device"), exitEnvironment, true, ""},
		{fmt.Errorf("reading: %w", ceremony.ErrNothingHappened), exitEnvironment, false, "begin again with 'keyrite run'"},
		{fmt.Errorf("script.yaml is %w", ceremony.ErrOtherScript), exitEnvironment, false, "script.yaml back, byte for byte"},
	} {
		err := ended(test.err, "DIR")
		var code *exitError
		if !errors.As(err, &code) || code.code != test.code {
			t.Errorf("%v: ended as %v, want exit %d", test.err, err, test.code)
			continue
		}
		if strings.Contains(err.Error(), resume) != test.resume {
			t.Errorf("%v: said %q", test.err, err)
		}
		if h := hint(err); !strings.Contains(h, test.hinted) || (test.hinted == "") != (h == "") {
			t.Errorf("%v: hinted %q, want %q", test.err, h, test.hinted)
		}
	}
	if err := ended(nil, "DIR"); err != nil {
		t.Errorf("a run that is done ended as %v", err)
	}
}
