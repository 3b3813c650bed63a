package transcript

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// TestEveryKindDrawn: what the log can say, the paper can show.
func TestEveryKindDrawn(t *testing.T) {
	for name, make := range audit.Kinds {
		if drawings[name] == nil {
			t.Errorf("the kind %q has no drawing", name)
			continue
		}
		f := gather(Source{})
		lines := f.tell(&audit.Entry{Seq: 7, Data: make()})
		if len(lines) == 0 || !strings.Contains(lines[0].Text, "7") {
			t.Errorf("an empty %q is drawn as %v", name, lines)
		}
	}
	for name := range drawings {
		if audit.Kinds[name] == nil {
			t.Errorf("a drawing for %q, which is no kind", name)
		}
	}
}

// filler fills a kind's data with values that can be found again on paper.
type filler struct {
	n      int
	values map[string]string // value by the field it stands in
}

func (f *filler) fill(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		f.fill(path, v.Index(0))
	case reflect.String:
		f.n++
		v.SetString(fmt.Sprintf("Qx%dz", f.n))
		f.values[path] = v.String()
	case reflect.Int, reflect.Int64:
		f.n++
		v.SetInt(int64(710000 + f.n))
		f.values[path] = fmt.Sprint(v.Int())
	case reflect.Bool:
		v.SetBool(true)
	}
}

// notDrawn are the fields that the paper leaves out: what a section's heading
// tells, what is told in short, and what the log keeps alone.
var notDrawn = map[string]string{
	".Key.SPKI":                          "its SHA-256 is drawn",
	".HSMIntent.Data":                    "announced in the entry of For, which draws it",
	".HSMIntent.Module.SHA256":           "drawn with the environment",
	".HSMIntent.Module.Size":             "drawn with the environment",
	".HSMOutcome.Signature":              "its size is drawn",
	".HSMOutcome.Objects":                "counted",
	".HSMOutcome.Mechanisms":             "counted",
	".HSMOutcome.Attributes.Type":        "counted",
	".HSMOutcome.Attributes.Value":       "counted",
	".HSMOutcome.Attributes.Error":       "counted",
	".HSMOutcome.Token.Flags":            "those about PIN tries are drawn",
	".HSMOutcome.SlotInfo.Flags":         "in the log",
	".HSMOutcome.KeySizes.Flags":         "in the log",
	".HSMIntent.Template.Value":          "the error stands in its place",
	".HSMIntent.Private.Value":           "the error stands in its place",
	".Attendance.Person":                 "the name is drawn",
	".LogOpen.Title":                     "on the cover",
	".LogOpen.Organisation":              "on the cover",
	".LogOpen.Place":                     "on the cover",
	".LogOpen.Purpose":                   "on the cover",
	".LogOpen.Participants.Name":         "on the cover",
	".LogOpen.Participants.Initials":     "acknowledgements show what was typed",
	".LogOpen.Participants.Roles":        "on the cover",
	".LogOpen.Plan.ID":                   "the steps' headings",
	".LogOpen.Plan.Kind":                 "the steps' headings",
	".LogOpen.Plan.Title":                "the steps' headings",
	".StepBegin.Witnesses":               "in the step's heading",
	".StepBegin.Say":                     "in the step's heading",
	".StepBegin.Watch":                   "in the step's heading",
	".StepBegin.Approve.Count":           "in the step's heading",
	".StepBegin.Approve.Of":              "in the step's heading",
	".StepBegin.OnRefusal":               "in the step's heading",
	".Transcript.Pages.Signature":        "each page's QR code holds it",
	".Transcript.Fonts.Size":             "the SHA-256 is drawn",
	".HSMOutcome.Token.Manufacturer":     "drawn where the token is identified",
	".HSMOutcome.Token.Model":            "drawn where the token is identified",
	".HSMOutcome.Token.MinPIN":           "drawn where the token is identified",
	".HSMOutcome.Token.MaxPIN":           "drawn where the token is identified",
	".HSMOutcome.Token.Hardware":         "drawn where the token is identified",
	".HSMOutcome.Token.Firmware":         "drawn where the token is identified",
	".HSMOutcome.Token.FreePublic":       "drawn where the token is identified",
	".HSMOutcome.Token.FreePrivate":      "drawn where the token is identified",
	".HSMOutcome.SlotInfo.Manufacturer":  "drawn where the token is identified",
	".HSMOutcome.Module.CryptokiVersion": "drawn where the token is identified",
	".HSMOutcome.Module.Manufacturer":    "drawn where the token is identified",
	".TryLedger.At":                      "said in words",
	".HSMOutcome.Micros":                 "in milliseconds",
}

