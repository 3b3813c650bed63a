package token

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// ulongSize is sizeof(CK_ULONG) on the 64-bit Linux that keyrite runs on.
const ulongSize = 8

// Bool returns an attribute with a CK_BBOOL value.
func Bool(typ uint, v bool) Attribute {
	if v {
		return Attribute{Type: typ, Value: []byte{1}}
	}
	return Attribute{Type: typ, Value: []byte{0}}
}

// Ulong returns an attribute with a CK_ULONG value.
func Ulong(typ, v uint) Attribute {
	return Attribute{Type: typ, Value: binary.NativeEndian.AppendUint64(nil, uint64(v))}
}

// Bytes returns an attribute whose value is v as it is.
func Bytes(typ uint, v []byte) Attribute { return Attribute{Type: typ, Value: v} }

// Text returns an attribute whose value is the UTF-8 of s.
func Text(typ uint, s string) Attribute { return Attribute{Type: typ, Value: []byte(s)} }

// Bool decodes a CK_BBOOL. It returns an error if the token did not tell the
// attribute (wrapping a.Err) or the value is not one byte of 0 or 1.
func (a Attribute) Bool() (bool, error) {
	if a.Err != nil {
		return false, fmt.Errorf("reading %s: %w", AttributeName(a.Type), a.Err)
	}
	if len(a.Value) != 1 || a.Value[0] > 1 {
		return false, fmt.Errorf("reading %s: %q is no CK_BBOOL", AttributeName(a.Type), a.Value)
	}
	return a.Value[0] == 1, nil
}

// Ulong decodes a CK_ULONG. It returns an error if the token did not tell the
// attribute (wrapping a.Err) or the value does not have eight bytes.
func (a Attribute) Ulong() (uint, error) {
	if a.Err != nil {
		return 0, fmt.Errorf("reading %s: %w", AttributeName(a.Type), a.Err)
	}
	if len(a.Value) != ulongSize {
		return 0, fmt.Errorf("reading %s: %q is no CK_ULONG of %d bytes", AttributeName(a.Type), a.Value, ulongSize)
	}
	return uint(binary.NativeEndian.Uint64(a.Value)), nil
}

// Text decodes a UTF-8 string. It returns an error if the token did not tell
// the attribute (wrapping a.Err) or the value is not valid UTF-8.
func (a Attribute) Text() (string, error) {
	if a.Err != nil {
		return "", fmt.Errorf("reading %s: %w", AttributeName(a.Type), a.Err)
	}
	if !utf8.Valid(a.Value) {
		return "", fmt.Errorf("reading %s: %q is not UTF-8", AttributeName(a.Type), a.Value)
	}
	return string(a.Value), nil
}

// Lookup returns the attribute of that type, and whether it is there.
func Lookup(attrs []Attribute, typ uint) (Attribute, bool) {
	for _, a := range attrs {
		if a.Type == typ {
			return a, true
		}
	}
	return Attribute{}, false
}

// Shown returns the value as it stands in the log and on paper: true or false
// for a CK_BBOOL, decimal for a CK_ULONG, the text of CKA_LABEL, lower-case hex
// for everything else. A value that is not of its attribute's form is shown as
// "malformed: " and lower-case hex; one that the token does not tell as "".
func (a Attribute) Shown() string {
	if a.Err != nil {
		return ""
	}
	switch readable[a.Type] {
	case isBool:
		if v, err := a.Bool(); err == nil {
			return strconv.FormatBool(v)
		}
	case isUlong:
		if v, err := a.Ulong(); err == nil {
			return strconv.FormatUint(uint64(v), 10)
		}
	case isText:
		if v, err := a.Text(); err == nil {
			return v
		}
	default:
		return hex.EncodeToString(a.Value)
	}
	return "malformed: " + hex.EncodeToString(a.Value)
}

// A form is how an attribute's value is encoded.
type form int

const (
	isBytes form = iota + 1
	isBool
	isUlong
	isText
)

// Readable reports whether an attribute may be read from a token and may stand
// in a template. It is a list of what is public; anything else is refused
// before the module is called: CKA_VALUE (of a private or secret key it is the
// key), CKA_PRIVATE_EXPONENT, the primes and exponents of an RSA key, and
// whatever is not known here.
func Readable(typ uint) bool { return readable[typ] != 0 }

// readable lists the attributes that never are secret, with their form
// (pkcs11-base-v2.40, section 4).
var readable = map[uint]form{
	CKA_CLASS:               isUlong,
	CKA_TOKEN:               isBool,
	CKA_PRIVATE:             isBool,
	CKA_LABEL:               isText,
	CKA_APPLICATION:         isBytes,
	CKA_OBJECT_ID:           isBytes,
	CKA_CERTIFICATE_TYPE:    isUlong,
	CKA_ISSUER:              isBytes,
	CKA_SERIAL_NUMBER:       isBytes,
	CKA_TRUSTED:             isBool,
	CKA_KEY_TYPE:            isUlong,
	CKA_SUBJECT:             isBytes,
	CKA_ID:                  isBytes,
	CKA_SENSITIVE:           isBool,
	CKA_ENCRYPT:             isBool,
	CKA_DECRYPT:             isBool,
	CKA_WRAP:                isBool,
	CKA_UNWRAP:              isBool,
	CKA_SIGN:                isBool,
	CKA_SIGN_RECOVER:        isBool,
	CKA_VERIFY:              isBool,
	CKA_VERIFY_RECOVER:      isBool,
	CKA_DERIVE:              isBool,
	CKA_START_DATE:          isBytes,
	CKA_END_DATE:            isBytes,
	CKA_MODULUS:             isBytes,
	CKA_MODULUS_BITS:        isUlong,
	CKA_PUBLIC_EXPONENT:     isBytes,
	CKA_PUBLIC_KEY_INFO:     isBytes,
	CKA_EXTRACTABLE:         isBool,
	CKA_LOCAL:               isBool,
	CKA_NEVER_EXTRACTABLE:   isBool,
	CKA_ALWAYS_SENSITIVE:    isBool,
	CKA_KEY_GEN_MECHANISM:   isUlong,
	CKA_MODIFIABLE:          isBool,
	CKA_COPYABLE:            isBool,
	CKA_DESTROYABLE:         isBool,
	CKA_EC_PARAMS:           isBytes,
	CKA_EC_POINT:            isBytes,
	CKA_ALWAYS_AUTHENTICATE: isBool,
	CKA_WRAP_WITH_TRUSTED:   isBool,
}

// AttributeOnly reports whether an RV of C_GetAttributeValue speaks of the one
// attribute that was asked for, so that the others can still be asked for.
func AttributeOnly(err error) bool {
	switch err {
	case CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE, CKR_FUNCTION_NOT_SUPPORTED,
		CKR_ATTRIBUTE_VALUE_INVALID, CKR_FUNCTION_FAILED, CKR_GENERAL_ERROR, CKR_BUFFER_TOO_SMALL:
		return true
	}
	return false
}
