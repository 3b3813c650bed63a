package steps_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/cardtest"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/steps"
)

// acts says by what entry a step of each kind has acted: the call that is made
// for it, or the kind of what it writes down.
var acts = map[string]string{
	"attendance": "attendance", "statement": "ack", "freshness": "freshness", "environment": "environment",
	"token-identify": "token", "token-inventory": "inventory", "login-proof": "C_Login",
	"token-init": "C_InitToken", "set-so-pin": "C_SetPIN", "set-user-pin": "C_InitPIN",
	"pin-change": "C_SetPIN", "pin-unblock": "C_InitPIN", "secret-check": "share-check",
	"generate-key": "C_GenerateKeyPair", "key-identify": "key", "key-destroy": "C_DestroyObject", "token-wipe": "C_InitToken",
	"self-sign-root": "C_Sign", "sign-csr": "C_Sign", "sign-crl": "C_Sign", "sign-file": "C_Sign",
	"export": "export", "media": "export", "materials": "typed-back", "custody": "custody", "handover": "typed-back",
	"evidence": "evidence", "clock": "clock", "deviation": "answer", "verdict": "verdict", "cosign": "ack",
	"pause": "answer", "close": "close",
	"dkek-create-share": "dkek-share", "dkek-import": "dkek-import", "key-wrap": "key-wrap", "key-unwrap": "key-unwrap", "key-compare": "C_Sign",
}

// A fault is one way in which a step lacks the people that it needs.
type fault struct {
	name  string
	said  told     // what the room does in place of the answers that it has
	asked []string // what has to have been asked for, "what/person": the fault took place
	why   func([]*audit.Entry) bool
	later func(room.Step) bool // whether it comes after the act, which can be undone: then the step is not done
}

// Who acts on a token is asked before; who watches only if it cannot be undone.
func touchesNothing(m room.Step) bool { return m.Effect == "" }
func canBeUndone(m room.Step) bool    { return m.Irreversible == "" }

// told are the answers of an attempt, in order, by "what/person".
type told map[string][]string

// more is what is said in a fault and, after it, that the step is tried again.
func (s told) more(again string) told {
	s = maps.Clone(s)
	s["on-failure/administrator"] = append(slices.Clone(s["on-failure/administrator"]), again)
	return s
}

// The people of the matrix: the administrator acts, the two custodians approve,
// with keys or the second with a passphrase, and two watch.
const (
	actor, first, second = "administrator", "so-custodian", "user-custodian"
	seer                 = "witness-2"
)

// none are the faults that keep a step of any kind but the roll call from its
// act.
var none = []fault{
	{name: "too few people", said: told{
		"approve/" + first: {"!", "ESC"}, "menu/" + actor: {"leave", "return"}, "who-leaves/" + actor: {second}, "leaves-because/" + second: {"a call"},
		"approver-back/" + actor: {"nobody"}, "on-failure/" + actor: {"!"}, "who-returns/" + actor: {second},
	}.more("repeat"), asked: []string{"approver-back/" + actor}, why: all(away(second, "a call"), problem("nobody else can be asked now"))},
	{name: "wrong person", said: told{
		"approve/" + first: {"ECA", "ESC"}, "approval-signature/" + first: {forged, "none"},
	}.more("repeat"), asked: []string{"approval-signature/" + first}, why: all(answer("the initials of Example Ceremony Administrator"),
		answer("does not verify"), approval(first, "no signature"), problem("1 approved: nobody else can be asked now"))},
	{name: "same person twice", said: told{
		"approve/" + second: {"ESC", "EUC"}, "approve-passphrase/" + second: {"one of my own", "one of my own", "one of my own"},
		"approval-signature/" + second: {others, "none"},
	}.more("repeat"), asked: []string{"approve/" + second}, why: all(answer("the initials of Example SO-PIN Custodian"),
		approval(first, "approved"), either(approval(second, "no more tries"), all(answer("does not verify"), approval(second, "no signature"))),
		problem("1 approved: nobody else can be asked now"))},
	{name: "an approver does not agree", said: told{
		"approve/" + first: {"no"}, "because/" + first: {"the bag was open"},
	}.more("again"), asked: []string{"because/" + first}, why: all(refusal(first, "approver", "the bag was open"), problem("the bag was open"))},
	{name: "the actor does not agree", later: touchesNothing, said: told{
		"ready/" + actor: {"EIA", "no"}, "done/" + actor: {"EIA", "no"}, "because/" + actor: {"I am not well"},
	}.more("again"), asked: []string{"because/" + actor}, why: all(answer("the initials of Example Independent Auditor"), refusal(actor, "actor", "I am not well"), problem("I am not well"))},
	{name: "a witness does not agree", later: canBeUndone, said: told{
		"ready/" + seer: {"EIW", "no"}, "seen/" + seer: {"EIW", "no"}, "because/" + seer: {"I could not see it"},
		"on-failure/" + actor: {"!"}, "menu/" + actor: {"leave"}, "who-leaves/" + actor: {seer}, "leaves-because/" + seer: {"a fetched paper"},
	}.more("again"), asked: []string{"because/" + seer}, why: all(answer("the initials of Example Internal Witness"), refusal(seer, "witness", "I could not see it"), problem("I could not see it"))},
	{name: "a witness is away", said: told{"back/" + seer: {"!", "back"}, "menu/" + actor: {"continue"}}, asked: []string{"back/" + seer},
		why: func(part []*audit.Entry) bool {
			p, _ := entriesOf[*audit.Presence](part)
			return len(p) == 1 && p[0].Person == seer && p[0].Present
		}},
}

