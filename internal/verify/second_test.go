package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// A secondJob is a bundle that the verifier in Python checks.
type secondJob struct {
	Dir       string   `json:"dir"`
	LogKeys   []string `json:"log_keys"`
	Heads     []string `json:"heads"`
	Script    string   `json:"script"`
	Witnesses []string `json:"witnesses"`

	name string
	fail bool   // keyrite-verify finds something that the other must find
	why  string // what that was
}

// A secondFinding is one thing that the verifier in Python found.
type secondFinding struct {
	file   string
	entry  int64
	what   string
	offset int64
}

// UnmarshalJSON reads [file, entry, what, offset].
func (f *secondFinding) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&f.file, &f.entry, &f.what, &f.offset})
}

// second runs the verifier in Python on vectors and bundles, all in one
// process, and returns what it found in each.
func second(t *testing.T, vectors []string, jobs []secondJob) [][]secondFinding {
	t.Helper()
	input, err := json.Marshal(map[string]any{"vectors": vectors, "bundles": jobs})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "testdata/second.py", "../../docs/examples")
	cmd.Stdin = bytes.NewReader(input)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Run(); err != nil {
		t.Fatalf("python3: %v\n%s", err, talk.String())
	}
	var all [][]secondFinding
	for line := range bytes.Lines(out.Bytes()) {
		var found []secondFinding
		if err := json.Unmarshal(line, &found); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, found)
	}
	if len(all) != len(vectors)+len(jobs) {
		t.Fatalf("%d answers to %d questions", len(all), len(vectors)+len(jobs))
	}
	return all
}

// The verifier in Python answers every vector as its header says, but those
// that only a reader of the database's pages can tell.
func TestSecondVectors(t *testing.T) {
	list := vectors(t)
	var paths []string
	for _, v := range list {
		paths = append(paths, "../../audit/testdata/vectors/"+v.Name)
	}
	for i, found := range second(t, paths, nil) {
		v := list[i]
		switch {
		case v.Pages:
			if len(found) > 0 {
				t.Errorf("%s: it needs no reader of pages: %v", v.Name, found)
			}
		case v.OK != (len(found) == 0):
			t.Errorf("%s: want ok %t, found %v", v.Name, v.OK, found)
		case !v.OK && v.Offset >= 0 && found[0].offset != v.Offset, !v.OK && v.Entry >= 0 && found[0].entry != v.Entry:
			t.Errorf("%s: want entry %d, byte %d, found %v", v.Name, v.Entry, v.Offset, found)
		}
	}
}

// beyondSecond are the failures that the verifier in Python does not look for:
// it checks the evidence, not the ceremony.
var beyondSecond = []Code{TranscriptUnbound, PDFDiffers, PagesDiffer}

// judge makes a job of a bundle as keyrite-verify sees it.
func judge(t *testing.T, name string, b *bundletest.Bundle, o Options) secondJob {
	t.Helper()
	r, err := Bundle(b.Dir, o)
	if err != nil {
		t.Fatal(err)
	}
	job := secondJob{name: name, Dir: b.Dir, LogKeys: o.LogKeys, Script: o.ScriptSHA256}
	if o.Head != "" {
		job.Heads = []string{o.Head}
	}
	for _, f := range r.Findings {
		if f.Weight == Failure && !slices.Contains(beyondSecond, f.Code) || f.Code == LogNotClosed {
			job.fail = true
			job.why += fmt.Sprintf("  %s %s entry %d: %s\n", f.Code, f.File, f.Entry, f.What)
		}
	}
	return job
}

// compare runs the verifier in Python on bundles and compares its verdicts.
func compare(t *testing.T, jobs []secondJob) {
	t.Helper()
	for i, found := range second(t, nil, jobs) {
		if job := jobs[i]; job.fail != (len(found) > 0) {
			t.Errorf("%s: the second verifier finds %v; keyrite-verify\n%s", job.name, found, job.why)
		}
	}
}

