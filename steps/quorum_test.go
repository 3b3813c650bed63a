package steps_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/templates"
)

// Passphrases that must be found nowhere but where they are typed.
const (
	phraseSO  = "planted-horse-battery"
	phraseOne = "planted-river-lantern"
	phraseTwo = "planted-copper-window"
)

// approves has two of three approve a step of the script.
func approves(step string) func(string) string {
	return in(step, "\n    title:", "\n    approve:\n      count: 2\n      of: [so-custodian, internal-witness, independent-witness]\n    title:")
}

func both(changes ...func(string) string) func(string) string {
	return func(s string) string {
		for _, c := range changes {
			s = c(s)
		}
		return s
	}
}

// phrasesTyped are the answers of people who set their passphrases.
const phrasesTyped = `  "*/passphrase/so-custodian": "` + phraseSO + `"
  "*/passphrase/witness-1": "` + phraseOne + `"
  "*/passphrase/witness-2": "` + phraseTwo + `"
`

// allApprove are the answers of people who approve and type what they set.
const allApprove = `  "*/approve/*": "@initials"
  "*/approve-passphrase/so-custodian": "` + phraseSO + `"
  "*/approve-passphrase/witness-1": "` + phraseOne + `"
  "*/approve-passphrase/witness-2": "` + phraseTwo + `"
`

// stopAtMachine fails the step "machine", which follows "rules", and gives up.
const stopAtMachine = "  \"machine/room-time/witness-1\": \"2020-01-01 00:00:00\"\n" + abortOnFailure

// said lists what became of approvals in a step: "person result".
func said(entries []*audit.Entry, step string) (list []string) {
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Approval); ok && e.Step == step {
			list = append(list, d.Person+" "+d.Result)
		}
	}
	return list
}

// TestQuorumMet runs a whole ceremony in which two of three approve the root
// certificate: it verifies, the approvals stand between what is signed and the
// signature, and no passphrase is in any file or on the screen.
func TestQuorumMet(t *testing.T) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	var screen bytes.Buffer
	st.out = &screen
	st.script = []byte(approves("root-certificate")(string(st.script)))
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(string(b) + phrasesTyped + allApprove)); err != nil {
		t.Fatal(err)
	}
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	if got := said(entries, "root-certificate"); !slices.Equal(got, []string{"so-custodian approved", "witness-1 approved"}) {
		t.Errorf("approvals: %q", got)
	}
	var order []string
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.ToBeSigned, *audit.Approval:
			if e.Step == "root-certificate" {
				order = append(order, e.Kind())
			}
		case *audit.HSMIntent:
			if e.Step == "root-certificate" && d.Function == "C_SignInit" {
				order = append(order, d.Function)
			}
		}
		if d, ok := e.Data.(*audit.Passphrase); ok && (d.Result != "set" || d.Again) {
			t.Errorf("entry %d: %+v", e.Seq, d)
		}
	}
	if want := []string{"to-be-signed", "approval", "approval", "C_SignInit"}; !slices.Equal(order, want) {
		t.Errorf("the order is %q, want %q", order, want)
	}
	_, after, _ := strings.Cut(screen.String(), "This is what will be signed")
	asked := strings.Index(after, "Do you approve")
	if shown := strings.Index(after, "SHA-256 of the bytes to be signed"); shown < 0 || asked < shown || !strings.Contains(after[:shown], "Example Root CA R1") {
		t.Error("the question for approval comes before what is approved")
	}
	if !strings.Contains(screen.String(), "Your passphrase, to approve") {
		t.Error("the screen does not show the question, so that nothing was looked at")
	}
	planted(t, st, screen.Bytes())
}

// planted looks for the passphrases in all files of a stage but its answers,
// and in what was shown.
func planted(t *testing.T, st *stage, shown []byte) {
	t.Helper()
	files := 0
	look := func(name string, b []byte) {
		for _, phrase := range []string{phraseSO, phraseOne, phraseTwo} {
			if bytes.Contains(b, []byte(phrase)) {
				t.Errorf("a passphrase is in %s", name)
			}
		}
	}
	look("what the room saw", shown)
	err := filepath.WalkDir(st.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == st.answers {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		look(path, b)
		return err
	})
	if err != nil || files < 10 {
		t.Errorf("%d files were looked at (%v)", files, err)
	}
	if b, err := os.ReadFile(st.answers); err != nil || !bytes.Contains(b, []byte(phraseOne)) {
		t.Error("the passphrases are not where they were planted")
	}
}

