package ceremony

// A Kind is one kind of step. The ceremony knows what a kind is; which kinds
// exist is the map that cmd hands over (steps.Kinds).
type Kind struct {
	Name string // as in the script: "token-init"
	Does string // one line for people: what such a step does and changes
	// New returns a pointer to a struct whose yaml tags are the fields that a
	// step of this kind has besides the common ones of Step. Fields are decoded
	// strictly; a tag option "required" makes a field mandatory.
	New func() Action
}

// Kinds maps the names of the step kinds to what they are.
type Kinds map[string]Kind

// An Action is the part of a step that belongs to its kind.
type Action interface {
	// Check simulates the step on the model of the world: it reports what is
	// impossible at this point with w.Problem and then changes the world as
	// the step would.
	Check(w *World)
	// Run performs the step in the room.
	Run(s *Session) error
}
