package recorded

import (
	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
)

// ModuleInfo is a CK_INFO as it stands in the log.
func ModuleInfo(i token.ModuleInfo) audit.ModuleInfo {
	return audit.ModuleInfo{
		CryptokiVersion: text(i.CryptokiVersion),
		Manufacturer:    text(i.Manufacturer),
		Library:         text(i.Library),
		LibraryVersion:  text(i.LibraryVersion),
	}
}
