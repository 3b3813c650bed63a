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

// TestRefusal: a witness's no stops the step, or goes on as the script says; it
// stands in the log with its words and in the transcript.
func TestRefusal(t *testing.T) {
	no := "  \"rules/seen/witness-1\": [\"no\", \"@initials\"]\n  \"rules/because/witness-1\": \"the text was another one\"\n"
	for name, goOn := range map[string]bool{"stop": false, "continue": true} {
		t.Run(name, func(t *testing.T) {
			change := in("rules", "\n    title:", "\n    on_refusal: "+name+"\n    title:")
			st, err := play(t, "root-ca", change, no+"  \"rules/on-failure/*\": [\"again\"]\n"+stopAtMachine)
			entries := aborted(t, st, err)
			attempts, effect := 0, ""
			for _, e := range entries {
				switch d := e.Data.(type) {
				case *audit.StepBegin:
					if e.Step == "rules" {
						attempts++
					}
				case *audit.Refusal:
					if effect = d.Effect; d.Person != "witness-1" || d.As != "witness" || d.Because != "the text was another one" {
						t.Errorf("entry %d: %+v", e.Seq, d)
					}
				}
			}
			if effect != name || (attempts == 1) != goOn {
				t.Errorf("effect %q, %d attempts", effect, attempts)
			}
		})
	}
	t.Run("actor", func(t *testing.T) {
		change := in("rules", "\n    title:", "\n    on_refusal: continue\n    title:")
		st, err := play(t, "root-ca", change, "  \"rules/done/administrator\": \"no\"\n  \"rules/because/*\": \"I was interrupted\"\n"+abortOnFailure)
		if got := ended(aborted(t, st, err), "rules"); got == ceremony.Done {
			t.Error("the step is done against the one who acts")
		}
	})
}

// TestLeaveAndReturn: a step waits for a witness who left, and goes on when the
// witness is back.
func TestLeaveAndReturn(t *testing.T) {
	for name, more := range map[string]string{
		"asked for": "  \"rules/menu/*\": [\"leave\"]\n  \"rules/back/witness-1\": \"back\"\n  \"rules/done/administrator\": [\"!\", \"@initials\"]\n",
		"returns":   "  \"rules/menu/*\": [\"leave\", \"return\"]\n  \"rules/who-returns/*\": \"witness-1\"\n  \"rules/done/administrator\": [\"!\", \"!\", \"@initials\"]\n",
		"a machine": "  \"rules/menu/*\": [\"leave\"]\n  \"machine/back/witness-1\": \"back\"\n  \"rules/seen/witness-2\": [\"!\", \"@initials\"]\n",
	} {
		t.Run(name, func(t *testing.T) {
			st, err := play(t, "root-ca", nil, more+"  \"rules/who-leaves/*\": \"witness-1\"\n  \"rules/leaves-because/*\": \"a call\"\n"+stopAtMachine)
			var got []bool
			away := false
			for _, e := range aborted(t, st, err) {
				switch d := e.Data.(type) {
				case *audit.Presence:
					away = !d.Present
					got = append(got, d.Present)
				case *audit.Ack:
					if away && d.Person == "witness-1" {
						t.Errorf("entry %d: an answer of somebody who is away", e.Seq)
					}
				}
			}
			if !slices.Equal(got, []bool{false, true}) {
				t.Errorf("presence: %v", got)
			}
		})
	}
}

// alternates adds an alternate for witness-1.
func alternates(s string) string {
	return strings.Replace(s, "  - id: witness-2\n", "  - id: deputy\n    name: Example Deputy Witness\n    initials: EDW\n    roles: [internal-witness]\n    alternate_for: witness-1\n  - id: witness-2\n", 1)
}

