package token

// Mechanisms that steps name (CK_MECHANISM_TYPE).
const (
	CKM_RSA_PKCS_KEY_PAIR_GEN uint = 0x0
	CKM_RSA_PKCS              uint = 0x1 // input: a DigestInfo (RFC 8017 section 9.2)
	CKM_SHA256_RSA_PKCS       uint = 0x40
	CKM_SHA384_RSA_PKCS       uint = 0x41
	CKM_SHA512_RSA_PKCS       uint = 0x42
	CKM_EC_KEY_PAIR_GEN       uint = 0x1040
	CKM_ECDSA                 uint = 0x1041 // input: a digest; output: r‖s, both padded to the order's length
	CKM_ECDSA_SHA256          uint = 0x1044
	CKM_ECDSA_SHA384          uint = 0x1045
	CKM_ECDSA_SHA512          uint = 0x1046
)

// Classes of objects (CK_OBJECT_CLASS).
const (
	CKO_DATA        uint = 0x0
	CKO_CERTIFICATE uint = 0x1
	CKO_PUBLIC_KEY  uint = 0x2
	CKO_PRIVATE_KEY uint = 0x3
	CKO_SECRET_KEY  uint = 0x4
)

// Types of keys (CK_KEY_TYPE).
const (
	CKK_RSA uint = 0x0
	CKK_EC  uint = 0x3
)

// Attributes (CK_ATTRIBUTE_TYPE). All of them may be read and stand in
// templates, see [Readable].
const (
	CKA_CLASS               uint = 0x0
	CKA_TOKEN               uint = 0x1
	CKA_PRIVATE             uint = 0x2
	CKA_LABEL               uint = 0x3
	CKA_APPLICATION         uint = 0x10
	CKA_OBJECT_ID           uint = 0x12
	CKA_CERTIFICATE_TYPE    uint = 0x80
	CKA_ISSUER              uint = 0x81
	CKA_SERIAL_NUMBER       uint = 0x82
	CKA_TRUSTED             uint = 0x86
	CKA_KEY_TYPE            uint = 0x100
	CKA_SUBJECT             uint = 0x101
	CKA_ID                  uint = 0x102
	CKA_SENSITIVE           uint = 0x103
	CKA_ENCRYPT             uint = 0x104
	CKA_DECRYPT             uint = 0x105
	CKA_WRAP                uint = 0x106
	CKA_UNWRAP              uint = 0x107
	CKA_SIGN                uint = 0x108
	CKA_SIGN_RECOVER        uint = 0x109
	CKA_VERIFY              uint = 0x10a
	CKA_VERIFY_RECOVER      uint = 0x10b
	CKA_DERIVE              uint = 0x10c
	CKA_START_DATE          uint = 0x110
	CKA_END_DATE            uint = 0x111
	CKA_MODULUS             uint = 0x120
	CKA_MODULUS_BITS        uint = 0x121
	CKA_PUBLIC_EXPONENT     uint = 0x122
	CKA_PUBLIC_KEY_INFO     uint = 0x129
	CKA_EXTRACTABLE         uint = 0x162
	CKA_LOCAL               uint = 0x163
	CKA_NEVER_EXTRACTABLE   uint = 0x164
	CKA_ALWAYS_SENSITIVE    uint = 0x165
	CKA_KEY_GEN_MECHANISM   uint = 0x166
	CKA_MODIFIABLE          uint = 0x170
	CKA_COPYABLE            uint = 0x171
	CKA_DESTROYABLE         uint = 0x172
	CKA_EC_PARAMS           uint = 0x180 // DER of ECParameters: the curve's OID
	CKA_EC_POINT            uint = 0x181 // DER OCTET STRING around the point (some tokens: the bare point)
	CKA_ALWAYS_AUTHENTICATE uint = 0x202
	CKA_WRAP_WITH_TRUSTED   uint = 0x210
)

// Flags of CK_SLOT_INFO.
const (
	CKF_TOKEN_PRESENT    uint = 0x1
	CKF_REMOVABLE_DEVICE uint = 0x2
	CKF_HW_SLOT          uint = 0x4
)

// Flags of CK_TOKEN_INFO.
const (
	CKF_RNG                           uint = 0x1
	CKF_WRITE_PROTECTED               uint = 0x2
	CKF_LOGIN_REQUIRED                uint = 0x4
	CKF_USER_PIN_INITIALIZED          uint = 0x8
	CKF_PROTECTED_AUTHENTICATION_PATH uint = 0x100
	CKF_TOKEN_INITIALIZED             uint = 0x400
	CKF_USER_PIN_COUNT_LOW            uint = 0x10000
	CKF_USER_PIN_FINAL_TRY            uint = 0x20000
	CKF_USER_PIN_LOCKED               uint = 0x40000
	CKF_USER_PIN_TO_BE_CHANGED        uint = 0x80000
	CKF_SO_PIN_COUNT_LOW              uint = 0x100000
	CKF_SO_PIN_FINAL_TRY              uint = 0x200000
	CKF_SO_PIN_LOCKED                 uint = 0x400000
	CKF_SO_PIN_TO_BE_CHANGED          uint = 0x800000
)

// Flags of CK_MECHANISM_INFO.
const (
	CKF_HW                uint = 0x1
	CKF_SIGN              uint = 0x800
	CKF_VERIFY            uint = 0x2000
	CKF_GENERATE_KEY_PAIR uint = 0x10000
)

// Flags of C_OpenSession.
const (
	CKF_RW_SESSION     uint = 0x2
	CKF_SERIAL_SESSION uint = 0x4
)

// States of a session (CK_STATE).
const (
	CKS_RO_PUBLIC_SESSION uint = 0
	CKS_RO_USER_FUNCTIONS uint = 1
	CKS_RW_PUBLIC_SESSION uint = 2
	CKS_RW_USER_FUNCTIONS uint = 3
	CKS_RW_SO_FUNCTIONS   uint = 4
)
