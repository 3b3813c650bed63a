// Package token is what keyrite may ask of an HSM: the PKCS#11 functions it
// uses, as data.
//
// A [Call] is one PKCS#11 function with its arguments, a [Result] what came
// back. A [Module] makes calls: internal/token/p11 on a real PKCS#11 library,
// internal/token/fake in memory for tests, internal/token/recorded around any
// of them. Steps are only ever given the recorded one.
package token

// A Module makes PKCS#11 calls. It is not safe for concurrent use.
//
// Do returns an [RV] (as an error) for every return value other than CKR_OK,
// and any other error when the call could not be made at all.
type Module interface {
	Do(Call) (Result, error)
}

// A Function is the name of a PKCS#11 function, such as "C_Login".
type Function string

// The PKCS#11 functions that keyrite calls. There are no others.
const (
	Initialize       Function = "C_Initialize"
	Finalize         Function = "C_Finalize"
	GetInfo          Function = "C_GetInfo"
	GetSlotList      Function = "C_GetSlotList"
	GetSlotInfo      Function = "C_GetSlotInfo"
	GetTokenInfo     Function = "C_GetTokenInfo"
	GetMechanismList Function = "C_GetMechanismList"
	GetMechanismInfo Function = "C_GetMechanismInfo"
	InitToken        Function = "C_InitToken"
	InitPIN          Function = "C_InitPIN"
	SetPIN           Function = "C_SetPIN"
	OpenSession      Function = "C_OpenSession"
	CloseSession     Function = "C_CloseSession"
	CloseAllSessions Function = "C_CloseAllSessions"
	GetSessionInfo   Function = "C_GetSessionInfo"
	Login            Function = "C_Login"
	Logout           Function = "C_Logout"
	FindObjectsInit  Function = "C_FindObjectsInit"
	FindObjects      Function = "C_FindObjects"
	FindObjectsFinal Function = "C_FindObjectsFinal"
	GetAttribute     Function = "C_GetAttributeValue"
	GenerateRandom   Function = "C_GenerateRandom"
	GenerateKeyPair  Function = "C_GenerateKeyPair"
	SignInit         Function = "C_SignInit"
	Sign             Function = "C_Sign" // miekg/pkcs11 calls C_Sign twice, once for the length: one Call stands for both
	DestroyObject    Function = "C_DestroyObject"
)

// Functions lists every function, in the order of PKCS#11.
var Functions = []Function{
	Initialize, Finalize, GetInfo, GetSlotList, GetSlotInfo, GetTokenInfo,
	GetMechanismList, GetMechanismInfo, InitToken, InitPIN, SetPIN,
	OpenSession, CloseSession, CloseAllSessions, GetSessionInfo, Login, Logout,
	DestroyObject, GetAttribute, FindObjectsInit, FindObjects, FindObjectsFinal,
	SignInit, Sign, GenerateKeyPair, GenerateRandom,
}

// Effect says what a call may do, and with it when its intent must be on disk.
type Effect int

const (
	// Reads leaves the token as it is. Its intent is in the log before the
	// call, and reaches the disk with the next durable entry.
	Reads Effect = iota
	// Changes the token or its sessions' state, signs, or may spend a PIN
	// try. Its intent is durably on disk before the call.
	Changes
	// Leaves the token (C_Logout, C_CloseSession, C_CloseAllSessions,
	// C_Finalize): made even when the log cannot be written, so that a full
	// disk does not leave a token open.
	Leaves
)

// Effect returns what f may do.
func (f Function) Effect() Effect {
	switch f {
	case Logout, CloseSession, CloseAllSessions, Finalize:
		return Leaves
	case InitToken, InitPIN, SetPIN, Login, GenerateKeyPair, SignInit, Sign, DestroyObject, GenerateRandom:
		return Changes
	}
	return Reads
}

// A User is a CK_USER_TYPE.
type User uint

// The users of PKCS#11.
const (
	SO         User = 0 // CKU_SO
	NormalUser User = 1 // CKU_USER
)

// Purpose of random bytes: what is recorded of them.
type Purpose string

// Only the bytes of PurposeSerial and PurposeChallenge are recorded.
const (
	PurposeSerial    Purpose = "serial"
	PurposeChallenge Purpose = "challenge"
	PurposeSecret    Purpose = "secret"
)

// A Call is one PKCS#11 call. Only the fields that the function takes are used.
type Call struct {
	Function  Function
	Slot      uint
	Session   uint
	User      User        // C_Login
	PIN       PIN         // C_Login, C_InitPIN, C_InitToken (SO-PIN), C_SetPIN (old)
	NewPIN    PIN         // C_SetPIN
	Label     string      // C_InitToken; at most 32 bytes of UTF-8
	Present   bool        // C_GetSlotList: only slots with a token
	ReadWrite bool        // C_OpenSession: CKF_RW_SESSION (CKF_SERIAL_SESSION is always set)
	Mechanism uint        // CKM_…
	Template  []Attribute // C_FindObjectsInit; public key of C_GenerateKeyPair
	Private   []Attribute // private key of C_GenerateKeyPair
	Want      []uint      // C_GetAttributeValue: CKA_… types
	Object    uint        // handle: C_GetAttributeValue, C_SignInit (the key), C_DestroyObject
	Max       int         // C_FindObjects
	Data      []byte      // C_Sign
	Length    int         // C_GenerateRandom: bytes wanted
	Purpose   Purpose     // C_GenerateRandom
	For       int64       // C_Sign: seq of the to-be-signed entry it belongs to
}

// A Result is what a call brought back. Only the function's own fields are set.
type Result struct {
	Info       ModuleInfo
	Slots      []uint
	SlotInfo   SlotInfo
	Token      TokenInfo
	Mechanisms []uint
	KeySizes   KeySizes
	Session    uint
	State      uint // CKS_…, C_GetSessionInfo
	Objects    []uint
	Attributes []Attribute
	Public     uint // handles of C_GenerateKeyPair
	Private    uint
	Signature  []byte // as the token gave it: r‖s for CKM_ECDSA
	Random     []byte

	// Seq is the log position of the call's outcome; set by the recorded
	// module, -1 if the outcome is not in the log.
	Seq int64
}

// An Attribute is one CK_ATTRIBUTE. Value is raw as in PKCS#11: CK_BBOOL one
// byte, CK_ULONG eight bytes in native order, others as they are. A token that
// does not tell an attribute gives Err and no value.
type Attribute struct {
	Type  uint
	Value []byte
	Err   error
}

// ModuleInfo is CK_INFO.
type ModuleInfo struct {
	CryptokiVersion, Manufacturer, Library, LibraryVersion string
}

// SlotInfo is CK_SLOT_INFO.
type SlotInfo struct {
	Description, Manufacturer string
	Flags                     uint
}

// TokenInfo is CK_TOKEN_INFO, strings without their padding.
type TokenInfo struct {
	Label, Manufacturer, Model, Serial string
	Flags                              uint
	MinPIN, MaxPIN                     uint
	Hardware, Firmware                 string // "2.6"

	// What the token counts, Unavailable if it does not tell.
	Sessions, RWSessions    uint
	FreePublic, FreePrivate uint // bytes
}

// Unavailable is CK_UNAVAILABLE_INFORMATION: the token does not tell.
const Unavailable = ^uint(0)

// KeySizes is CK_MECHANISM_INFO.
type KeySizes struct {
	Min, Max, Flags uint
}
