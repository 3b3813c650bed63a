package steps_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

const actSteps = `  - id: bags-in
    kind: materials
    title: The bags are opened
    actor: administrator
    witnesses: [witness-1, witness-2]
    way: in
    items:
      - {name: token, bag: "A 0017 4423", seal: "S-9"}
    reader: administrator
    typist: witness-1

  - id: film
    kind: evidence
    title: The film
    actor: administrator
    witnesses: [witness-1]
    form: video
    shows: the bags being opened
    by: witness-2

`

const endSteps = `  - id: burn
    kind: media
    title: Write the medium
    actor: administrator
    witnesses: [witness-1, witness-2]
    files: [root.pem, root.crl.pem]
    to: burnt
    medium: CD-R 4711
    reader: witness-1
    typist: administrator

  - id: clock-again
    kind: clock
    title: The clocks once more
    actor: administrator
    witnesses: [witness-1, witness-2]
    clock_reader: witness-1
    max_offset: 120

  - id: bags-out
    kind: materials
    title: The bags are closed
    actor: administrator
    witnesses: [witness-1, witness-2]
    way: out
    items:
      - {name: token}
    reader: administrator
    typist: witness-1

  - id: leave
    kind: custody
    title: Who leaves with what
    actor: administrator
    witnesses: [witness-1, witness-2]
    items:
      - {item: the token, bag: asked, holder: so-custodian, place: safe 1}

  - id: give
    kind: handover
    title: The log changes hands
    actor: administrator
    witnesses: [witness-1, witness-2]
    log: Example ceremony of last week
    from: administrator
    to: user-custodian
    media:
      - {medium: CD-R 1, place: safe 1}
      - {medium: CD-R 2, place: safe 2}
    certificates_end: "2046-01-31"

`

const actAnswers = `  "bags-in/bag/*": ["a00174424", "A 0017 4423"]
  "bags-in/seal/*": "@word"
  "film/id/*": "card 12"
  "film/time-code/*": "00:17:03"
  "burn/sums-sha256/*": "@word"
  "clock-again/room-time/*": "@now"
  "bags-out/bag-read/*": "B-1"
  "bags-out/bag/*": "b-1"
  "leave/bag/*": "B-1"
  "*/takes/*": "@initials"
  "give/head/*": "` + zeros + `"
  "give/medium/*": "@word"
  "give/receipt/*": "@initials"
`

func withActs(s string) string {
	return before("deviations", endSteps)(before("see-token", actSteps)(s))
}

// TestActs: bags, film, medium, clocks, custody and hand-over stand in the log
// as they were said.
func TestActs(t *testing.T) {
	st, err := play(t, "root-ca", withActs, actAnswers)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	read, _ := entriesOf[*audit.TypedBack](all)
	var got []string
	for _, r := range read {
		got = append(got, strings.Join([]string{r.What, r.Value, r.Reader, r.Person, r.Compared}, "|"))
	}
	has(t, strings.Join(got, "\n"), "number of the bag of token|A 0017 4423|administrator|witness-1|the script", "number of the seal of token|S-9|",
		"SHA-256 of burnt/SHA256SUMS by the second machine|", "|what was written", "number of the bag of token|B-1|administrator|witness-1|what the reader typed",
		"head of the log|"+zeros+"|administrator|user-custodian|what the reader typed", "label of the medium|CD-R 1|", "label of the medium|CD-R 2|")
	if p := problems(all); !strings.Contains(p, `typed back as "a00174424"`) {
		t.Errorf("problems: %s", p)
	}
	film, _ := entriesOf[*audit.Evidence](all)
	if len(film) != 1 || *film[0] != (audit.Evidence{Form: "video", ID: "card 12", TimeCode: "00:17:03", Shows: "the bags being opened", Person: "witness-2"}) {
		t.Errorf("film: %+v", film)
	}
	took, _ := entriesOf[*audit.Custody](all)
	if len(took) != 3 || *took[0] != (audit.Custody{Item: "the token", Bag: "B-1", Person: "so-custodian", Place: "safe 1"}) || took[2].Place != "safe 2" {
		t.Errorf("custody: %+v", took)
	}
	clocks := entriesBySeq[*audit.Clock](all)
	drifts, _ := entriesOf[*audit.Drift](all)
	if len(drifts) != 1 || len(clocks) != 2 {
		t.Fatalf("clocks %v, drift %+v", clocks, drifts)
	}
	if d := drifts[0]; clocks[d.First] == nil || clocks[d.Last] == nil || d.First >= d.Last || d.DriftMS != clocks[d.Last].OffsetMS-clocks[d.First].OffsetMS || d.LimitMS != 10000 || d.Jumps != 0 {
		t.Errorf("drift: %+v", d)
	}
	has(t, results(all, "give"), "to be kept until: 2053-01-31 (7 years after the end of the last certificate, 2046-01-31)")
	if _, err := os.Stat(filepath.Join(st.dir, "burnt", "SHA256SUMS")); err != nil {
		t.Error(err)
	}
}

// TestRetention: without a date the last certificate of this ceremony counts.
func TestRetention(t *testing.T) {
	change := func(s string) string {
		return strings.Replace(withActs(s), "    certificates_end: \"2046-01-31\"\n", "    keep_years: 2\n", 1)
	}
	st, err := play(t, "root-ca", change, actAnswers)
	if err != nil {
		t.Fatal(err)
	}
	year := time.Now().UTC().AddDate(22, 0, 0).Format("2006-")
	has(t, results(st.entries(t), "give"), "to be kept until: "+year, "2 years after the end of root.pem")
}