// TestNothingLost fills every field of every kind and looks for each value on
// the paper: a field that is not drawn must be listed above.
func TestNothingLost(t *testing.T) {
	for name, make := range audit.Kinds {
		d := make()
		f := &filler{values: map[string]string{}}
		f.fill("."+reflect.TypeOf(d).Elem().Name(), reflect.ValueOf(d).Elem())
		var drawn strings.Builder
		for _, l := range gather(Source{}).tell(&audit.Entry{Seq: 7, Data: d}) {
			drawn.WriteString(l.Text + " ")
		}
		text := strings.ReplaceAll(drawn.String(), " ", "")
		for path, value := range f.values {
			_, left := notDrawn[path]
			if left && strings.Contains(text, value) {
				t.Errorf("%s: %s is drawn after all", name, path)
			}
			if !left && !strings.Contains(text, value) {
				t.Errorf("%s: %s is not drawn", name, path)
			}
		}
	}
}

// hostile are texts that break careless drawing.
var hostile = []string{"", " ", "a", "\x00", "\xff\xfe", "\u202e\u2066x", "𝕏𐍈", "שלום", "e\u0301\u0301", "[U+0041]", "[0x00]", "%s%d%!", "山田太郎", "\n\n\n",
	strings.Repeat("w", 400), strings.Repeat("長", 120), strings.Repeat("a b ", 90), strings.Repeat(" ", 50), strings.Repeat("\u200b", 30), "C_Sign", "CKR_OK", "done", "rehearsal",
	strings.Repeat("ab", 32), "C_GetInfo", "<script>", "\\()", "�"}

// random fills a value with anything.
func random(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			random(r, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			random(r, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		for i := range v.Len() {
			random(r, v.Index(i))
		}
	case reflect.String:
		v.SetString(hostile[r.IntN(len(hostile))])
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, 2, 3, 4, 5, -1, 1 << 53, -1 << 62}[r.IntN(9)])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	}
}

// randomSource returns a log of anything in any order.
func randomSource(seed uint64) Source {
	r := rand.New(rand.NewPCG(seed, 1))
	names := make([]string, 0, len(audit.Kinds))
	for name := range audit.Kinds {
		names = append(names, name)
	}
	sort.Strings(names)
	src := Source{}
	random(r, reflect.ValueOf(&src.Cover).Elem())
	random(r, reflect.ValueOf(&src.Origin).Elem())
	for range r.IntN(60) {
		d := audit.Kinds[names[r.IntN(len(names))]]()
		random(r, reflect.ValueOf(d).Elem())
		src.Entries = append(src.Entries, &audit.Entry{Seq: r.Int64N(40), Time: time.Unix(r.Int64N(1<<33), 0), Step: hostile[r.IntN(5)], Data: d})
	}
	src.File = func(string) ([]byte, error) { return nil, nil }
	src.AnnexText = func(string, []byte) ([]string, error) { return hostile, nil }
	return src
}

// checkAnything composes a log of anything and checks what must hold of every
// page, and that composing it again gives the same bytes.
func checkAnything(t *testing.T, seed uint64) {
	pages, err := Compose(randomSource(seed))
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	again, err := Compose(randomSource(seed))
	if err != nil || !reflect.DeepEqual(pages, again) {
		t.Fatalf("seed %d: composed twice, the pages differ (%v)", seed, err)
	}
	for _, p := range append(pages, ClosingPage(pages, []byte(hostile[seed%uint64(len(hostile))]))) {
		if h := height(p.Lines); h > Units {
			t.Fatalf("seed %d: page %d is %d units high", seed, p.Number, h)
		}
		for _, l := range append(append(p.Header[:], p.Lines...), p.Footer) {
			if Width(l.Text) > Columns {
				t.Fatalf("seed %d: page %d: a line of %d columns: %q", seed, p.Number, Width(l.Text), l.Text)
			}
			for _, r := range l.Text {
				if runeWidth(r) == 0 {
					t.Fatalf("seed %d: page %d: %U: %q", seed, p.Number, r, l.Text)
				}
			}
		}
	}
}

func TestAnyLog(t *testing.T) {
	for seed := range uint64(100) {
		checkAnything(t, seed)
	}
}

func FuzzCompose(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(checkAnything)
}
