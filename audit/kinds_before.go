package audit

// ScriptApproval is an approver's word for the script, taken before the first step.
type ScriptApproval struct {
	Person string `json:"person"`          // the approver's id in the script
	Name   string `json:"name"`            // the approver's name
	How    string `json:"how"`             // "note", or "paper": the script's SHA-256 was typed in the room from an approved paper
	Note   string `json:"note,omitempty"`  // the signed note, whole
	Typed  string `json:"typed,omitempty"` // what was typed from paper
}

// Place is what a local file says of the machine and the room: what belongs to
// the place and not to the ceremony.
type Place struct {
	File     File     `json:"file"`     // name and digest of the file; it is not in the bundle
	Settings []Result `json:"settings"` // its fields, and whether the command line had another value
}
