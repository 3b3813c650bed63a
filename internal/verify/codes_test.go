package verify

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// TestCodesInDocument compares the table of codes with the one in the document,
// which must say the same in the same order.
func TestCodesInDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, c := range Codes {
		want.WriteString("| `" + string(c.Code) + "` | " + string(c.Weight) + " | " + c.Means + " | " + c.Remedy + " |\n")
	}
	if !strings.Contains(string(doc), want.String()) {
		t.Errorf("docs/verify.md must hold this table:\n%s", want.String())
	}
}

// TestCodesAreListed looks for codes that were declared and not put into the
// table, or twice.
func TestCodesAreListed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[Code]int{}
	for _, c := range Codes {
		listed[c.Code]++
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || !strings.HasPrefix(lit.Value, `"E-`) {
			return true
		}
		declared++
		code, err := strconv.Unquote(lit.Value)
		if err != nil || listed[Code(code)] != 1 {
			t.Errorf("%s stands %d times in the table", code, listed[Code(code)])
		}
		return true
	})
	if declared != len(Codes) {
		t.Errorf("%d codes declared, %d in the table", declared, len(Codes))
	}
}

// TestEveryCodeIsProvoked looks for codes that no test of this package expects.
func TestEveryCodeIsProvoked(t *testing.T) {
	provoked := map[Code]bool{
		LogNotClosed:      true, // TestSound
		SumsFormat:        true, // TestSums
		SumDiffers:        true,
		FileKind:          true,
		FileUnlogged:      true, // TestThings
		CheckpointMissing: true, // TestCosignature
		TranscriptUnbound: true,
		ManifestMissing:   true, // TestNoManifest
		RuleBroken:        true, // TestRules
		CertificateBroken: true,
		WitnessKeyDiffers: true, // TestWitnessLies
		VerdictSignature:  true,
		TimesDisagree:     true,
		PolicyNotMet:      true, // TestAnchoredByWitnesses
		WitnessKeyExposed: true, // TestExposedKeys
		MachineDiffers:    true, // TestOtherMachine

		KeyOriginBroken: true, // TestOriginLies
		KeyNotProved:    true, // TestNoProof
		KeySimulated:    true, // TestKeyOrigin of package steps

		EntryHidden:      true, // internal/redact
		RedactionDiffers: true,
		Redacted:         true,
		NotChecked:       true,

		ScriptApprovalBroken:  true, // TestScriptApprovals
		ScriptNotApproved:     true,
		ScriptApprovalTwice:   true,
		ScriptApprovalDiffers: true,

		CosignatureUnknown: true,
		TimestampBroken:    true, // TestTimestamp
		TimestampUnchecked: true,
	}
	empty := &bundletest.Bundle{}
	for _, x := range tamperings(map[string]*bundletest.Bundle{"": empty, "other": empty}) {
		for _, w := range x.want {
			provoked[w.code] = true
		}
	}
	for _, x := range attacks() {
		for _, code := range x.want {
			provoked[code] = true
		}
	}
	for _, x := range cosignatureLies() {
		provoked[x.want] = true
	}
	for _, l := range slices.Concat(lies(), warnings(), courseLies(), courseWarnings(), actLies(), drillLies(), tryLies(), backupLies()) {
		provoked[l.want] = true
	}
	for _, c := range Codes {
		if !provoked[c.Code] {
			t.Errorf("no test provokes %s", c.Code)
		}
	}
}

// TestLeftover vacuums a database as SQLite does by itself: old cells stay on
// the tree's upper pages. A log's store clears them, so that they are a failure.
func TestLeftover(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	cmd := exec.Command("sqlite3", "-bail", b.Path(bundle.DatabaseFile), "PRAGMA secure_delete=OFF; VACUUM;")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := check(t, b, Options{Recompose: pagesOnly})
	if !r.Has(DatabaseFormat) {
		t.Error(codes(r))
	}
}

// TestSchema checks reports against the published schema, and that the schema
// has a place for every code.
func TestSchema(t *testing.T) {
	raw, err := os.ReadFile("../../docs/verify.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("verify.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("verify.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(b []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	for _, c := range []bundletest.Ceremony{{NoPDF: true}, {Open: true}, {Abort: true, NoPDF: true}, {Pause: true, Failed: true, NoPaper: true}} {
		b := bundletest.Make(t, c)
		var out bytes.Buffer
		if err := check(t, b, Options{LogKeys: b.LogKeys[:1], Recompose: pagesOnly}).WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		if err := validate(out.Bytes()); err != nil {
			t.Errorf("%+v: %v\n%s", c, err, out.Bytes())
		}
	}
	var all Report
	for _, c := range Codes {
		all.Findings = append(all.Findings, Finding{Code: c.Code, Weight: c.Weight})
	}
	found, err := json.Marshal(all.Findings)
	if err != nil {
		t.Fatal(err)
	}
	list := doc.(map[string]any)["properties"].(map[string]any)["findings"].(map[string]any)["items"].(map[string]any)["properties"].(map[string]any)["code"].(map[string]any)["enum"].([]any)
	if len(list) != len(Codes) {
		t.Errorf("the schema lists %d codes, there are %d in %s", len(list), len(Codes), found)
	}
	for i, c := range Codes {
		if i < len(list) && list[i] != string(c.Code) {
			t.Errorf("the schema's code %d is %v, want %s", i, list[i], c.Code)
		}
	}
	if err := validate([]byte(`{"verdict":"verified"}`)); err == nil {
		t.Error("the schema takes anything")
	}
}
