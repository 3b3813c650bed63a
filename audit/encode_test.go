package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/canonjson"
)

func TestMarshalIsTheFormat(t *testing.T) {
	e := &audit.Entry{
		Seq: 7, Time: start.In(time.FixedZone("CET", 3600)), Step: "attendance",
		Data: &audit.Attendance{Person: "w1", Name: "Ελένη", Present: true},
		Salt: [16]byte{0: 1, 15: 0xff}, Prev: audit.Hash{0: 2, 31: 0xfe},
	}
	want := `{"data":{"identity":"","name":"Ελένη","person":"w1","present":true,"roles":[]},"kind":"attendance",` +
		`"prev":"02` + strings.Repeat("00", 30) + `fe","salt":"01` + strings.Repeat("00", 14) + `ff",` +
		`"seq":7,"step":"attendance","time":"2026-03-04T09:15:00.123456789Z"}`
	if got := marshal(t, e); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e.Time = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if got := marshal(t, e); !bytes.HasSuffix(got, []byte(`"time":"2026-01-02T03:04:05.000000000Z"}`)) {
		t.Errorf("nine digits are missing: %s", got)
	}
}

// For every kind: what is marshalled parses, to the same value, and is
// marshalled to the same bytes; it is canonical by the oracle, too.
func TestParseMarshalIdentity(t *testing.T) {
	for _, kind := range kinds() {
		for i := range 40 {
			e := sample(kind, fmt.Sprint(i))
			b := marshal(t, e)
			got, err := audit.Parse(b)
			if err != nil {
				t.Fatalf("%s: %v in %s", kind, err, b)
			}
			if again := marshal(t, got); !bytes.Equal(again, b) {
				t.Fatalf("%s: marshalled again\n%s\nis\n%s", kind, b, again)
			}
			if got.Kind() != kind || got.Seq != e.Seq || !got.Time.Equal(e.Time) || got.Step != e.Step || got.Salt != e.Salt || got.Prev != e.Prev {
				t.Fatalf("%s: %+v came back as %+v", kind, e, got)
			}
			if oracle, err := jcs.Transform(b); err != nil || !bytes.Equal(oracle, b) {
				t.Fatalf("%s: the oracle says\n%s (%v), not\n%s", kind, oracle, err, b)
			}
		}
	}
}

// Marshal leaves the data it is given alone.
func TestMarshalDoesNotChangeData(t *testing.T) {
	for _, kind := range kinds() {
		a, b := sample(kind, "same"), sample(kind, "same")
		marshal(t, a)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: Marshal changed %+v to %+v", kind, b, a)
		}
	}
}

// The data of an empty value of every kind has no null, and a null in place of
// any list is refused, at its place.
func TestNoNull(t *testing.T) {
	lists := 0
	for _, kind := range kinds() {
		e := sample(kind, "empty")
		e.Data = audit.Kinds[kind]()
		b := marshal(t, e)
		if bytes.Contains(b, []byte("null")) {
			t.Errorf("%s: null in %s", kind, b)
		}
		for at := range b {
			if !bytes.HasPrefix(b[at:], []byte("[]")) {
				continue
			}
			lists++
			bad := []byte(string(b[:at]) + "null" + string(b[at+2:]))
			expectOffset(t, kind+" with null for a list", bad, int64(at))
		}
	}
	if lists < 15 {
		t.Errorf("only %d lists were tried", lists)
	}
}

// expectOffset checks that b does not parse because of its byte at, or near.
func expectOffset(t *testing.T, what string, b []byte, at int64) {
	t.Helper()
	_, err := audit.Parse(b)
	var syntax *canonjson.SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset != at {
		t.Errorf("%s: %v, want an error at byte %d of %s", what, err, at, b)
	}
}

// For every kind: a member of data left out, or one more, is refused.
func TestMembersAreExact(t *testing.T) {
	for _, kind := range kinds() {
		e := sample(kind, "members")
		e.Data = audit.Kinds[kind]()
		b := marshal(t, e)
		members, err := canonjson.Members(b)
		if err != nil {
			t.Fatal(err)
		}
		data, err := canonjson.Members(members[0].Value)
		if err != nil {
			t.Fatal(err)
		}
		for i := range data {
			without := append(append([]canonjson.Member{}, data[:i]...), data[i+1:]...)
			if _, err := audit.Parse(withData(b, members[0], without)); err == nil {
				t.Errorf("%s parses without %q", kind, data[i].Name)
			}
			renamed := append([]canonjson.Member{}, data...)
			renamed[i].Name = []byte(strings.ToUpper(string(data[i].Name[:1])) + string(data[i].Name[1:]))
			if _, err := audit.Parse(withData(b, members[0], renamed)); err == nil {
				t.Errorf("%s parses with %q", kind, renamed[i].Name)
			}
		}
		more := append(append([]canonjson.Member{}, data...), canonjson.Member{Name: []byte("~"), Value: []byte("1")})
		_, err = audit.Parse(withData(b, members[0], more))
		var syntax *canonjson.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s with one more member: %v", kind, err)
		}
	}
}

