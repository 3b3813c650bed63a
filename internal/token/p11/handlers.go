package p11

import (
	"fmt"
	"unsafe"

	"github.com/miekg/pkcs11"

	"github.com/keyrite/keyrite/internal/token"
)

// A handler makes one call and puts what came back into r.
type handler func(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error

// handlers has one handler for every token.Function.
var handlers = map[token.Function]handler{
	token.Initialize: func(ctx *pkcs11.Ctx, _ token.Call, _ *token.Result) error { return ctx.Initialize() },
	token.Finalize:   func(ctx *pkcs11.Ctx, _ token.Call, _ *token.Result) error { return ctx.Finalize() },

	token.GetInfo:          getInfo,
	token.GetSlotList:      getSlotList,
	token.GetSlotInfo:      getSlotInfo,
	token.GetTokenInfo:     getTokenInfo,
	token.GetMechanismList: getMechanismList,
	token.GetMechanismInfo: getMechanismInfo,
	token.InitToken:        initToken,
	token.InitPIN:          initPIN,
	token.SetPIN:           setPIN,
	token.OpenSession:      openSession,
	token.CloseSession: func(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) error {
		return ctx.CloseSession(pkcs11.SessionHandle(c.Session))
	},
	token.CloseAllSessions: func(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) error {
		return ctx.CloseAllSessions(c.Slot)
	},
	token.GetSessionInfo: getSessionInfo,
	token.Login:          login,
	token.Logout: func(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) error {
		return ctx.Logout(pkcs11.SessionHandle(c.Session))
	},
	token.DestroyObject: func(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) error {
		return ctx.DestroyObject(pkcs11.SessionHandle(c.Session), pkcs11.ObjectHandle(c.Object))
	},
	token.GetAttribute: getAttribute,
	token.FindObjectsInit: func(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) error {
		return ctx.FindObjectsInit(pkcs11.SessionHandle(c.Session), attributes(c.Template))
	},
	token.FindObjects: findObjects,
	token.FindObjectsFinal: func(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) error {
		return ctx.FindObjectsFinal(pkcs11.SessionHandle(c.Session))
	},
	token.SignInit: func(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) error {
		return ctx.SignInit(pkcs11.SessionHandle(c.Session), mechanism(c), pkcs11.ObjectHandle(c.Object))
	},
	token.Sign:            sign,
	token.GenerateKeyPair: generateKeyPair,
	token.GenerateRandom:  generateRandom,
}

func getInfo(ctx *pkcs11.Ctx, _ token.Call, r *token.Result) error {
	info, err := ctx.GetInfo()
	r.Info = token.ModuleInfo{
		CryptokiVersion: version(info.CryptokiVersion),
		Manufacturer:    info.ManufacturerID,
		Library:         info.LibraryDescription,
		LibraryVersion:  version(info.LibraryVersion),
	}
	return err
}

func getSlotList(ctx *pkcs11.Ctx, c token.Call, r *token.Result) (err error) {
	r.Slots, err = ctx.GetSlotList(c.Present)
	return err
}

func getSlotInfo(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	info, err := ctx.GetSlotInfo(c.Slot)
	r.SlotInfo = token.SlotInfo{
		Description:  info.SlotDescription,
		Manufacturer: info.ManufacturerID,
		Flags:        info.Flags,
	}
	return err
}

func getTokenInfo(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	info, err := ctx.GetTokenInfo(c.Slot)
	r.Token = token.TokenInfo{
		Label:        info.Label,
		Manufacturer: info.ManufacturerID,
		Model:        info.Model,
		Serial:       info.SerialNumber,
		Flags:        info.Flags,
		MinPIN:       info.MinPinLen,
		MaxPIN:       info.MaxPinLen,
		Hardware:     version(info.HardwareVersion),
		Firmware:     version(info.FirmwareVersion),
		Sessions:     info.SessionCount,
		RWSessions:   info.RwSessionCount,
		FreePublic:   info.FreePublicMemory,
		FreePrivate:  info.FreePrivateMemory,
	}
	return err
}

func getMechanismList(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	list, err := ctx.GetMechanismList(c.Slot)
	for _, m := range list {
		r.Mechanisms = append(r.Mechanisms, m.Mechanism)
	}
	return err
}

func getMechanismInfo(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	info, err := ctx.GetMechanismInfo(c.Slot, mechanism(c))
	r.KeySizes = token.KeySizes{Min: info.MinKeySize, Max: info.MaxKeySize, Flags: info.Flags}
	return err
}

func initToken(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) (err error) {
	reveal(c.PIN, func(pin string) { err = ctx.InitToken(c.Slot, pin, c.Label) })
	return err
}

func initPIN(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) (err error) {
	reveal(c.PIN, func(pin string) { err = ctx.InitPIN(pkcs11.SessionHandle(c.Session), pin) })
	return err
}

func setPIN(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) (err error) {
	reveal(c.PIN, func(old string) {
		reveal(c.NewPIN, func(pin string) { err = ctx.SetPIN(pkcs11.SessionHandle(c.Session), old, pin) })
	})
	return err
}

func login(ctx *pkcs11.Ctx, c token.Call, _ *token.Result) (err error) {
	reveal(c.PIN, func(pin string) { err = ctx.Login(pkcs11.SessionHandle(c.Session), uint(c.User), pin) })
	return err
}

// reveal calls f with the PIN as a string that shares its bytes, so that Go
// makes no copy of it. The binding makes one in C, for the time of the call.
func reveal(p token.PIN, f func(string)) {
	p.Reveal(func(b []byte) { f(unsafe.String(unsafe.SliceData(b), len(b))) })
}

func openSession(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	flags := token.CKF_SERIAL_SESSION
	if c.ReadWrite {
		flags |= token.CKF_RW_SESSION
	}
	session, err := ctx.OpenSession(c.Slot, flags)
	r.Session = uint(session)
	return err
}

func getSessionInfo(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	info, err := ctx.GetSessionInfo(pkcs11.SessionHandle(c.Session))
	r.State = info.State
	return err
}

// getAttribute asks for each attribute by itself, so that one that the token
// does not know or tell does not lose the others: that one carries its RV.
// What is wrong with more than the attribute ends the call.
func getAttribute(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	for _, typ := range c.Want {
		list, err := ctx.GetAttributeValue(pkcs11.SessionHandle(c.Session), pkcs11.ObjectHandle(c.Object),
			[]*pkcs11.Attribute{{Type: typ}})
		a := token.Attribute{Type: typ}
		switch {
		case err != nil && !token.AttributeOnly(rv(err)):
			return err
		case err != nil:
			a.Err = rv(err)
		default:
			a.Value = list[0].Value
		}
		r.Attributes = append(r.Attributes, a)
	}
	return nil
}

func findObjects(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	handles, _, err := ctx.FindObjects(pkcs11.SessionHandle(c.Session), c.Max)
	for _, h := range handles {
		r.Objects = append(r.Objects, uint(h))
	}
	return err
}

func sign(ctx *pkcs11.Ctx, c token.Call, r *token.Result) (err error) {
	r.Signature, err = ctx.Sign(pkcs11.SessionHandle(c.Session), c.Data)
	return err
}

func generateKeyPair(ctx *pkcs11.Ctx, c token.Call, r *token.Result) error {
	pub, priv, err := ctx.GenerateKeyPair(pkcs11.SessionHandle(c.Session), mechanism(c),
		attributes(c.Template), attributes(c.Private))
	r.Public, r.Private = uint(pub), uint(priv)
	return err
}

func generateRandom(ctx *pkcs11.Ctx, c token.Call, r *token.Result) (err error) {
	r.Random, err = ctx.GenerateRandom(pkcs11.SessionHandle(c.Session), c.Length)
	return err
}

func mechanism(c token.Call) []*pkcs11.Mechanism {
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(c.Mechanism, nil)}
}

func attributes(list []token.Attribute) []*pkcs11.Attribute {
	var out []*pkcs11.Attribute
	for _, a := range list {
		out = append(out, &pkcs11.Attribute{Type: a.Type, Value: a.Value})
	}
	return out
}

// version prints a CK_VERSION: the minor number is in hundredths, but no module
// and no tool shows it so.
func version(v pkcs11.Version) string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }
