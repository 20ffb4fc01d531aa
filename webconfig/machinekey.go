package webconfig

import (
	"fmt"
	"strings"
)

var machineKeyAttributes = []string{
	"validationKey", "decryptionKey", "validation", "decryption", "compatibilityMode", "applicationName", "dataProtectorType",
}

var (
	validations = []string{"HMACSHA256", "HMACSHA384", "HMACSHA512", "SHA1", "MD5", "AES", "3DES"}
	decryptions = []string{"Auto", "AES", "3DES", "DES"}
	compat      = []string{"Framework20SP1", "Framework20SP2", "Framework45"}
)

func (r *reader) machineKey(c *Config) {
	v := r.attributes("machineKey", machineKeyAttributes, true)
	m := &c.MachineKey
	m.Validation = v.algorithm("validation", validations)
	m.Decryption = v.algorithm("decryption", decryptions)
	m.ValidationKey = v.key("validationKey", 40)
	m.DecryptionKey = v.key("decryptionKey", 16)
	standard := 0
	if target, _ := parseVersion(c.Runtime.TargetFramework); target.atLeast(4, 5, 0) {
		standard = 2
	}
	m.CompatibilityMode = compat[v.enum("compatibilityMode", standard, compat...)]
	m.ApplicationName = v.text("applicationName", "")
	m.DataProtectorType = v.text("dataProtectorType", "")
	r.childless("machineKey")
}

// algorithm is one of names, of which the first is the default, or alg:Name.
func (v values) algorithm(name string, names []string) string {
	if a, ok := v.find(name); ok {
		if rest, custom := strings.CutPrefix(a.value, "alg:"); custom && rest != "" && showName(rest) == rest {
			return a.value
		}
	}
	return names[v.enum(name, 0, names...)]
}

// key takes the modifiers off the end, the last first, as ASP.NET does.
func (v values) key(name string, least int) Key {
	text := v.text(name, "AutoGenerate,IsolateApps")
	var k Key
	text, k.IsolateByAppID = strings.CutSuffix(text, ",IsolateByAppId")
	text, k.IsolateApps = strings.CutSuffix(text, ",IsolateApps")
	if text == "AutoGenerate" {
		k.AutoGenerate = true
		return k
	}
	want := fmt.Sprintf("write AutoGenerate, or an even number of hexadecimal digits, at least %d, and behind it, if need be, ,IsolateApps and ,IsolateByAppId in this order and spelling", least)
	notHex := func(c rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", c) }
	switch {
	case strings.ContainsFunc(text, notHex):
		v.errorf(v.pos(name), ErrValue, want, "machineKey %s holds a character that is no hexadecimal digit", name)
	case len(text) < least || len(text)%2 != 0:
		v.errorf(v.pos(name), ErrValue, want, "machineKey %s has %d hexadecimal digits", name, len(text))
	}
	k.Hex = NewSecret(text)
	return k
}
