// Package room is what the room sees and types: the seam between a ceremony
// and a screen. internal/room/plain is the line-by-line one; answers feeds
// prompts from a file in a rehearsal. A room holds no logic of the ceremony.
package room

import (
	"errors"
	"time"

	"github.com/keyrite/keyrite/internal/token"
)

// A Room shows things to everybody and asks people.
//
// Ask and Secret return ErrInterrupted when somebody pressed Ctrl-C at the
// prompt (the prompt can be asked again) and ErrGone when nobody can answer any
// more: the terminal was closed, or an answers file has no answer.
type Room interface {
	// Show presents a message.
	Show(Message)
	// Busy says that something takes time and shows the time passing until the
	// returned function is called.
	Busy(what string, expect time.Duration) (done func())
	// Ask asks a person for a line of text, echoed, without its line end and
	// surrounding space.
	Ask(Prompt) (string, error)
	// Secret asks a person for a secret, not echoed. An empty line is returned
	// as an empty PIN and no error; a failed read is an error, and so is what
	// cannot be a secret (ErrMistyped).
	Secret(Prompt) (token.PIN, error)
	// Private shows a slip to one person, once, on a screen cleared for it, waits
	// until that person presses Enter and clears screen and scrollback again,
	// whatever comes of the waiting. It is an error that nothing was shown on, if
	// the output is no terminal: a slip is written to no file. Errors as those of
	// Secret.
	Private(Prompt, Slip) error
}

var (
	// ErrInterrupted means that Ctrl-C was pressed at a prompt.
	ErrInterrupted = errors.New("interrupted at the prompt")
	// ErrGone means that nobody can answer any more.
	ErrGone = errors.New("nobody can answer any more")
	// ErrMistyped means that what was typed as a secret cannot be one: nothing
	// was taken, and the prompt can be asked again.
	ErrMistyped = errors.New("mistyped")
)

// A Prompt is a question to one person.
type Prompt struct {
	Key      string   // where an answers file finds it: "step-id/what/person-id"
	Person   string   // who is asked, as shown: "Łukasz Example (LE)"
	Question string   // one line or a few
	Choices  []Choice // if any, the answer is one of their Words, or begins with "!"
	Initials string   // the person's initials, what "@initials" in an answers file stands for
	Word     string   // the word asked for, what "@word" stands for
	Slip     string   // the name of the slip that is typed back, and
	Row      int      // which row of it, from 1: what "@slip" stands for
}

// A Choice is one possible answer.
type Choice struct {
	Word string // what is typed
	Does string // what it means
}

// A Slip is what one person alone may see: a share of a secret.
type Slip struct {
	Name  string      // what it is called in a prompt for its rows
	Title string      // what it is
	Lines []string    // what belongs to it and is no secret
	Rows  []token.PIN // the secret, row by row; the caller wipes them
	Code  [][]bool    // the same as a QR code, true is dark; nil if there is none
}

// A Message is something shown to the room: one of the types below.
type Message any

// Step announces a step before anything happens.
type Step struct {
	Number, Of   int
	ID, Kind     string
	Title        string
	Actor        string   // shown name
	Witnesses    []string // shown names
	Say          string   // what is said and done
	Watch        string   // what the witnesses look at
	Effect       string   // what is about to happen on the token; "" if nothing
	Irreversible string   // why it cannot be undone; "" if it can
	Attempt      int
}

// StepDone says how a step ended.
type StepDone struct {
	Number, Of int
	Title      string
	Result     string // "done", "failed", "skipped"
}

// Ceremony says what is held here and how far it is: before the first step,
// and again after a break. A room that shows one thing after the other may
// leave it out, as it may LogState and TokenState: they keep in view what other
// messages say once.
type Ceremony struct {
	Title     string
	Place     string
	Rehearsal bool
	Plan      []PlanStep // in order; Step.Number counts from 1
}

// PlanStep is a step of the ceremony and how it ended, "" if it did not yet.
type PlanStep struct{ Title, Result string }

// LogState is the log's size and head after each durable entry.
type LogState struct {
	Size int64    // entries
	Head string   // hex
	In   []string // the head in words
}

// TokenState is what a token said of itself last.
type TokenState struct {
	Name, Label, Serial string
	PINs                []PINState
	User                string // who is logged in; "" if nobody
}

// PINState says how many tries of a PIN are left, as far as the token tells.
type PINState struct {
	Name  string
	Tries string // for people
	Alarm bool   // tries were lost
}

// Fact is a name and a value. Big ones are meant to be read aloud: hex in
// groups of four.
type Fact struct {
	Name, Value string
	Big         bool
}

// Text is a paragraph for the room.
type Text struct{ Text string }

// Verbatim is a text that is copied from the screen: its lines stand as they
// are, however wide, from the first column on.
type Verbatim struct{ Text string }

// Warning is something the room must know but that stops nothing.
type Warning struct{ Text string }

// Failure is something that went wrong and what to do about it.
type Failure struct{ What, RV, Hint string }

// Table has rows of equal length under a header.
type Table struct {
	Header []string
	Rows   [][]string
}

// A Code is a QR code: rows of modules, true is dark.
type Code struct {
	Name    string
	Modules [][]bool
}
