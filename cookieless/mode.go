package cookieless

import (
	"fmt"
	"strings"
)

// Mode is sessionState's cookieless attribute: how the id travels.
type Mode uint8

const (
	// UseCookies: in the cookie, always. The default.
	UseCookies Mode = iota
	// UseURI: in the path, always.
	UseURI
	// AutoDetect: in the cookie where the client shows that it keeps cookies,
	// else in the path. Costs every first visit one redirect.
	AutoDetect
	// UseDeviceProfile: in the path where Options.Device says so, else in the
	// cookie.
	UseDeviceProfile
)

var modeNames = [...]string{"UseCookies", "UseUri", "AutoDetect", "UseDeviceProfile"}

// String is the spelling of web.config.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// ParseMode reads the attribute as web.config spells it: the names, and false and
// true for UseCookies and UseUri. Case does not count.
func ParseMode(s string) (Mode, error) {
	for m, name := range modeNames {
		if strings.EqualFold(s, name) {
			return Mode(m), nil
		}
	}
	switch {
	case strings.EqualFold(s, "false"):
		return UseCookies, nil
	case strings.EqualFold(s, "true"):
		return UseURI, nil
	}
	return UseCookies, fmt.Errorf("cookieless: mode %q is none of UseCookies, false, UseUri, true, AutoDetect, UseDeviceProfile", s)
}