// TestAlternate: an alternate takes the place of somebody absent in every step
// that names them, in a whole ceremony that verifies; and is asked nothing when
// the other is there.
func TestAlternate(t *testing.T) {
	st, err := play(t, "root-ca", both(alternates, approves("root-certificate")), "  \"roll-call/present/witness-1\": \"no\"\n  \"*/passphrase/deputy\": \"planted-quiet-harbour\"\n  \"*/approve-passphrase/deputy\": \"planted-quiet-harbour\"\n"+phrasesTyped+allApprove)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	if got := said(entries, "root-certificate"); !slices.Equal(got, []string{"so-custodian approved", "deputy approved"}) {
		t.Errorf("approvals: %q", got)
	}
	acks := 0
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.Ack:
			if d.Person == "witness-1" {
				t.Errorf("entry %d: an answer of somebody absent", e.Seq)
			}
			if d.Person == "deputy" && d.As == "witness" {
				acks++
			}
		case *audit.Clock:
			if d.Person != "deputy" {
				t.Errorf("entry %d: %s read the clock", e.Seq, d.Person)
			}
		}
	}
	if acks < 15 {
		t.Errorf("the alternate acknowledged %d times", acks)
	}

	st, err = play(t, "root-ca", alternates, stopAtMachine)
	for _, e := range aborted(t, st, err) {
		if d, ok := e.Data.(*audit.Ack); ok && d.Person == "deputy" && d.As == "witness" && e.Step == "rules" {
			t.Errorf("entry %d: an alternate who takes no place is asked", e.Seq)
		}
	}
}

// TestRollCallFloor: the ceremony does not start without the auditor of a root,
// whomever the script requires, nor without those who have to approve; it says
// who is missing. After that the roll call is held again.
func TestRollCallFloor(t *testing.T) {
	optional := in("roll-call", "    say: >-", "    required: [administrator]\n    say: >-")
	for who, want := range map[string]string{"witness-2": "independent-witness", "witness-1": "only 1 of those who came can approve it"} {
		t.Run(who, func(t *testing.T) {
			rule := strings.Replace("\n    approve:\n      count: 2\n      of: [internal-witness, user-custodian]\n    title:", "", "", 1)
			st, err := play(t, "root-ca", both(optional, in("rules", "\n    title:", rule)), "  \"roll-call/present/"+who+"\": [\"no\", \"yes\"]\n  \"roll-call/on-failure/*\": [\"again\"]\n  \"*/passphrase/*\": \"planted-common-word\"\n  \"*/approve-passphrase/*\": \"planted-common-word\"\n  \"*/approve/*\": \"@initials\"\n"+stopAtMachine)
			entries := aborted(t, st, err)
			if p := problems(entries); !strings.Contains(p, "the ceremony cannot start") || !strings.Contains(p, want) {
				t.Errorf("problems: %s", p)
			}
			if ended(entries, "rules") != ceremony.Done {
				t.Error("the ceremony did not start once everybody was there")
			}
		})
	}
}

// TestDeviationApproved: where the script says whose approval it takes, a step
// is not left out without it.
func TestDeviationApproved(t *testing.T) {
	rule := func(s string) string {
		return strings.Replace(s, "\nparticipants:", "\ndeviations:\n  approve:\n    count: 2\n    of: [so-custodian, internal-witness, independent-witness]\n\nparticipants:", 1)
	}
	fails := "  \"machine/room-time/witness-1\": \"2020-01-01 00:00:00\"\n  \"machine/expected/*\": \"clocks that agree\"\n  \"machine/happened/*\": \"they do not\"\n  \"machine/decided/*\": \"to go on\"\n  \"machine/deviation/*\": \"@initials\"\n"
	st, err := play(t, "root-ca", rule, fails+phrasesTyped+allApprove+"  \"machine/on-failure/*\": [\"skip\"]\n  \"see-token/on-failure/*\": \"abort\"\n  \"see-token/ready/administrator\": \"no\"\n  \"see-token/because/*\": \"enough was seen\"\n"+meant)
	entries := aborted(t, st, err)
	if got := ended(entries, "machine"); got != ceremony.Skipped || len(said(entries, "machine")) != 2 {
		t.Errorf("the step is %q, approvals %q", got, said(entries, "machine"))
	}
	st, err = play(t, "root-ca", rule, fails+phrasesTyped+allApprove+"  \"machine/approve/so-custodian\": \"no\"\n  \"machine/because/*\": \"it can be mended\"\n  \"machine/on-failure/*\": [\"skip\", \"abort\"]\n"+meant)
	if got := ended(aborted(t, st, err), "machine"); got == ceremony.Skipped {
		t.Error("the step was left out without the approvals")
	}
}