// withData returns an entry with other data.
func withData(b []byte, data canonjson.Member, members []canonjson.Member) []byte {
	var parts []string
	for _, m := range members {
		parts = append(parts, fmt.Sprintf("%q:%s", m.Name, m.Value))
	}
	return []byte(`{"data":{` + strings.Join(parts, ",") + `}` + string(b[len(`{"data":`)+len(data.Value):]))
}

func TestParseRefuses(t *testing.T) {
	good := string(marshal(t, &audit.Entry{Time: start, Step: "s", Data: &audit.Pause{Reason: "lunch", Person: "ca"}}))
	if _, err := audit.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ class, old, new, at string }{
		{"json-space", `,"kind"`, `, "kind"`, ` "kind"`},
		{"json-order", `"person":"ca","reason":"lunch"`, `"reason":"lunch","person":"ca"`, `"person":"ca"}`},
		{"json-twice", `"seq":0`, `"seq":0,"seq":0`, `"seq":0,"step"`},
		{"json-escape", `lunch`, `\u006cunch`, `\u006c`},
		{"json-newline", `Z"}`, "Z\"}\n", "\n"},
		{"json-utf8", `lunch`, "\xff", "\xff"},
		{"member-missing", `"salt":"00000000000000000000000000000000",`, ``, `"seq"`},
		{"member-extra", `"seq":0`, `"segment":0,"seq":0`, `"segment"`},
		{"member-extra-last", `Z"}`, `Z","zone":"UTC"}`, `"zone"`},
		{"member-case", `"kind"`, `"Kind"`, `"Kind"`},
		{"kind-unknown", `"pause"`, `"paused"`, `"paused"`},
		{"kind-empty", `"pause"`, `""`, `""`},
		{"kind-number", `"pause"`, `1`, `1`},
		{"kind-other", `"pause"`, `"step-end"`, `person`},
		{"data-null", `{"person":"ca","reason":"lunch"}`, `null`, `null`},
		{"data-array", `{"person":"ca","reason":"lunch"}`, `[]`, `[]`},
		{"data-member-unknown", `"reason"`, `"raison":"x","reason"`, `aison`},
		{"data-member-case", `"person"`, `"Person"`, `Person`},
		{"data-member-missing", `"person":"ca",`, ``, `reason`},
		{"data-null-member", `"ca"`, `null`, `null`},
		{"data-type", `"ca"`, `12`, `12`},
		{"data-type-deep", `"ca"`, `{"a":1}`, `{"a"`},
		{"prev-short", `"prev":"00`, `"prev":"`, `"` + strings.Repeat("00", 31)},
		{"prev-upper", `"prev":"00`, `"prev":"AB`, `"AB`},
		{"prev-no-hex", `"prev":"00`, `"prev":"0g`, `"0g`},
		{"prev-long", `"prev":"00`, `"prev":"0000`, `"` + strings.Repeat("00", 33)},
		{"prev-number", `"prev":"` + strings.Repeat("0", 64) + `"`, `"prev":0`, `0,"salt"`},
		{"salt-short", `"salt":"00`, `"salt":"`, `"` + strings.Repeat("00", 15) + `"`},
		{"seq-negative", `"seq":0`, `"seq":-1`, `-1`},
		{"seq-string", `"seq":0`, `"seq":"0"`, `"0","step"`},
		{"seq-null", `"seq":0`, `"seq":null`, `null`},
		{"seq-big", `"seq":0`, `"seq":9007199254740992`, `9007`},
		{"step-null", `"step":"s"`, `"step":null`, `null`},
		{"time-zone", `789Z`, `789+00:00`, `"2026`},
		{"time-digits", `789Z`, `78Z`, `"2026`},
		{"time-no-fraction", `.123456789Z`, `Z`, `"2026`},
		{"time-comma", `.123456789Z`, `,123456789Z`, `"2026`},
		{"time-lower", `03-04T`, `03-04t`, `"2026`},
		{"time-date", `03-04T`, `02-30T`, `"2026`},
		{"time-leap", `09:15:00`, `09:15:60`, `"2026`},
		{"time-year", `"2026-`, `"12026-`, `"12026`},
	}
	for _, test := range tests {
		bad := strings.Replace(good, test.old, test.new, 1)
		at := strings.Index(bad, test.at)
		if bad == good || at < 0 {
			t.Fatalf("%s: the test is wrong: %s", test.class, bad)
		}
		expectOffset(t, test.class, []byte(bad), int64(at))
	}
}