// TestQuorum tries what keeps a step from its approvals: none of it lets the
// step through, and each leaves its reason in the log.
func TestQuorum(t *testing.T) {
	goOn := in("rules", "\n    title:", "\n    on_refusal: continue\n    title:")
	for name, x := range map[string]struct {
		change  func(string) string
		answers string
		want    []string // of the step "rules"
		problem string
		result  string // of the step
	}{
		"enough": {answers: allApprove + stopAtMachine,
			want: []string{"so-custodian approved", "witness-1 approved"}, result: ceremony.Done},
		"a no stops it": {answers: "  \"rules/approve/so-custodian\": \"no\"\n  \"rules/because/so-custodian\": \"the bag was open\"\n" + allApprove + abortOnFailure,
			want: []string{"so-custodian does not approve"}, problem: "does not agree: the bag was open"},
		"a no that goes on": {change: goOn, answers: "  \"rules/approve/so-custodian\": \"no\"\n  \"rules/because/so-custodian\": \"the bag was open\"\n" + allApprove + stopAtMachine,
			want: []string{"so-custodian does not approve", "witness-1 approved", "witness-2 approved"}, result: ceremony.Done},
		"too few yes": {change: goOn, answers: "  \"rules/approve/so-custodian\": \"no\"\n  \"rules/approve/witness-2\": \"no\"\n  \"rules/because/*\": \"I have seen nothing\"\n" + allApprove + abortOnFailure,
			want: []string{"so-custodian does not approve", "witness-1 approved", "witness-2 does not approve"}, problem: "nobody else can be asked now"},
		"wrong once": {answers: "  \"rules/approve-passphrase/so-custodian\": [\"not the right one\", \"" + phraseSO + "\"]\n" + strings.Replace(allApprove, "  \"*/approve-passphrase/so-custodian\": \""+phraseSO+"\"\n", "", 1) + stopAtMachine,
			want: []string{"so-custodian wrong passphrase", "so-custodian approved", "witness-1 approved"}, result: ceremony.Done},
		"another's passphrase three times": {answers: strings.Replace(allApprove, "so-custodian\": \""+phraseSO, "so-custodian\": \""+phraseOne, 1) + stopAtMachine,
			want: []string{"so-custodian wrong passphrase", "so-custodian wrong passphrase", "so-custodian no more tries", "witness-1 approved", "witness-2 approved"}, result: ceremony.Done},
		"wrong, and tried again": {answers: strings.NewReplacer("so-custodian\": \""+phraseSO, "so-custodian\": \"wrong and wrong", "witness-1\": \""+phraseOne, "witness-1\": \"wrong and wrong").Replace(allApprove) + "  \"rules/on-failure/*\": [\"again\", \"abort\"]\n" + meant,
			want: []string{"so-custodian wrong passphrase", "so-custodian wrong passphrase", "so-custodian no more tries", "witness-1 wrong passphrase", "witness-1 wrong passphrase", "witness-1 no more tries", "witness-2 approved"}, problem: "nobody else can be asked now"},
	} {
		t.Run(name, func(t *testing.T) {
			change := approves("rules")
			if x.change != nil {
				change = both(x.change, change)
			}
			st, err := play(t, "root-ca", change, phrasesTyped+x.answers)
			entries := aborted(t, st, err)
			if got := said(entries, "rules"); !slices.Equal(got, x.want) {
				t.Errorf("approvals: %q, want %q", got, x.want)
			}
			if got := ended(entries, "rules"); (got == ceremony.Done) != (x.result == ceremony.Done) {
				t.Errorf("the step is %q, want %q", got, x.result)
			}
			if p := problems(entries); !strings.Contains(p, x.problem) {
				t.Errorf("no %q among the problems %q", x.problem, p)
			}
		})
	}
}

// A signer is a room in which somebody signs what is shown to them on a machine
// of their own.
type signer struct {
	room.Room
	key  *audit.WitnessSigner
	seen *string // the last text that was shown to be copied
}

func (r signer) Show(m room.Message) {
	if v, ok := m.(room.Verbatim); ok {
		*r.seen = v.Text
	}
	r.Room.Show(m)
}

func (r signer) Ask(p room.Prompt) (string, error) {
	if !strings.Contains(p.Key, "/approval-signature/") {
		return r.Room.Ask(p)
	}
	n, err := audit.ParseApprovalNote(*r.seen)
	if err != nil {
		return "", err
	}
	b, err := r.key.SignApproval(n)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1], nil
}

// TestApproveByKey: who has a key approves with it and sets no passphrase; the
// signature is kept and verifies.
func TestApproveByKey(t *testing.T) {
	key, err := audit.GenerateWitnessKey("witness.example/one", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	st.script = []byte(both(approves("rules"), in("witness-1", "    roles: [internal-witness]", "    roles: [internal-witness]\n    witness_key: "+key.Key().String()))(string(st.script)))
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(string(b) + phrasesTyped + allApprove + "  \"*/key-compared/*\": \"yes\"\n" + stopAtMachine)); err != nil {
		t.Fatal(err)
	}
	shown := ""
	st.room = func(r room.Room) room.Room { return signer{r, key, &shown} }
	entries := aborted(t, st, st.start())
	signed := 0
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.Passphrase:
			if d.Person == "witness-1" {
				t.Errorf("entry %d: a passphrase of somebody with a key", e.Seq)
			}
		case *audit.Approval:
			if n, err := audit.OpenApprovalNote([]byte(d.Note), key.Key()); d.Person == "witness-1" && err == nil && n.Step == "rules" && n.Size == d.Size && n.Size <= e.Seq {
				signed++
			}
		}
	}
	if signed != 1 || ended(entries, "rules") != ceremony.Done {
		t.Errorf("%d signed approvals, the step is %q", signed, ended(entries, "rules"))
	}
}

