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
	{"halves on slips", []change{{"so_pin_custodian: keeper", "so_pin: {way: halves, custodians: [keeper, witness], show: slip}"}, {"roles: [internal-witness]", "roles: [so-pin-custodian]"}}, []string{
		"31:64: tokens[1].so_pin.show: only a PIN with way: shares is shown to anybody: take it out",
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
		`31:19: tokens[1].so_pin.way: "half" is not possible here, expected one of one, halves, shares`,
		`31:46: tokens[1].so_pin.custodians[2]: "witness" has not the role so-pin-custodian, which the one who enters this PIN needs`,
	}},
	{"a threshold of one", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian]"},
		{"so_pin_custodian: keeper", "so_pin: {way: shares, custodians: [keeper, witness], threshold: 1}"},
	}, []string{
		"31:69: tokens[1].so_pin.threshold: with a threshold of 1 each custodian has the whole PIN: expected 2 or more",
	}},
	{"a threshold above the number of custodians", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian]"},
		{"so_pin_custodian: keeper", "so_pin: {way: shares, custodians: [keeper, witness], threshold: 3}"},
	}, []string{
		"31:69: tokens[1].so_pin.threshold: 3 shares are needed and there are only 2 custodians: nobody could ever enter the PIN",
	}},
	{"shares without a threshold", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian]"},
		{"so_pin_custodian: keeper", "so_pin: {way: shares, custodians: [keeper, witness]}"},
	}, []string{
		"31:13: tokens[1].so_pin: how many shares are enough is missing: write threshold",
	}},
	{"a negative threshold", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian]"},
		{"so_pin_custodian: keeper", "so_pin: {way: shares, custodians: [keeper, witness], threshold: -2}"},
	}, []string{
		"31:69: tokens[1].so_pin.threshold: expected 2 or more, not -2",
	}},
	{"one share", []change{{"so_pin_custodian: keeper", "so_pin: {way: shares, custodians: [keeper], threshold: 2}"}}, []string{
		"31:39: tokens[1].so_pin.custodians: expected two custodians or more with a share each, not 1",
	}},
	{"two shares with one person", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian]"},
		{"so_pin_custodian: keeper", "so_pin: {way: shares, custodians: [keeper, witness, keeper], threshold: 2}"},
	}, []string{
		`31:57: tokens[1].so_pin.custodians[3]: "keeper" is there twice: one person holds one part of a PIN`,
	}},
	{"a share with the administrator", []change{{"so_pin_custodian: keeper", "so_pin: {way: shares, custodians: [keeper, admin], threshold: 2}"}}, []string{
		`31:48: tokens[1].so_pin.custodians[2]: "admin" is the ceremony administrator, who holds no PIN and no part of one`,
	}},
	{"a threshold for halves", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian]"},
		{"so_pin_custodian: keeper", "so_pin: {way: halves, custodians: [keeper, witness], threshold: 2}"},
	}, []string{
		"31:69: tokens[1].so_pin.threshold: only a PIN with way: shares has a threshold: take it out",
	}},
	{"commitments for one PIN", []change{{"so_pin_custodian: keeper", "so_pin: {way: one, custodians: [keeper], commitments: [aa]}"}}, []string{
		"31:59: tokens[1].so_pin.commitments: only a PIN with way: shares has commitments: take them out",
	}},
	{"commitments that do not fit the custodians", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian]"},
		{"so_pin_custodian: keeper", "so_pin:\n      way: shares\n      custodians: [keeper, witness]\n      threshold: 2\n      commitments: [AA]"},
	}, []string{
		"35:20: tokens[1].so_pin.commitments: there are 1 commitments and 2 custodians: expected one for each, in the same order",
		"35:21: tokens[1].so_pin.commitments[1]: expected the 64 hex digits of a commitment, as a log's entry of kind share has it",
	}},
	{"one commitment for two shares", []change{
		{"roles: [internal-witness]", "roles: [so-pin-custodian]"},
		{"so_pin_custodian: keeper", "so_pin:\n      way: shares\n      custodians: [keeper, witness]\n      threshold: 2\n      commitments: [" + aCommitment + ", " + aCommitment + "]"},
	}, []string{
		"35:87: tokens[1].so_pin.commitments[2]: this commitment is there twice: each share has its own",
	}},
}

const aCommitment = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