// goesOn are those where the script says that a no does not stop the step: it
// stops it all the same if too few approve, or if it is that of the one who
// acts. What a witness says is kept, and the step goes on.
var goesOn = []fault{
	{name: "an approver does not agree and the script goes on", said: told{
		"approve/" + first: {"no"}, "because/" + first: {"the bag was open"},
	}.more("again"), asked: []string{"because/" + first}, why: all(refusal(first, "approver", "the bag was open"), approval(first, "does not approve"), problem("1 approved: nobody else can be asked now"))},
	{name: "the actor does not agree and the script goes on", later: touchesNothing, said: told{
		"ready/" + actor: {"no"}, "done/" + actor: {"no"}, "because/" + actor: {"I am not well"},
	}.more("again"), asked: []string{"because/" + actor}, why: all(refusal(actor, "actor", "I am not well"), problem("I am not well"))},
	{name: "a witness does not agree and the script goes on", said: told{
		"ready/" + seer: {"no"}, "seen/" + seer: {"no"}, "because/" + seer: {"I could not see it", "I still cannot"},
	}, asked: []string{"because/" + seer}, why: refusal(seer, "witness", "I could not see it")},
}

// atRollCall are those of the roll call, which nobody approves.
var atRollCall = []fault{
	{name: "too few people", said: told{"present/" + first: {"no"}, "alternate/" + actor: {"nobody"}}.more("again"), asked: []string{"present/" + first}, why: problem("must be here and is absent")},
	{name: "a witness is away", said: told{"present/" + seer: {"no"}, "alternate/" + actor: {"nobody"}}.more("again"), asked: []string{"present/" + seer}, why: problem("must be here and is absent")},
	{name: "wrong person", said: told{"done/" + actor: {"EIA", "no"}, "because/" + actor: {"they typed, not I"}}.more("again"), asked: []string{"because/" + actor},
		why: all(answer("the initials of Example Independent Auditor"), refusal(actor, "actor", "they typed, not I"))},
	{name: "same person twice", said: told{"seen/" + seer: {"EIW", "no"}, "because/" + seer: {"they typed for me"}}.more("again"), asked: []string{"because/" + seer},
		why: all(answer("the initials of Example Internal Witness"), refusal(seer, "witness", "they typed for me"))},
	{name: "nothing is missing"},
}

// A play is a script in which steps of some kinds are tried with one fault after
// the other, and in the end without.
type matrixPlay struct {
	script  func(*testing.T) string
	answers string
	kinds   []string
	cards   bool // on two simulated cards under the real OpenSC
	card    bool // on a card in memory that stands in for another one
	phrase  bool // the second custodian approves with a passphrase, which costs time
}

