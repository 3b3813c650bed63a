package ceremony

// A Session is what a running step may use: the room, the recorded tokens, the
// log. Nothing else reaches a step.
type Session struct{}
