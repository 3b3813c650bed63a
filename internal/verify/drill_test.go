package verify

import (
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/drill"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// theDrill is a drill's secret; anotherDrill is the same with another nonce.
var (
	theDrill     = drill.Secret{Fault: "pulled: token \"hsm\" is pulled out; nonce or not", Nonce: [32]byte{1}}
	anotherDrill = drill.Secret{Fault: theDrill.Fault, Nonce: [32]byte{2}}
)

// drilledWith has results before the first step, and in the last one.
func drilledWith(first, last []*audit.Result) func(b *bundletest.Builder, step string, d audit.Data) {
	begun := false
	end := at("close", func(b *bundletest.Builder, _ *audit.StepEnd) {
		for _, r := range last {
			b.Add(r)
		}
	})
	return func(b *bundletest.Builder, step string, d audit.Data) {
		if _, ok := d.(*audit.StepBegin); ok && !begun {
			begun = true
			for _, r := range first {
				b.AddTo("", r)
			}
		}
		end(b, step, d)
	}
}

// TestDrill: a rehearsal with a drill that is told as it was hidden is sound.
func TestDrill(t *testing.T) {
	report := drill.Report(theDrill, drill.Course{}, nil)
	r := lie{before: drilledWith([]*audit.Result{theDrill.Commitment()}, []*audit.Result{theDrill.Reveal(), report})}.tell(t)
	if r.Exit != ExitSound || r.Has(DrillDiffers) || !r.Has(CeremonyIsRehearsal) {
		t.Errorf("verdict %s, exit %d\n%s", r.Verdict, r.Exit, codes(r))
	}
	found := false
	for _, c := range r.Checks {
		found = found || c.Name == "drill" && c.Count == 3 && c.Result == "holds"
	}
	if !found {
		t.Errorf("no check of the drill: %v", r.Checks)
	}
	if r := (lie{}).tell(t); r.Has(DrillDiffers) {
		t.Error("a drill is found where there is none")
	}
}

// drillLies are logs whose drill is not what it was said to be.
func drillLies() []lie {
	of := func(list ...*audit.Result) []*audit.Result { return list }
	broken := *theDrill.Commitment()
	broken.Value = broken.Value[1:]
	short := *theDrill.Reveal()
	short.Value = short.Value[:len(short.Value)-1]
	production := bundletest.Ceremony{Mode: audit.ModeProduction}
	return []lie{
		{name: "another drill is told", before: drilledWith(of(theDrill.Commitment()), of(anotherDrill.Reveal())), want: DrillDiffers},
		{name: "a drill is never told", before: drilledWith(of(theDrill.Commitment()), nil), want: DrillDiffers},
		{name: "a drill is told twice", before: drilledWith(of(theDrill.Commitment()), of(theDrill.Reveal(), theDrill.Reveal())), want: DrillDiffers},
		{name: "a drill that was not hidden", before: drilledWith(nil, of(theDrill.Reveal())), want: DrillDiffers},
		{name: "two drills are hidden", before: drilledWith(of(theDrill.Commitment(), anotherDrill.Commitment()), of(theDrill.Reveal())), want: DrillDiffers},
		{name: "a commitment that is none", before: drilledWith(of(&broken), of(theDrill.Reveal())), want: DrillDiffers},
		{name: "a reveal that is none", before: drilledWith(of(theDrill.Commitment()), of(&short)), want: DrillDiffers},
		{name: "a drill in a ceremony", c: production, before: drilledWith(of(theDrill.Commitment()), of(theDrill.Reveal())), want: DrillDiffers},
	}
}

func TestDrillLies(t *testing.T) {
	for _, l := range drillLies() {
		t.Run(l.name, func(t *testing.T) {
			r := l.tell(t)
			if r.Exit != ExitFailed || !r.Has(l.want) {
				t.Errorf("verdict %s, exit %d, no %s\n%s", r.Verdict, r.Exit, l.want, codes(r))
			}
			for _, c := range r.Checks {
				if c.Name == "drill" && c.Result != "fails" {
					t.Errorf("the check of the drill %s", c.Result)
				}
			}
		})
	}
}
