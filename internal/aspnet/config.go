package aspnet

import (
	"encoding/xml"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// AppOptions of a web application. Pages, Ready and Server are needed.
type AppOptions struct {
	// Pages are the application's files.
	Pages fs.FS
	// Ready is the page that says that the application is up: it is asked for
	// until it answers 200.
	Ready string
	// WebConfig is the application's web.config. Default one with the session
	// provider and what the fields below say, which are unused otherwise but for
	// Server.
	WebConfig []byte
	// Server is the address of the state service, host:port.
	Server string
	// AppID is the application id. Default "/LM/W3SVC/1/ROOT", in all of them:
	// applications with one id share their sessions.
	AppID string
	// Timeout is the sliding timeout in minutes. Default 20.
	Timeout int
	// Compress is what compressionEnabled is to Microsoft's module.
	Compress bool
	// Provider holds further attributes of the provider. "trace" is the path of
	// a file for every exchange with the state service, bodies in Base64;
	// encodeUri="false" sends the keys as .NET 1.x does.
	Provider map[string]string
	// SessionState holds further attributes of <sessionState>, such as
	// cookieName.
	SessionState map[string]string
}

// webConfig is the application's web.config.
func (o AppOptions) webConfig() []byte {
	provider := map[string]string{
		"name": "StateServer", "type": "Rig.StateServerProvider, RigStateServer",
		"server": o.Server, "appId": o.AppID,
	}
	if o.AppID == "" {
		provider["appId"] = "/LM/W3SVC/1/ROOT"
	}
	if o.Compress {
		provider["compress"] = "true"
	}
	maps.Copy(provider, o.Provider)
	state := map[string]string{
		"mode": "Custom", "customProvider": "StateServer",
		"sessionIDManagerType": "Rig.FrameworkIds, RigIds", "timeout": "20",
	}
	if o.Timeout != 0 {
		state["timeout"] = strconv.Itoa(o.Timeout)
	}
	maps.Copy(state, o.SessionState)
	return []byte(`<?xml version="1.0"?>
<configuration>
  <system.web>
    <compilation debug="true" targetFramework="4.5" />
    <httpRuntime targetFramework="4.5" />
    <customErrors mode="Off" />
    <sessionState` + attributes(state) + `>
      <providers>
        <add` + attributes(provider) + ` />
      </providers>
    </sessionState>
  </system.web>
</configuration>
`)
}

// attributes spells them in the order of their names.
func attributes(m map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b.WriteString(" " + name + `="`)
		_ = xml.EscapeText(&b, []byte(m[name])) // a Builder takes everything
		b.WriteByte('"')
	}
	return b.String()
}
