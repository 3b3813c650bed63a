package steps_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// sharedEnv has a child hold a short ceremony whose PINs are in shares.
const sharedEnv = "KEYRITE_TEST_SHARED"

// A written keeps what its people wrote down beside the bundle, as paper outlives a
// power cut, and types it back.
type written struct {
	room.Room
	file  string
	slips map[string][]string
}

func writing(r room.Room, dir string) *written {
	p := &written{Room: r, file: filepath.Join(dir, "paper.json"), slips: map[string][]string{}}
	b, err := os.ReadFile(p.file)
	if err == nil {
		err = json.Unmarshal(b, &p.slips)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		panic(err)
	}
	return p
}

func (p *written) Private(q room.Prompt, s room.Slip) error {
	var rows []string
	for _, row := range s.Rows {
		row.Reveal(func(b []byte) { rows = append(rows, string(b)) })
	}
	p.slips[q.Person+"|"+s.Name] = rows
	b, err := json.Marshal(p.slips)
	if err == nil {
		err = os.WriteFile(p.file, b, 0o600)
	}
	if err != nil {
		panic(err)
	}
	return p.Room.Private(q, s)
}

func (p *written) Secret(q room.Prompt) (token.PIN, error) {
	if rows := p.slips[q.Person+"|"+q.Slip]; q.Row > 0 && q.Row <= len(rows) {
		return token.NewPIN([]byte(rows[q.Row-1])), nil
	}
	return p.Room.Secret(q)
}

// sharedScript is a ceremony that makes both PINs and uses them.
const sharedScript = `keyrite: 1
title: Example PINs in shares
organisation: Example Trust Services
place: Ceremony room 1, Example City
purpose: Show what becomes of shares in a break.
mode: rehearsal
participants:
  - {id: administrator, name: Example Ceremony Administrator, initials: ECA, roles: [ceremony-administrator, operator]}
  - {id: so-1, name: Example Custodian 1, initials: ECP, roles: [so-pin-custodian]}
  - {id: so-2, name: Example Custodian 2, initials: ECQ, roles: [so-pin-custodian]}
  - {id: user-1, name: Example Custodian 3, initials: ECR, roles: [user-pin-custodian]}
  - {id: user-2, name: Example Custodian 4, initials: ECS, roles: [user-pin-custodian]}
tokens:
  - name: hsm
    model: softhsm2
    serial: any
    label: Example Token
    so_pin: {way: shares, custodians: [so-1, so-2], threshold: 2}
    user_pin: {way: shares, custodians: [user-1, user-2], threshold: 2}
steps:
  - {id: roll-call, kind: attendance, title: Roll call, actor: administrator}
  - {id: see-token, kind: token-identify, title: Find the token, actor: administrator, token: hsm}
  - {id: init-token, kind: token-init, title: Initialise the token, actor: administrator, token: hsm}
  - {id: new-so-pin, kind: set-so-pin, title: Replace the SO-PIN, actor: administrator, token: hsm}
  - {id: user-pin, kind: set-user-pin, title: Set the user PIN, actor: administrator, token: hsm, way: by-so}
  - {id: prove-login, kind: login-proof, title: Log in, actor: administrator, token: hsm}
  - {id: the-end, kind: close, title: Close, actor: administrator}
`

const sharedAnswers = `keyrite-answers: 1
answers:
  "*/*/*": "@initials"
  "*/present/*": "yes"
  "*/so-pin-current/so-1": "3537363231383830"
  "*/differs/*": "on"
` + shareAnswers

// share sets a child up for the short ceremony.
func (st *stage) share(more string) error {
	st.script = []byte(sharedScript)
	st.room = func(r room.Room) room.Room { return writing(r, st.dir) }
	return st.prepare([]byte(sharedAnswers + more))
}

// sets are what the entries say of sets of shares.
type sets struct {
	shown  map[string][]string // by tag: who saw one
	dealt  map[string]int
	void   map[string][]string
	opened map[string]bool // steps in which shares were joined
}

func setsOf(entries []*audit.Entry) sets {
	s := sets{map[string][]string{}, map[string]int{}, map[string][]string{}, map[string]bool{}}
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.ShareShown:
			s.shown[d.Set] = append(s.shown[d.Set], d.Person)
		case *audit.Share:
			s.dealt[d.Set]++
		case *audit.ShareVoid:
			s.void[d.Set] = append(s.void[d.Set], d.People...)
		case *audit.Secret:
			s.opened[e.Step] = s.opened[e.Step] || d.Part == "share" && d.Result == "accepted"
		}
	}
	return s
}

func voids(entries []*audit.Entry) (list []*audit.ShareVoid) {
	for _, e := range entries {
		if d, ok := e.Data.(*audit.ShareVoid); ok {
			list = append(list, d)
		}
	}
	return list
}

