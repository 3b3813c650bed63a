package verify

import (
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// destroying has the last key destroyed at the end of its last step, as changed.
func destroying(change func(d *audit.Destroyed, i *audit.Inventory, o *audit.HSMOutcome)) func(*bundletest.Builder, string, audit.Data) {
	done := false
	return at("sub-crl", func(b *bundletest.Builder, _ *audit.Artifact) {
		if done {
			return
		}
		done = true
		d := &audit.Destroyed{Token: "hsm", Key: "sub"}
		i := &audit.Inventory{Token: "hsm", Login: true, Objects: []audit.Object{}, Expected: "without key sub", Differs: []string{}}
		o := &audit.HSMOutcome{}
		change(d, i, o)
		d.Call += b.Call(audit.HSMIntent{Function: "C_DestroyObject", Session: "1", Object: "4"}, *o)
		d.After += b.Add(i)
		b.Add(d)
	})
}

func TestDestroyed(t *testing.T) {
	type change = func(d *audit.Destroyed, i *audit.Inventory, o *audit.HSMOutcome)
	if r := (lie{before: destroying(func(*audit.Destroyed, *audit.Inventory, *audit.HSMOutcome) {})}).tell(t); r.failed() {
		t.Errorf("verdict %s\n%s", r.Verdict, codes(r))
	}
	for name, l := range map[string]struct {
		change change
		want   Code
	}{
		"by no call":            {func(d *audit.Destroyed, _ *audit.Inventory, _ *audit.HSMOutcome) { d.Call = -20 }, ArtifactKey},
		"by a call that failed": {func(_ *audit.Destroyed, _ *audit.Inventory, o *audit.HSMOutcome) { o.RV = "CKR_DEVICE_ERROR" }, ArtifactKey},
		"shown by nothing":      {func(d *audit.Destroyed, _ *audit.Inventory, _ *audit.HSMOutcome) { d.After = -20 }, ArtifactKey},
		"shown to be there": {func(_ *audit.Destroyed, i *audit.Inventory, _ *audit.HSMOutcome) {
			i.Objects = []audit.Object{{Class: "CKO_PRIVATE_KEY", Label: "sub", ID: "01"}}
		}, ArtifactKey},
		"a whole token by C_DestroyObject": {func(d *audit.Destroyed, _ *audit.Inventory, _ *audit.HSMOutcome) { d.Key = "" }, ArtifactKey},
	} {
		t.Run(name, func(t *testing.T) {
			if r := (lie{before: destroying(l.change)}).tell(t); r.Verdict != Failed || !r.Has(l.want) {
				t.Errorf("verdict %s, no %s\n%s", r.Verdict, l.want, codes(r))
			}
		})
	}
	t.Run("used afterwards", func(t *testing.T) {
		early := func(b *bundletest.Builder, step string, d audit.Data) {
			if _, end := d.(*audit.Artifact); end && step == "sub-key" {
				seq := b.Call(audit.HSMIntent{Function: "C_DestroyObject", Session: "1", Object: "4"}, audit.HSMOutcome{})
				after := b.Add(&audit.Inventory{Token: "hsm", Login: true, Objects: []audit.Object{}, Differs: []string{}})
				b.Add(&audit.Destroyed{Token: "hsm", Key: "sub", Call: seq, After: after})
			}
		}
		if r := (lie{before: early}).tell(t); r.Verdict != Failed || !r.Has(SignatureUnexplained) {
			t.Errorf("verdict %s\n%s", r.Verdict, codes(r))
		}
	})
}