// Both verifiers take the bundles that are sound, and refuse those that were
// tampered with, although SHA256SUMS was made right again and there is no
// manifest that would give it away.
func TestSecondBundles(t *testing.T) {
	witnessed := bundletest.Ceremony{
		NoPDF: true, Cosign: []string{"wil"}, Final: []string{"wil", "ewa"}, SignVerdicts: true,
		Keys: map[string]*audit.WitnessSigner{"wil": aKey(t, "witness.example.org/wil", 1), "ewa": aKey(t, "witness.example.org/ewa", 2)},
	}
	base := map[string]*bundletest.Bundle{
		"":           bundletest.Make(t, bundletest.Ceremony{NoPDF: true}),
		"pause":      bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Pause: true}),
		"production": bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Mode: "production"}),
		"other":      bundletest.Make(t, bundletest.Ceremony{NoPDF: true}),
		"failed":     bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Failed: true}),
		"crash":      bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Crash: true}),
		"abort":      bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Abort: true}),
		"open":       bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Open: true}),
		"witnesses":  bundletest.Make(t, witnessed),
	}
	var jobs []secondJob
	for name, b := range base {
		jobs = append(jobs,
			judge(t, "sound "+name, b, Options{}),
			judge(t, "sound, with its keys "+name, b, Options{LogKeys: b.LogKeys}),
			judge(t, "sound, with its head "+name, b, Options{Head: b.Head}))
		if sound := jobs[len(jobs)-3]; sound.fail != (name == "open") {
			t.Errorf("%s: %s", name, sound.why)
		}
	}
	for _, test := range tamperings(base) {
		b := bundletest.Copy(t, base[test.base])
		test.change(t, b)
		if !strings.Contains(test.name, "manifest") {
			b.Resum(t)
			if err := os.RemoveAll(b.Path(bundle.ManifestFile)); err != nil {
				t.Fatal(err)
			}
		}
		var o Options
		if test.given != nil {
			o = test.given(base[test.base])
		}
		jobs = append(jobs, judge(t, test.name, b, o))
	}
	for name, change := range map[string]func(b *bundletest.Bundle){
		"a witness's key file":          func(b *bundletest.Bundle) { b.Write(t, "keys/witness-wil.vkey", b.Read(t, "keys/witness-ewa.vkey")) },
		"a cosignature's last byte":     func(b *bundletest.Bundle) { changeEnd(t, b, bundle.CheckpointFile) },
		"a cosignature twice":           func(b *bundletest.Bundle) { repeatEnd(t, b, bundle.CheckpointFile) },
		"a cosignature of another size": func(b *bundletest.Bundle) { sqlite3(t, b, replay) },
	} {
		b := bundletest.Copy(t, base["witnesses"])
		change(b)
		b.Resum(t)
		if err := os.Remove(b.Path(bundle.ManifestFile)); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, judge(t, name, b, Options{}))
	}
	compare(t, jobs)
}

// replay puts the final checkpoint's cosignatures on the one cosigned before.
const replay = `UPDATE checkpoint SET note=CAST(
	substr(CAST(note AS TEXT), 1, instr(CAST(note AS TEXT), '— witness')-1) ||
	(SELECT substr(CAST(note AS TEXT), instr(CAST(note AS TEXT), '— witness')) FROM head) AS BLOB)
	WHERE instr(CAST(note AS TEXT), '— witness')>0 AND size<(SELECT max(size) FROM checkpoint)`

// changeEnd changes the signature in the last line of a file.
func changeEnd(t *testing.T, b *bundletest.Bundle, name string) {
	content := b.Read(t, name)
	at := len(content) - 12
	content[at] = map[bool]byte{true: 'B', false: 'A'}[content[at] == 'A']
	b.Write(t, name, content)
}

// repeatEnd repeats the last line of a file.
func repeatEnd(t *testing.T, b *bundletest.Bundle, name string) {
	content := b.Read(t, name)
	last := bytes.LastIndexByte(content[:len(content)-1], '\n') + 1
	b.Write(t, name, append(content, content[last:]...))
}

// Both verifiers judge the signed notes of those who approved a script alike.
func TestSecondScriptApprovals(t *testing.T) {
	c, manager := approvedBy(t)
	jobs := []secondJob{judge(t, "approved", bundletest.Make(t, c), Options{})}
	for _, x := range scriptApprovalAttacks(t, manager) {
		switch x.name {
		case "of another script", "with a foreign key", "the folder emptied", "the note replaced", "a note that the log has not":
			jobs = append(jobs, judge(t, x.name, x.make(t, c), Options{}))
		}
	}
	if len(jobs) != 6 || jobs[0].fail || slices.ContainsFunc(jobs[1:], func(j secondJob) bool { return !j.fail }) {
		t.Fatalf("keyrite-verify: %+v", jobs)
	}
	compare(t, jobs)
}

// The program in Python says what it found, and its exit code what to think.
func TestSecondCommand(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	run := func(args ...string) (string, int) {
		cmd := exec.Command("python3", append([]string{"-B", "../../docs/examples/verify.py"}, args...)...)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, exit := run("--log-key", b.LogKeys[0], "--head", b.Head, "--script-sha256", b.ScriptSHA256, b.Dir); exit != 0 || !strings.HasSuffix(out, ": all holds\n") {
		t.Errorf("exit %d, %s", exit, out)
	}
	if out, exit := run(b.Dir); exit != 0 || !strings.Contains(out, "nothing from outside vouches for it") {
		t.Errorf("exit %d, %s", exit, out)
	}
	replace(t, b, bundle.LogFile, "Ewa Próbna", "Eva Probna")
	if out, exit := run(b.Dir); exit != 1 || !strings.Contains(out, "audit.db: entry 0: the first entry that differs in log.jsonl and audit.db") {
		t.Errorf("exit %d, %s", exit, out)
	}
	if out, exit := run(filepath.Join(b.Dir, "nowhere")); exit != 2 {
		t.Errorf("exit %d, %s", exit, out)
	}
}