// TestActsRefused: a number that is not the one of the script, heads that
// differ, clocks that have drifted.
func TestActsRefused(t *testing.T) {
	for name, c := range map[string]struct{ more, want string }{
		"another bag":         {"  \"bags-in/bag/witness-1\": [\"A1\", \"A2\", \"A3\"]\n", "is not the one by the script"},
		"another head":        {"  \"give/head/user-custodian\": \"" + strings.Repeat("1", 64) + "\"\n", "the two have different logs"},
		"another medium":      {"  \"burn/sums-sha256/administrator\": [\"1\", \"2\", \"3\"]\n", "is not the one by what was written"},
		"clocks that drifted": {"  \"machine/room-time/witness-1\": \"" + time.Now().UTC().Add(-60*time.Second).Format("2006-01-02 15:04:05") + "\"\n", "have drifted apart"},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := play(t, "root-ca", withActs, actAnswers+c.more+abortOnFailure)
			if p := problems(aborted(t, st, err)); !strings.Contains(p, c.want) {
				t.Errorf("problems: %s", p)
			}
		})
	}
}

func TestActsImpossible(t *testing.T) {
	for name, c := range map[string]struct{ old, fresh, path, want string }{
		"one person reads and types":  {"    typist: witness-1\n", "    typist: administrator\n", ".typist: ", "somebody else than reader"},
		"a bag without its number":    {"bag: \"A 0017 4423\", ", "", ".bag: ", "what number is expected"},
		"an item twice":               {"      - {name: token, bag: \"A 0017 4423\", seal: \"S-9\"}\n", "      - {name: token, bag: \"1\"}\n      - {name: token, bag: \"2\"}\n", ".name: ", "is there twice"},
		"a stranger films":            {"    by: witness-2\n", "    by: nobody\n", ".by: ", "is not a participant"},
		"one medium":                  {"      - {medium: CD-R 2, place: safe 2}\n", "", ".media: ", "at least two media"},
		"one place":                   {"      - {medium: CD-R 2, place: safe 2}\n", "      - {medium: CD-R 2, place: safe 1}\n", ".media: ", "at least two places"},
		"given to oneself":            {"    to: user-custodian\n", "    to: administrator\n", ".to: ", "somebody else than from"},
		"a head that is none":         {"    from: administrator\n    to: user", "    from: administrator\n    head: \"12\"\n    to: user", ".head: ", "64 hex digits or 32 words"},
		"a day that is none":          {"\"2046-01-31\"", "soon", ".certificates_end: ", "is not a day"},
		"kept too short":              {"    certificates_end: \"2046-01-31\"\n", "    keep_years: 1\n", ".keep_years: ", "expected 2 or more"},
		"an item taken twice":         {"      - {item: the token, bag: asked, holder: so-custodian, place: safe 1}\n", "      - {item: it, holder: so-custodian, place: safe 1}\n      - {item: it, holder: so-custodian, place: safe 1}\n", ".item: ", "is there twice"},
		"a medium with what is not":   {"files: [root.pem, root.crl.pem]\n    to: burnt", "files: [root.pem, other.pem]\n    to: burnt", ".files[2]: ", "does not exist by then"},
		"a drift that runs backwards": {"    clock_reader: witness-1\n    max_offset: 120\n\n  - id: bags-out", "    clock_reader: witness-1\n    max_drift: -1\n\n  - id: bags-out", ".max_drift: ", "0 or more"},
		"a second clock and no first": {"    kind: environment\n", "    kind: clock\n", "steps[", "were not compared before"},
	} {
		t.Run(name, func(t *testing.T) { impossible(t, "root-ca", withActs, swap(c.old, c.fresh), c.path, c.want) })
	}
}

// TestInterject: a question and an incident are written down at a prompt, and
// the step goes on.
func TestInterject(t *testing.T) {
	more := `  "rules/done/administrator": ["!", "!", "@initials"]
  "rules/menu/*": ["question", "incident"]
  "rules/asked-by/*": ["XX", "EIA"]
  "rules/question/*": "Is the network cable out?"
  "rules/answered-by/*": "ECA"
  "rules/answer/*": "Yes, since this morning."
  "rules/reported-by/*": "EIW"
  "rules/incident/*": "The light flickered."
  "rules/action/*": "The lamp was exchanged."
`
	st, err := play(t, "root-ca", nil, more)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	asked, _ := entriesOf[*audit.Asked](all)
	if len(asked) != 1 || *asked[0] != (audit.Asked{Person: "witness-2", Question: "Is the network cable out?", Answerer: "administrator", Answer: "Yes, since this morning."}) {
		t.Errorf("asked: %+v", asked)
	}
	incidents, _ := entriesOf[*audit.Incident](all)
	if len(incidents) != 1 || *incidents[0] != (audit.Incident{Person: "witness-1", What: "The light flickered.", Action: "The lamp was exchanged."}) {
		t.Errorf("incidents: %+v", incidents)
	}
	if ended(all, "rules") != "done" {
		t.Error("the step was lost")
	}
}