// The scripts that together have a step of each kind, with all that must come
// before it.
var matrix = []matrixPlay{
	{
		script: func(t *testing.T) string {
			s := template(t, "root-ca-with-sub-ca")
			s = before("hand-out", pinSteps)(withActs(withCodeKey("P-256")(s)))
			s = in("film", "witnesses: [witness-1]", "witnesses: [witness-1, witness-2]")(s)
			s = before("see-token", "  - id: lunch\n    kind: pause\n    title: Lunch\n    actor: administrator\n    witnesses: [witness-1, witness-2]\n    reason: an hour\n")(s)
			return before("deviations", drop(destroySteps, "nothing-left"))(s)
		},
		answers: strings.NewReplacer(`["a00174424", "A 0017 4423"]`, `"A 0017 4423"`, `["yes", "@word"]`, `"@word"`,
			`["73920461", "84031572"]`, `["73920461", "84031572", "84031572"]`, `"wipe/so-pin-current/*": "6029384715263748"`, `"wipe/so-pin-current/*": "7130495826374859"`).
			Replace(actAnswers+fileCompared+pinAnswers+destroyAnswers) + `  "destroy-root/user-pin-current/*": "95142683"
  "wipe/user-pin-current/*": "95142683"
` + `  "tls-ca-certificate/csr-sha256/*": "@word"
  "lunch/break/*": "stays"
  "*/headcount/*": "yes"
`,
		kinds: slices.DeleteFunc(slices.Sorted(maps.Keys(steps.Kinds())), func(k string) bool {
			return k == "secret-check" || k == "key-identify" || slices.Contains(backupKinds, k)
		}),
	},
	{
		script: func(t *testing.T) string {
			return strings.Replace(later(t, zeros, ""), "label: Example Root CA R1", "label: SmartCard-HSM (UserPIN)", 1)
		},
		answers: "  \"*/user-pin-current/*\": \"648219\"\n",
		kinds:   []string{"key-identify"}, card: true, phrase: true,
	},
	{
		script: func(t *testing.T) string {
			return in("prove-login", "  - id: prove-login", "  - id: look\n    kind: secret-check\n    title: Look at the shares\n    actor: administrator\n    witnesses: [witness-1, witness-2]\n    token: hsm\n    pin: user\n\n  - id: prove-login")(sharesOf(template(t, "root-ca")))
		},
		answers: shareAnswers, kinds: []string{"secret-check"}, phrase: true,
	},
	{
		script: func(t *testing.T) string {
			return strings.ReplaceAll(backupScript(1)(template(t, "root-ca")), "DENK0000000", "ZZSIM000001")
		},
		answers: backupAnswers, kinds: backupKinds, cards: true, phrase: true,
	},
}

var backupKinds = []string{"dkek-create-share", "dkek-import", "key-wrap", "key-unwrap", "key-compare"}

var actorLine = regexp.MustCompile(`\n    actor: [a-z-]+\n`)

// approved makes the administrator act in every step of a script, and the two
// custodians approve those of some kinds, the first that is there of each.
func (p *matrixPlay) steps(script string, goOn bool) (changed string, tried map[string]string) {
	tried = map[string]string{}
	head, list, _ := strings.Cut(script, "\nsteps:\n")
	list = actorLine.ReplaceAllString(list, "\n    actor: administrator\n")
	more := "    approve:\n      count: 2\n      of: [so-custodian, user-custodian]\n"
	if goOn {
		more += "    on_refusal: continue\n"
	}
	for _, kind := range p.kinds {
		at := strings.Index(list, "\n    kind: "+kind+"\n")
		if at < 0 {
			continue
		}
		start := strings.LastIndex(list[:at], "  - id: ") + len("  - id: ")
		id, _, _ := strings.Cut(list[start:], "\n")
		tried[id] = kind
		if kind != "attendance" {
			end := at + len("\n    kind: "+kind+"\n")
			list = list[:end] + more + list[end:]
		}
	}
	return head + "\nsteps:\n" + list, tried
}