func TestEntrySize(t *testing.T) {
	e := &audit.Entry{Time: start, Data: &audit.Pause{}}
	spare := audit.MaxEntry - len(marshal(t, e))
	e.Data = &audit.Pause{Reason: strings.Repeat("x", spare)}
	largest := marshal(t, e)
	if _, err := audit.Parse(largest); err != nil || len(largest) != audit.MaxEntry {
		t.Errorf("an entry of %d bytes: %v", len(largest), err)
	}
	e.Data = &audit.Pause{Reason: strings.Repeat("x", spare+1)}
	if b, err := e.Marshal(); err == nil || !strings.Contains(err.Error(), "65537 bytes, over 65536") {
		t.Errorf("an entry of %d bytes: %v", len(b), err)
	}
	if _, err := audit.Parse(append(largest, ' ')); err == nil || !strings.Contains(err.Error(), "over 65536") {
		t.Errorf("too long to parse: %v", err)
	}
}

// strange and plain are types that are in no table.
type (
	strange struct{}
	plain   struct{}
)

func (*strange) Kind() string { return "pause" }
func (plain) Kind() string    { return "pause" }

func TestMarshalRefuses(t *testing.T) {
	tests := map[string]struct {
		entry audit.Entry
		want  string
	}{
		"no data":       {audit.Entry{Time: start}, "no data"},
		"nil data":      {audit.Entry{Time: start, Data: (*audit.Pause)(nil)}, "no data"},
		"type unknown":  {audit.Entry{Time: start, Data: new(strange)}, "not in the table"},
		"no pointer":    {audit.Entry{Time: start, Data: plain{}}, "not in the table"},
		"negative seq":  {audit.Entry{Time: start, Seq: -1, Data: new(audit.Pause)}, "negative"},
		"seq too large": {audit.Entry{Time: start, Seq: 1 << 53, Data: new(audit.Pause)}, "2^53"},
		"data number":   {audit.Entry{Time: start, Data: &audit.Clock{OffsetMS: 1 << 53}}, "2^53"},
		"year 10000":    {audit.Entry{Time: start.AddDate(8000, 0, 0), Data: new(audit.Pause)}, "four-digit year"},
		"year -1":       {audit.Entry{Time: start.AddDate(-2027, 0, 0), Data: new(audit.Pause)}, "four-digit year"},
	}
	for name, test := range tests {
		if b, err := test.entry.Marshal(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want …%s…; %s", name, err, test.want, b)
		}
	}
}

// The table of kinds: names agree with the types, members are what the format
// allows.
func TestKinds(t *testing.T) {
	for _, kind := range kinds() {
		d := audit.Kinds[kind]()
		if d.Kind() != kind {
			t.Errorf("kind %q gives a value of kind %q", kind, d.Kind())
		}
		checkType(t, kind, reflect.TypeOf(d).Elem())
	}
}

// checkType checks the rules that make one value have one encoding: every
// field has a tag, pointers have omitempty, there is no map, interface or
// float.
func checkType(t *testing.T, path string, typ reflect.Type) {
	switch typ.Kind() {
	case reflect.Struct:
		for i := range typ.NumField() {
			f := typ.Field(i)
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" || tag == "-" || tag != strings.ToLower(tag) || !f.IsExported() || f.Anonymous {
				t.Errorf("%s.%s has the tag %q", path, f.Name, f.Tag)
			}
			if f.Type.Kind() == reflect.Pointer && options != "omitempty" {
				t.Errorf("%s.%s can be null", path, tag)
			}
			checkType(t, path+"."+tag, f.Type)
		}
	case reflect.Pointer, reflect.Slice:
		if typ.Elem().Kind() == reflect.Slice || typ.Elem().Kind() == reflect.Pointer || typ.Elem().Kind() == reflect.Uint8 {
			t.Errorf("%s has type %v", path, typ)
		}
		checkType(t, path, typ.Elem())
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
	default:
		t.Errorf("%s has type %v", path, typ)
	}
}

func FuzzParse(f *testing.F) {
	for _, kind := range kinds() {
		for i := range 3 {
			f.Add(marshal(f, sample(kind, fmt.Sprint(i))))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := audit.Parse(b)
		if err != nil {
			return
		}
		if again := marshal(t, e); !bytes.Equal(again, b) {
			t.Fatalf("%q is marshalled again as %q", b, again)
		}
		if !json.Valid(b) {
			t.Fatalf("%q is no JSON", b)
		}
	})
}

func FuzzMarshal(f *testing.F) {
	for i := range kinds() {
		f.Add(i, "seed")
	}
	f.Fuzz(func(t *testing.T, kind int, seed string) {
		list := kinds()
		e := sample(list[((kind%len(list))+len(list))%len(list)], seed)
		b := marshal(t, e)
		got, err := audit.Parse(b)
		if err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		if again := marshal(t, got); !bytes.Equal(again, b) {
			t.Fatalf("%s is marshalled again as %s", b, again)
		}
	})
}
