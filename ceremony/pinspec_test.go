package ceremony

// badPINs are changes of testdata/good.yaml in who holds a PIN, and all that is
// said of them without the file's name; see badScripts.
var badPINs = []struct {
	name    string
	changes []change
	want    []string
}{
	{"one half", []change{{"so_pin_custodian: keeper", "so_pin: {way: halves, custodians: [keeper]}"}}, []string{
		"31:39: tokens[1].so_pin.custodians: expected two custodians with a part each, not 1",
	}},
	{"both halves with one person", []change{{"so_pin_custodian: keeper", "so_pin: {way: halves, custodians: [keeper, keeper]}"}}, []string{
		`31:48: tokens[1].so_pin.custodians[2]: "keeper" is there twice: one person holds one part of a PIN`,
	}},
	{"halves of two PINs with one person", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian, user-pin-custodian]"},
		{"    so_pin_custodian: keeper\n    user_pin_custodian: keeper", "    so_pin: {way: halves, custodians: [keeper, witness]}\n    user_pin: {way: halves, custodians: [witness, keeper]}"},
	}, []string{
		`32:42: tokens[1].user_pin.custodians[1]: "witness" has a part of this token's SO-PIN already: one person holds one part`,
		`32:51: tokens[1].user_pin.custodians[2]: "keeper" has a part of this token's SO-PIN already: one person holds one part`,
	}},
	{"half with the administrator", []change{{"so_pin_custodian: keeper", "so_pin: {way: halves, custodians: [keeper, admin]}"}}, []string{
		`31:48: tokens[1].so_pin.custodians[2]: "admin" is the ceremony administrator, who holds no PIN and no part of one`,
	}},
	{"half with a stranger", []change{{"so_pin_custodian: keeper", "so_pin: {way: halves, custodians: [keeper, kepper]}"}}, []string{
		`31:48: tokens[1].so_pin.custodians[2]: "kepper" is not one of the script's participants, did you mean "keeper"?`,
	}},
	{"half without the role", []change{{"so_pin_custodian: keeper", "so_pin: {way: halves, custodians: [keeper, witness]}"}}, []string{
		`31:48: tokens[1].so_pin.custodians[2]: "witness" has not the role so-pin-custodian, which the one who enters this PIN needs`,
	}},
	{"two custodians who type one PIN", []change{{"so_pin_custodian: keeper", "so_pin: {way: one, custodians: [keeper, auditor]}"}}, []string{
		"31:36: tokens[1].so_pin.custodians: expected one custodian for a PIN that one person types, not 2: write way: halves for two",
		`31:45: tokens[1].so_pin.custodians[2]: "auditor" has not the role so-pin-custodian, which the one who enters this PIN needs`,
	}},
	{"a PIN held in two ways", []change{{"so_pin_custodian: keeper", "so_pin_custodian: keeper\n    so_pin: {way: one, custodians: [keeper]}"}}, []string{
		"31:23: tokens[1].so_pin_custodian: so_pin says who holds this PIN: take one of the two out",
	}},
	{"a way that does not exist", []change{{"so_pin_custodian: keeper", "so_pin: {way: half, custodians: [keeper, witness]}"}}, []string{
		`31:19: tokens[1].so_pin.way: "half" is not possible here, expected one of one, halves`,
		`31:46: tokens[1].so_pin.custodians[2]: "witness" has not the role so-pin-custodian, which the one who enters this PIN needs`,
	}},
}