// judge says what is wrong with what became of the sets: two are in use, and every
// other one of which somebody saw a share is void, for all who did.
func (s sets) judge() error {
	inUse := 0
	for tag, people := range s.shown {
		void, isVoid := s.void[tag]
		switch {
		case isVoid && !slices.Equal(void, people):
			return fmt.Errorf("set %s was seen by %v and declared void for %v", tag, people, void)
		case isVoid:
		case s.dealt[tag] == 2:
			inUse++
		default:
			return fmt.Errorf("set %s was seen by %v and is neither in use nor void", tag, people)
		}
	}
	if inUse != 2 {
		return fmt.Errorf("%d sets are in use, want one of each PIN: %+v", inUse, s)
	}
	for _, step := range []string{"user-pin", "prove-login"} {
		if !s.opened[step] {
			return fmt.Errorf("no share opened the token in step %s", step)
		}
	}
	return nil
}

// TestSharesKilled kills a ceremony around each durable commit of the steps that
// make shares. It ends after a resume; shares that somebody saw of a PIN that was
// lost are void, and those that count open the token.
func TestSharesKilled(t *testing.T) {
	t.Setenv(sharedEnv, "yes")
	dir := t.TempDir()
	first := filepath.Join(dir, "whole")
	if err := os.Mkdir(first, 0o755); err != nil {
		t.Fatal(err)
	}
	commits := tracedIn(t, first)
	from := slices.Index(commits, "share-shown")
	to := len(commits) - 1 - slices.Index(reversed(commits), "hsm-outcome:C_InitPIN")
	if from < 0 || to < from {
		t.Fatalf("the commits: %v", commits)
	}
	var cases []string
	for n := from; n <= to+1; n++ {
		cases = append(cases, "before "+strconv.Itoa(n+1))
		if strings.HasPrefix(commits[n], "hsm-intent") {
			cases = append(cases, "after "+strconv.Itoa(n+1))
		}
	}
	var mu sync.Mutex
	void := 0
	work := make(chan string)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for c := range work {
				n, err := killAmongShares(filepath.Join(dir, strings.ReplaceAll(c, " ", "-")), c, commits)
				if err != nil {
					t.Errorf("killed %s (%s): %v", c, commits[number(c)-1], err)
				}
				mu.Lock()
				void += n
				mu.Unlock()
			}
		})
	}
	for _, c := range cases {
		work <- c
	}
	close(work)
	wg.Wait()
	t.Logf("%d cases of %d commits, %d sets declared void", len(cases), len(commits), void)
	if void < len(cases)/3 { // the others were killed before anybody saw a share, or after the PIN was set
		t.Errorf("only %d sets were declared void in %d breaks", void, len(cases))
	}
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func killAmongShares(dir, kill string, commits []string) (voided int, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if out, err := spawn(dir, "start", kill, "", ""); err == nil || !strings.Contains(err.Error(), "killed") {
		return 0, fmt.Errorf("the child was not killed: %v\n%s", err, out)
	}
	side, _, _ := strings.Cut(kill, " ")
	if out, err := spawn(dir, "resume", "", resumeAnswers(side, commits[number(kill)-2]), ""); err != nil {
		return 0, fmt.Errorf("resuming: %v\n%s", err, tail(out))
	}
	bundle := filepath.Join(dir, "bundle")
	if err := sound(bundle); err != nil {
		return 0, err
	}
	entries, err := entriesIn(bundle)
	if err != nil {
		return 0, err
	}
	s := setsOf(entries)
	return len(s.void), s.judge()
}

// TestSharesPaused pauses between two custodians: who has a share already destroys
// it after the break, before anything new is shown.
func TestSharesPaused(t *testing.T) {
	st := &stage{dir: t.TempDir(), out: io.Discard}
	st.answers = filepath.Join(st.dir, "answers.yaml")
	if err := st.share("  \"new-so-pin/so-pin-alone/so-2\": \"!\"\n  \"*/menu/*\": \"pause\"\n  \"*/reason/*\": \"lunch\"\n"); err != nil {
		t.Fatal(err)
	}
	var stop *ceremony.Stop
	if err := st.start(); !errors.As(err, &stop) || stop.Abort {
		t.Fatalf("expected a pause, got %v", err)
	}
	if err := st.share(resumeAnswers("before", "")); err != nil {
		t.Fatal(err)
	}
	if err := st.resume(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	if err := setsOf(entries).judge(); err != nil {
		t.Error(err)
	}
	if v := voids(entries); len(v) != 1 || !slices.Equal(v[0].People, []string{"so-1"}) || v[0].Because != "the step broke off before the PIN was given to the token" {
		t.Errorf("declared void: %+v", v)
	}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Answer); ok && strings.Contains(d.Question, "destroyed") && (d.Person != "so-1" || d.Value != "destroyed") {
			t.Errorf("entry %d: %+v", e.Seq, d)
		}
	}
}