// TestMatrix: no step of any kind is done without the people it needs, each by
// their own word; why it was not done stands in the log; and the same step of the
// same script is done once nothing is missing.
func TestMatrix(t *testing.T) {
	seen := map[string]bool{}
	for i := range matrix {
		for name, goOn := range map[string]bool{"stop": false, "continue": true} {
			t.Run(fmt.Sprint(i, name), func(t *testing.T) { matrix[i].play(t, goOn, seen) })
		}
	}
	for kind := range steps.Kinds() {
		want := slices.Concat(none, goesOn)
		if kind == "attendance" {
			want = atRollCall
		}
		for _, f := range want {
			if !seen[kind+"/"+f.name] {
				t.Errorf("the matrix has no cell %s/%s", kind, f.name)
			}
		}
	}
}

// TestMatrixTwice: whatever the kind of a step, no script has one person act and
// watch, act and approve, or count twice among those who approve.
func TestMatrixTwice(t *testing.T) {
	for i := range matrix {
		script, tried := matrix[i].steps(matrix[i].script(t), false)
		for id, kind := range tried {
			for want, change := range map[string]func(string) string{
				"acts in this step and cannot be its witness, too": in(id, "witnesses: [witness-1, witness-2]", "witnesses: [witness-1, administrator]"),
				"acts in this step and cannot approve it, too":     in(id, "actor: administrator", "actor: so-custodian"),
				"2 have to approve, and besides the one who acts":  in(id, "of: [so-custodian, user-custodian]", "of: [user-custodian, crypto-officer]"),
			} {
				if kind == "attendance" && strings.Contains(want, "approve") {
					continue // nobody approves a roll call
				}
				changed := change(script)
				_, problems := ceremony.ParseAndCheck("s.yaml", []byte(changed), steps.Kinds())
				if changed == script || !strings.Contains(problems.Error(), want) {
					t.Errorf("%s: nothing says %q: %v", kind, want, problems)
				}
			}
		}
	}
}

func (p *matrixPlay) play(t *testing.T, goOn bool, seen map[string]bool) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	script, tried := p.steps(p.script(t), goOn)
	r := newTroubled(t, st, script, goOn, p.phrase, tried)
	if p.cards {
		cardtest.New(t, 2)
		st.opensc = openSC(t)
	}
	if p.card {
		st.card, st.stand = fake.NewSmartCardHSM("DENK0000000"), true
	}
	if err := st.prepare([]byte(merged(readAnswers(t), p.answers+matrixAnswers))); err != nil {
		t.Fatal(err)
	}
	if err := st.start(); err != nil {
		t.Fatalf("%v; problems: %s", err, problems(st.entries(t)))
	}
	if err := sound(st.bundle()); err != nil {
		t.Error(err)
	}
	all := st.entries(t)
	for id, kind := range tried {
		list := r.faults[id]
		acted := false
		for n, f := range list {
			last := n == len(list)-1
			seen[kind+"/"+f.name] = true
			t.Run(kind+"/"+f.name, func(t *testing.T) {
				r.took(t, id, n+1, f)
				acted = f.look(t, r.shown[id], attemptOf(all, id, n+1), last) || acted
			})
		}
		if !acted {
			t.Errorf("%s: nothing shows that the step acts when nothing is missing", kind)
		}
	}
}

// look judges an attempt. It reports whether the step acted in it.
func (f *fault) look(t *testing.T, m room.Step, part []*audit.Entry, last bool) (acted bool) {
	t.Helper()
	if len(part) == 0 {
		t.Fatal("there was no such attempt")
	}
	waits, result := f.name == "a witness is away" && m.Kind != "attendance", ""
	mayAct := last && !waits || f.later != nil && f.later(m) || m.Kind == "attendance"
	for _, e := range part {
		act := isAct(e, m.Kind)
		acted = acted || act
		if act && !mayAct {
			t.Errorf("entry %d: the step acts: %s", e.Seq, acts[m.Kind])
		}
		switch d := e.Data.(type) {
		case *audit.Presence:
			mayAct = mayAct || waits && d.Person == seer && d.Present
		case *audit.StepEnd:
			result = d.Result
		case *audit.HSMIntent:
			if !mayAct && acts[m.Kind] != "C_Sign" && d.Function != "C_Finalize" {
				t.Errorf("entry %d: %s is called", e.Seq, d.Function)
			}
		}
	}
	if (result == ceremony.Done) != last {
		t.Errorf("the attempt ended with %q", result)
	}
	if f.why != nil && !f.why(part) {
		t.Errorf("nothing says why; problems: %s", problems(part))
	}
	return acted
}
