package main

import (
	"reflect"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// TestSummary: no kind of entry passes by in silence where the log is read.
func TestSummary(t *testing.T) {
	for kind, empty := range audit.Kinds {
		d := empty()
		v := reflect.ValueOf(d).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.String {
				f.SetString("planted")
			}
		}
		if summary(d) == "" {
			t.Errorf("an entry %s has no words of its own", kind)
		}
	}
}
