package steps_test

import "testing"

// rule puts a rule for approval into the step "rules".
func rule(count, of string) func(string) string {
	return in("rules", "\n    title:", "\n    approve:\n      count: "+count+"\n      of: ["+of+"]\n    title:")
}

// person adds a participant.
func person(id, roles, more string) func(string) string {
	return swap("\ntokens:", "\n  - id: "+id+"\n    name: Example "+id+"\n    initials: XY\n    roles: ["+roles+"]\n"+more+"\ntokens:")
}

// impossiblePeople are scripts whose people cannot do what they are to do.
func impossiblePeople() map[string]impossibility {
	deputy := "    alternate_for: witness-1\n"
	return map[string]impossibility{
		"approval of nobody":                    {rule("0", "internal-witness"), ".approve.count: ", "expected 1 or more"},
		"approval of fewer than none":           {rule("-1", "internal-witness"), ".approve.count: ", "expected 1 or more"},
		"more approvals than people":            {rule("3", "internal-witness, independent-witness"), ".approve.count: ", "besides the one who acts only 2 can"},
		"the actor approves alone":              {in("make-root-key", "\n    title:", "\n    approve:\n      count: 1\n      of: [crypto-officer]\n    title:"), ".approve.count: ", "besides the one who acts only 0 can"},
		"the actor is named to approve":         {in("make-root-key", "\n    title:", "\n    approve:\n      count: 1\n      of: [user-custodian, witness-1]\n    title:"), ".approve.of[1]: ", `"user-custodian" acts in this step and cannot approve it, too`},
		"approval by a guest":                   {both(person("guest", "external-witness", ""), rule("1", "guest")), ".approve.of[1]: ", `"guest" has no role that approves`},
		"approval by the guests":                {both(person("guest", "external-witness", ""), rule("1", "external-witness")), ".approve.of[1]: ", "external-witness approves nothing"},
		"approval by who runs the script":       {rule("1", "ceremony-administrator"), ".approve.of[1]: ", "ceremony-administrator approves nothing"},
		"approval by a role that nobody has":    {rule("1", "security-officer"), ".approve.of[1]: ", "nobody has the role security-officer"},
		"approval by a stranger":                {rule("1", "nobody"), ".approve.of[1]: ", `"nobody" is neither a role nor one of the script's participants`},
		"approval by one person twice":          {rule("2", "witness-1, witness-1"), ".approve.of[2]: ", `"witness-1" is there twice`},
		"one person by name and by role":        {rule("2", "witness-1, internal-witness"), ".approve.count: ", "besides the one who acts only 1 can"},
		"approval by a role that is also an id": {both(person("safe-controller", "safe-controller", ""), rule("1", "safe-controller")), ".approve.of[1]: ", "is a role and a participant"},
		"approval by an alternate":              {both(person("deputy", "internal-witness", deputy), rule("1", "deputy")), ".approve.of[1]: ", `"deputy" is the alternate of "witness-1"`},
		"alternates do not make more of them":   {both(person("deputy", "internal-witness", deputy), rule("2", "internal-witness")), ".approve.count: ", "besides the one who acts only 1 can"},
		"approval of the roll call":             {in("roll-call", "\n    title:", "\n    approve:\n      count: 1\n      of: [internal-witness]\n    title:"), ".approve: ", "only known after the roll call"},
		"approvers who are not called":          {both(rule("2", "so-custodian, user-custodian"), in("roll-call", "    say: >-", "    people: [administrator, witness-1, witness-2, user-custodian]\n    say: >-")), ".approve.count: ", "1 are called at the roll call"},
		"a deviation that nobody could approve": {swap("\nparticipants:", "\ndeviations:\n  approve:\n    count: 2\n    of: [so-custodian, crypto-officer]\n\nparticipants:"), "deviations.approve.count: ", "who acts in step"},
		"an alternate of nobody":                {person("deputy", "internal-witness", "    alternate_for: witness-9\n"), ".alternate_for: ", `"witness-9" is not one of the script's participants`},
		"one's own alternate":                   {person("deputy", "internal-witness", "    alternate_for: deputy\n"), ".alternate_for: ", "nobody is their own alternate"},
		"an alternate of an alternate":          {both(person("deputy", "internal-witness", deputy), swap("\ntokens:", "\n  - id: third\n    name: Example third\n    initials: ZZ\n    roles: [internal-witness]\n    alternate_for: deputy\n\ntokens:")), ".alternate_for: ", `"deputy" is an alternate, too`},
		"an alternate without the role":         {person("deputy", "safe-controller", deputy), ".alternate_for: ", `"witness-1" has the role internal-witness, which "deputy" needs`},
		"an alternate with a part of their own": {both(person("deputy", "internal-witness", deputy), in("rules", "witnesses: [witness-1, witness-2]", "witnesses: [deputy, witness-2]")), ".witnesses[1]: ", `"deputy" is the alternate of "witness-1"`},
		"an alternate who acts":                 {both(person("deputy", "internal-witness", deputy), in("rules", "actor: administrator", "actor: deputy")), ".actor: ", `"deputy" is the alternate of "witness-1"`},
		"an alternate who holds a PIN":          {both(person("deputy", "so-pin-custodian", "    alternate_for: so-custodian\n"), swap("so_pin_custodian: so-custodian", "so_pin_custodian: deputy")), ".so_pin_custodian: ", `"deputy" is the alternate of "so-custodian"`},
		"an alternate who is not called":        {both(person("deputy", "internal-witness", deputy), in("roll-call", "    say: >-", "    people: [administrator, witness-1, witness-2, so-custodian, user-custodian]\n    say: >-")), ".alternate_for: ", `"deputy" is called at no roll call`},
		"a witness who acts on a token":         {in("see-token", "actor: administrator\n    witnesses: [witness-1, witness-2]", "actor: witness-1\n    witnesses: [witness-2]"), ".actor: ", `"witness-1" has no role that acts in a step that touches a token`},
		"an auditor who acts on a token":        {in("see-token", "actor: administrator\n    witnesses: [witness-1, witness-2]", "actor: witness-2\n    witnesses: [witness-1]"), ".actor: ", `"witness-2" has no role that acts in a step that touches a token`},
		"a guest who acts":                      {both(person("guest", "external-witness", ""), in("rules", "actor: administrator", "actor: guest")), ".actor: ", `"guest" has no role that acts in a step`},
		"a custodian who holds the roll call":   {in("roll-call", "actor: administrator", "actor: so-custodian"), ".actor: ", `"so-custodian" has no role that acts in a step of kind attendance`},
		"a custodian who closes":                {in("the-end", "actor: administrator", "actor: so-custodian"), ".actor: ", `"so-custodian" has no role that acts in a step of kind close`},
		"an operator who witnesses":             {both(person("hands", "operator", ""), in("rules", "witnesses: [witness-1, witness-2]", "witnesses: [witness-1, hands]")), ".witnesses[2]: ", `"hands" has no role that witnesses a step`},
		"an officer who enters the SO-PIN":      {swap("so_pin_custodian: so-custodian", "so_pin_custodian: user-custodian"), ".so_pin_custodian: ", "has not the role so-pin-custodian"},
		"initials that mean no":                 {swap("initials: EIW", "initials: \"no\""), ".initials: ", "is what somebody types who does not agree"},
		"a word that means no":                  {in("rules", "\n    title:", "\n    acknowledge: \"no\"\n    title:"), ".acknowledge: ", "is what somebody types who does not agree"},
		"a refusal that does something else":    {in("rules", "\n    title:", "\n    on_refusal: shrug\n    title:"), ".on_refusal: ", `"shrug" is not possible here`},
	}
}

// TestImpossiblePeople changes who does what in a sound script, in one way each:
// the check says which field is wrong, and why.
func TestImpossiblePeople(t *testing.T) {
	for name, c := range impossiblePeople() {
		t.Run(name, func(t *testing.T) { c.refused(t, "root-ca") })
	}
}
