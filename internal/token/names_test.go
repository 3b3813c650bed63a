package token

import (
	"slices"
	"strings"
	"testing"
)

func TestRV(t *testing.T) {
	for rv, want := range map[RV]string{
		0: "CKR_OK", 0xa0: "CKR_PIN_INCORRECT", 0xe0: "CKR_TOKEN_NOT_PRESENT", 0x32: "CKR_DEVICE_REMOVED",
		0x150: "CKR_BUFFER_TOO_SMALL", 0x200: "CKR_FUNCTION_REJECTED", 0x4: "CKR_0x4", 0x80000001: "CKR_0x80000001",
	} {
		if rv.Error() != want || rv.String() != want {
			t.Errorf("%d is %s, want %s", uint(rv), rv, want)
		}
	}
}

// TestTablesUnique: no two values have one name, and every name has its prefix.
func TestTablesUnique(t *testing.T) {
	rvs := map[uint]string{}
	for rv, n := range rvNames {
		rvs[uint(rv)] = n
	}
	for prefix, tables := range map[string][]map[uint]string{
		"CKR_": {rvs}, "CKM_": {mechanismNames}, "CKA_": {attributeNames}, "CKO_": {classNames}, "CKK_": {keyTypeNames},
		"CKS_": {stateNames}, "CKU_": {userNames},
		"CKF_": {slotFlagNames, tokenFlagNames, mechanismFlagNames, sessionFlagNames},
	} {
		for _, table := range tables {
			seen := map[string]bool{}
			for v, n := range table {
				if seen[n] || !strings.HasPrefix(n, prefix) {
					t.Errorf("0x%x: %s stands twice or is no %s", v, n, prefix)
				}
				if prefix == "CKF_" && v&(v-1) != 0 {
					t.Errorf("%s is not one bit", n)
				}
				seen[n] = true
			}
		}
	}
	// How many PKCS#11 2.40 has, aliases counted once, and CKO_PROFILE of 3.0.
	for what, n := range map[string][2]int{
		"CKR": {len(rvNames), 94}, "CKM": {len(mechanismNames), 357}, "CKA": {len(attributeNames), 105},
		"CKO": {len(classNames), 10}, "CKK": {len(keyTypeNames), 45},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d names, want %d", what, n[0], n[1])
		}
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		MechanismName(CKM_ECDSA):                 "CKM_ECDSA",
		MechanismName(CKM_RSA_PKCS_KEY_PAIR_GEN): "CKM_RSA_PKCS_KEY_PAIR_GEN",
		MechanismName(CKM_EC_KEY_PAIR_GEN):       "CKM_EC_KEY_PAIR_GEN",
		MechanismName(0x80000f00):                "CKM_0x80000f00",
		AttributeName(CKA_EC_PARAMS):             "CKA_EC_PARAMS",
		AttributeName(0x40000600):                "CKA_ALLOWED_MECHANISMS",
		ClassName(CKO_PRIVATE_KEY):               "CKO_PRIVATE_KEY",
		ClassName(77):                            "CKO_0x4d",
		KeyTypeName(CKK_EC):                      "CKK_EC",
		KeyTypeName(CKK_RSA):                     "CKK_RSA",
		StateName(CKS_RW_SO_FUNCTIONS):           "CKS_RW_SO_FUNCTIONS",
		SO.Name():                                "CKU_SO",
		NormalUser.Name():                        "CKU_USER",
		User(9).Name():                           "CKU_0x9",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestConstantsNamed: every constant that steps use has the name it is called.
func TestConstantsNamed(t *testing.T) {
	for typ := range readable {
		if strings.HasPrefix(AttributeName(typ), "CKA_0x") {
			t.Errorf("readable attribute 0x%x has no name", typ)
		}
	}
}

func TestFlags(t *testing.T) {
	tests := map[string]struct{ got, want []string }{
		"token":     {TokenFlags(0x40d | CKF_SO_PIN_LOCKED), []string{"CKF_RNG", "CKF_LOGIN_REQUIRED", "CKF_USER_PIN_INITIALIZED", "CKF_TOKEN_INITIALIZED", "CKF_SO_PIN_LOCKED"}},
		"slot":      {SlotFlags(7), []string{"CKF_TOKEN_PRESENT", "CKF_REMOVABLE_DEVICE", "CKF_HW_SLOT"}},
		"session":   {SessionFlags(6), []string{"CKF_RW_SESSION", "CKF_SERIAL_SESSION"}},
		"mechanism": {MechanismFlags(CKF_SIGN | 1), []string{"CKF_HW", "CKF_SIGN"}},
		"none":      {TokenFlags(0), []string{}},
		"unknown":   {SlotFlags(1 << 33), []string{"CKF_0x200000000"}},
		"highest":   {SlotFlags(1 << 63), []string{"CKF_0x8000000000000000"}},
	}
	for name, test := range tests {
		if !slices.Equal(test.got, test.want) || test.got == nil {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
}

func TestHint(t *testing.T) {
	if Hint(CKR_PIN_INCORRECT) == "" || Hint(nil) != "" || Hint(CKR_OK) != "" {
		t.Error("CKR_PIN_INCORRECT has no hint, or success has one")
	}
	for rv, hint := range hints {
		if strings.HasPrefix(rv.Error(), "CKR_0x") || !strings.HasSuffix(hint, ".") || len(hint) > 500 {
			t.Errorf("%s: hint %q", rv, hint)
		}
	}
	// What an administrator will most likely meet.
	for _, rv := range []RV{
		CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_LEN_RANGE, CKR_PIN_INVALID, CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_REMOVED,
		CKR_DEVICE_ERROR, CKR_GENERAL_ERROR, CKR_SESSION_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN, CKR_USER_PIN_NOT_INITIALIZED,
		CKR_MECHANISM_INVALID, CKR_FUNCTION_NOT_SUPPORTED, CKR_SLOT_ID_INVALID, CKR_DEVICE_MEMORY, CKR_SESSION_EXISTS,
	} {
		if Hint(rv) == "" {
			t.Errorf("%s has no hint", rv)
		}
	}
}

func TestEffects(t *testing.T) {
	// The whole list: a function that is added must be thought about.
	changes := []Function{InitToken, InitPIN, SetPIN, Login, DestroyObject, SignInit, Sign, GenerateKeyPair, GenerateRandom}
	leaves := []Function{Finalize, CloseSession, CloseAllSessions, Logout}
	var gotChanges, gotLeaves []Function
	for _, f := range Functions {
		switch f.Effect() {
		case Changes:
			gotChanges = append(gotChanges, f)
		case Leaves:
			gotLeaves = append(gotLeaves, f)
		}
	}
	if !slices.Equal(gotChanges, changes) || !slices.Equal(gotLeaves, leaves) {
		t.Errorf("changes %v, leaves %v", gotChanges, gotLeaves)
	}
}
