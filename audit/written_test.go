package audit_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// TestAppendReturnsWhatIsRead: the entry that Append returns is the one that the
// store's bytes parse to, for every kind, with texts that are not UTF-8 and a
// clock with nanoseconds.
func TestAppendReturnsWhatIsRead(t *testing.T) {
	for kind, empty := range audit.Kinds {
		d := empty()
		fillBadly(reflect.ValueOf(d).Elem())
		e := &audit.Entry{Seq: 3, Time: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.FixedZone("x", 3600)), Step: "a\xffb", Data: d}
		for _, data := range []audit.Data{d, empty()} {
			e.Data = data
			written, encoded, err := audit.Written(e)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			read, err := audit.Parse(encoded)
			if err != nil {
				t.Fatalf("%s would not be read back: %v", kind, err)
			}
			if !reflect.DeepEqual(written, read) {
				t.Errorf("%s: written as\n%+v\nread as\n%+v", kind, written, read)
			}
		}
	}
}

// fillBadly sets every field that v has, texts to one that is not UTF-8.
func fillBadly(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillBadly(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fillBadly(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillBadly(v.Index(0))
	case reflect.String:
		v.SetString("ü\xfe\xff<&>\u2028 ")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	}
}
