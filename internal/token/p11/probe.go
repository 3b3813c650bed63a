package p11

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// The head of CK_FUNCTION_LIST (pkcs11-base-v2.40, section 3.4): the version,
// then a pointer for each function in the order of the standard.
struct list {
	unsigned char major, minor;
	void *functions[68];
};
typedef unsigned long (*get_list)(struct list **);

enum { LOADED, NOT_LOADED, NO_SYMBOL, NO_LIST, NO_FUNCTION };

// probe loads a module and looks whether it gives a list of functions in which
// each of the wanted ones is there. why is the loader's message, to be freed;
// rv what C_GetFunctionList returned, or the number of the missing function.
static int probe(const char *path, const int *wanted, int count, char **why, unsigned long *rv) {
	void *handle = dlopen(path, RTLD_LAZY);
	if (!handle) {
		const char *e = dlerror();
		*why = strdup(e ? e : "no reason given");
		return NOT_LOADED;
	}
	get_list get = (get_list)dlsym(handle, "C_GetFunctionList");
	if (!get) return NO_SYMBOL;
	struct list *l = NULL;
	*rv = get(&l);
	if (*rv != 0 || !l) return NO_LIST;
	for (int i = 0; i < count; i++) {
		if (!l->functions[wanted[i]]) {
			*rv = wanted[i];
			return NO_FUNCTION;
		}
	}
	return LOADED;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/keyrite/keyrite/internal/token"
)

// positions is where each function stands in CK_FUNCTION_LIST.
var positions = map[token.Function]C.int{
	token.Initialize:       0,
	token.Finalize:         1,
	token.GetInfo:          2,
	token.GetSlotList:      4,
	token.GetSlotInfo:      5,
	token.GetTokenInfo:     6,
	token.GetMechanismList: 7,
	token.GetMechanismInfo: 8,
	token.InitToken:        9,
	token.InitPIN:          10,
	token.SetPIN:           11,
	token.OpenSession:      12,
	token.CloseSession:     13,
	token.CloseAllSessions: 14,
	token.GetSessionInfo:   15,
	token.Login:            18,
	token.Logout:           19,
	token.DestroyObject:    22,
	token.GetAttribute:     24,
	token.FindObjectsInit:  26,
	token.FindObjects:      27,
	token.FindObjectsFinal: 28,
	token.SignInit:         42,
	token.Sign:             43,
	token.GenerateKeyPair:  59,
	token.GenerateRandom:   64,
}

// probe loads the library and looks at its list of functions. The binding does
// the same, but says no reason when it fails and crashes on an empty list. The
// library stays loaded.
func probe(path string) error {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	wanted := make([]C.int, 0, len(token.Functions))
	for _, f := range token.Functions {
		wanted = append(wanted, positions[f])
	}
	var why *C.char
	var rv C.ulong
	switch C.probe(cpath, &wanted[0], C.int(len(wanted)), &why, &rv) {
	case C.NOT_LOADED:
		defer C.free(unsafe.Pointer(why))
		return fmt.Errorf("it cannot be loaded: install what it needs, or its package anew: %s", C.GoString(why))
	case C.NO_SYMBOL:
		return errors.New("it is no PKCS#11 module (it has no C_GetFunctionList): " + useModule)
	case C.NO_LIST:
		return fmt.Errorf("it gives no list of functions: install its package anew: C_GetFunctionList: %w", token.RV(rv))
	case C.NO_FUNCTION:
		return fmt.Errorf("it does not offer %s: %s", functionAt(C.int(rv)), useModule)
	}
	return nil
}

func functionAt(position C.int) token.Function {
	for f, p := range positions {
		if p == position {
			return f
		}
	}
	return ""
}