// TestPassphraseSet: what was typed and not taken is recorded with its reason,
// and asked again.
func TestPassphraseSet(t *testing.T) {
	typed := strings.Replace(phrasesTyped, "\""+phraseSO+"\"", "[\"short\", \"one that is long\", \"another one\", \""+phraseSO+"\", \""+phraseSO+"\"]", 1)
	st, err := play(t, "root-ca", approves("rules"), typed+allApprove+stopAtMachine)
	var got []string
	for _, e := range aborted(t, st, err) {
		if d, ok := e.Data.(*audit.Passphrase); ok && d.Person == "so-custodian" {
			got = append(got, d.Result)
		}
	}
	if want := []string{"it has fewer than 8 characters", "the two entries differ", "set"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestResumeInQuorum breaks off between the first approval and the second: the
// first one stands, the passphrases are set anew, which is recorded, and only
// the second person is asked.
func TestResumeInQuorum(t *testing.T) {
	without := strings.Replace(allApprove, "  \"*/approve/*\": \"@initials\"\n", "  \"rules/approve/so-custodian\": \"@initials\"\n", 1)
	st, err := play(t, "root-ca", approves("rules"), phrasesTyped+without)
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || stop.Abort {
		t.Fatalf("expected a pause, got %v", err)
	}
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(string(b) + phrasesTyped + allApprove + stopAtMachine + resumeAnswers("after", ""))); err != nil {
		t.Fatal(err)
	}
	entries := aborted(t, st, st.resume())
	if got := said(entries, "rules"); !slices.Equal(got, []string{"so-custodian approved", "witness-1 approved"}) {
		t.Errorf("approvals: %q", got)
	}
	again := 0
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Passphrase); ok && d.Again {
			again++
		}
	}
	if again != 3 || ended(entries, "rules") != ceremony.Done {
		t.Errorf("%d passphrases were set again; the step is %q", again, ended(entries, "rules"))
	}
}

// TestResumeShowsTheSame breaks off between the two approvals of a signature: after
// the break the bytes that the first approved are shown and signed.
func TestResumeShowsTheSame(t *testing.T) {
	signers := phrasesTyped + strings.Replace(allApprove, "  \"*/approve/*\": \"@initials\"\n", "", 1)
	st, err := play(t, "root-ca", approves("root-certificate"), signers+"  \"root-certificate/approve/so-custodian\": \"@initials\"\n")
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || stop.Abort {
		t.Fatalf("expected a pause, got %v", err)
	}
	var screen bytes.Buffer
	st.out = &screen
	if err := st.goOn(signers + "  \"*/approve/*\": \"@initials\"\n"); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	tbs, _ := entriesOf[*audit.ToBeSigned](slices.DeleteFunc(slices.Clone(all), func(e *audit.Entry) bool { return e.Step != "root-certificate" }))
	hashes := map[string]bool{}
	for _, d := range tbs {
		hashes[d.TBS.SHA256] = true
	}
	if len(tbs) != 2 || len(hashes) != 1 || len(said(all, "root-certificate")) != 2 {
		t.Errorf("announced %d times, %d different, approvals %q", len(tbs), len(hashes), said(all, "root-certificate"))
	}
	if n := len(calls(all, "root-certificate", "C_Sign")); n != 1 {
		t.Errorf("%d signatures", n)
	}
	_, after, ok := strings.Cut(screen.String(), "The same bytes that were announced in an earlier attempt")
	if asked := strings.Index(after, "Do you approve"); !ok || asked < 0 || !strings.Contains(after[:asked], "SHA-256 of the bytes to be signed") {
		t.Error("what is approved is not shown after the break")
	}
}

// TestTooOldToSign: what was approved before a long break is not signed with its
// old dates: it is built and approved anew.
func TestTooOldToSign(t *testing.T) {
	signers := phrasesTyped + strings.Replace(allApprove, "  \"*/approve/*\": \"@initials\"\n", "", 1)
	st, err := play(t, "root-ca", approves("root-certificate"), signers+"  \"root-certificate/approve/so-custodian\": \"@initials\"\n")
	if err == nil {
		t.Fatal("expected a pause")
	}
	st.ahead = 13 * time.Hour
	err = st.goOn(signers + "  \"*/approve/*\": \"@initials\"\n  \"root-certificate/on-failure/*\": [\"repeat\"]\n  \"*/deviation/*\": \"@initials\"\n" +
		"  \"*/expected/*\": \"a signature on the same day\"\n  \"*/happened/*\": \"a night between\"\n  \"*/decided/*\": \"to do it anew\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	tbs, _ := entriesOf[*audit.ToBeSigned](all)
	if len(tbs) < 2 || tbs[0].TBS.SHA256 == tbs[1].TBS.SHA256 || !strings.Contains(problems(all), "choose repeat") {
		t.Errorf("announced: %+v; problems: %s", tbs, problems(all))
	}
	if got := said(all, "root-certificate"); len(got) != 3 || len(calls(all, "root-certificate", "C_Sign")) != 1 {
		t.Errorf("approvals: %q", got)
	}
}
