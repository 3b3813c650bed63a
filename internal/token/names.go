package token

import "fmt"

// MechanismName returns a mechanism's CKM_ name, or "CKM_0x" and lower-case hex.
func MechanismName(m uint) string { return name(mechanismNames, "CKM", m) }

// AttributeName returns an attribute type's CKA_ name, or "CKA_0x" and
// lower-case hex.
func AttributeName(a uint) string { return name(attributeNames, "CKA", a) }

// ClassName returns an object class's CKO_ name, or "CKO_0x" and lower-case hex.
func ClassName(c uint) string { return name(classNames, "CKO", c) }

// KeyTypeName returns a key type's CKK_ name, or "CKK_0x" and lower-case hex.
func KeyTypeName(k uint) string { return name(keyTypeNames, "CKK", k) }

// StateName returns a session state's CKS_ name, or "CKS_0x" and lower-case hex.
func StateName(s uint) string { return name(stateNames, "CKS", s) }

// Name returns "CKU_SO" or "CKU_USER", or "CKU_0x" and lower-case hex.
func (u User) Name() string { return name(userNames, "CKU", uint(u)) }

// SlotFlags returns the CKF_ names of a CK_SLOT_INFO's flags, lowest bit first.
// A bit without a name is "CKF_0x" and lower-case hex.
func SlotFlags(flags uint) []string { return flagNames(slotFlagNames, flags) }

// TokenFlags returns the CKF_ names of a CK_TOKEN_INFO's flags, as SlotFlags.
func TokenFlags(flags uint) []string { return flagNames(tokenFlagNames, flags) }

// MechanismFlags returns the CKF_ names of a CK_MECHANISM_INFO's flags, as
// SlotFlags.
func MechanismFlags(flags uint) []string { return flagNames(mechanismFlagNames, flags) }

// SessionFlags returns the CKF_ names of C_OpenSession's flags, as SlotFlags.
func SessionFlags(flags uint) []string { return flagNames(sessionFlagNames, flags) }

func name(table map[uint]string, prefix string, v uint) string {
	if n, ok := table[v]; ok {
		return n
	}
	return fmt.Sprintf("%s_0x%x", prefix, v)
}

// flagNames never returns nil: in the log, no flags are an empty list.
func flagNames(table map[uint]string, flags uint) []string {
	names := []string{}
	for bit := uint(1); bit != 0; bit <<= 1 {
		if flags&bit != 0 {
			names = append(names, name(table, "CKF", bit))
		}
	}
	return names
}

var userNames = map[uint]string{0: "CKU_SO", 1: "CKU_USER", 2: "CKU_CONTEXT_SPECIFIC"}

var stateNames = map[uint]string{
	CKS_RO_PUBLIC_SESSION: "CKS_RO_PUBLIC_SESSION",
	CKS_RO_USER_FUNCTIONS: "CKS_RO_USER_FUNCTIONS",
	CKS_RW_PUBLIC_SESSION: "CKS_RW_PUBLIC_SESSION",
	CKS_RW_USER_FUNCTIONS: "CKS_RW_USER_FUNCTIONS",
	CKS_RW_SO_FUNCTIONS:   "CKS_RW_SO_FUNCTIONS",
}

// The same bit means something else in each structure (pkcs11-base-v2.40,
// sections 3.2, 3.3 and 3.6), so each has its own table.

var slotFlagNames = map[uint]string{
	CKF_TOKEN_PRESENT:    "CKF_TOKEN_PRESENT",
	CKF_REMOVABLE_DEVICE: "CKF_REMOVABLE_DEVICE",
	CKF_HW_SLOT:          "CKF_HW_SLOT",
}

var tokenFlagNames = map[uint]string{
	CKF_RNG:                           "CKF_RNG",
	CKF_WRITE_PROTECTED:               "CKF_WRITE_PROTECTED",
	CKF_LOGIN_REQUIRED:                "CKF_LOGIN_REQUIRED",
	CKF_USER_PIN_INITIALIZED:          "CKF_USER_PIN_INITIALIZED",
	0x20:                              "CKF_RESTORE_KEY_NOT_NEEDED",
	0x40:                              "CKF_CLOCK_ON_TOKEN",
	CKF_PROTECTED_AUTHENTICATION_PATH: "CKF_PROTECTED_AUTHENTICATION_PATH",
	0x200:                             "CKF_DUAL_CRYPTO_OPERATIONS",
	CKF_TOKEN_INITIALIZED:             "CKF_TOKEN_INITIALIZED",
	0x800:                             "CKF_SECONDARY_AUTHENTICATION",
	CKF_USER_PIN_COUNT_LOW:            "CKF_USER_PIN_COUNT_LOW",
	CKF_USER_PIN_FINAL_TRY:            "CKF_USER_PIN_FINAL_TRY",
	CKF_USER_PIN_LOCKED:               "CKF_USER_PIN_LOCKED",
	CKF_USER_PIN_TO_BE_CHANGED:        "CKF_USER_PIN_TO_BE_CHANGED",
	CKF_SO_PIN_COUNT_LOW:              "CKF_SO_PIN_COUNT_LOW",
	CKF_SO_PIN_FINAL_TRY:              "CKF_SO_PIN_FINAL_TRY",
	CKF_SO_PIN_LOCKED:                 "CKF_SO_PIN_LOCKED",
	CKF_SO_PIN_TO_BE_CHANGED:          "CKF_SO_PIN_TO_BE_CHANGED",
	0x1000000:                         "CKF_ERROR_STATE",
}

var mechanismFlagNames = map[uint]string{
	CKF_HW:                "CKF_HW",
	0x100:                 "CKF_ENCRYPT",
	0x200:                 "CKF_DECRYPT",
	0x400:                 "CKF_DIGEST",
	CKF_SIGN:              "CKF_SIGN",
	0x1000:                "CKF_SIGN_RECOVER",
	CKF_VERIFY:            "CKF_VERIFY",
	0x4000:                "CKF_VERIFY_RECOVER",
	0x8000:                "CKF_GENERATE",
	CKF_GENERATE_KEY_PAIR: "CKF_GENERATE_KEY_PAIR",
	0x20000:               "CKF_WRAP",
	0x40000:               "CKF_UNWRAP",
	0x80000:               "CKF_DERIVE",
	0x100000:              "CKF_EC_F_P",
	0x200000:              "CKF_EC_F_2M",
	0x400000:              "CKF_EC_ECPARAMETERS",
	0x800000:              "CKF_EC_NAMEDCURVE",
	0x1000000:             "CKF_EC_UNCOMPRESS",
	0x2000000:             "CKF_EC_COMPRESS",
	0x80000000:            "CKF_EXTENSION",
}

var sessionFlagNames = map[uint]string{
	CKF_RW_SESSION:     "CKF_RW_SESSION",
	CKF_SERIAL_SESSION: "CKF_SERIAL_SESSION",
}
