package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the server has and this web.config has not is a fault: types of the site's
// own, which a web.config above may name, and a cookie of another domain.
func TestDoctorComparesWhatIsMissing(t *testing.T) {
	s := startService(t)
	for name, test := range map[string]struct{ cookies, state, fault string }{
		"id manager":         {"", `,"sessionIDManagerType":"Shop.Ids, Shop"`, "foreign-type"},
		"partition resolver": {"", `,"partitionResolverType":"Shop.Parts, Shop"`, "foreign-type"},
		"domain":             {`<httpCookies domain=".shop.example"/>`, "", "cookie-domain"},
		"nothing":            {"", `,"sessionIDManagerType":""`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			config, page := filepath.Join(dir, "web.config"), filepath.Join(dir, "p.json")
			require.NoError(t, os.WriteFile(config, []byte(`<configuration><system.web>`+test.cookies+`<sessionState mode="StateServer" stateConnectionString="tcpip=`+s.addr+`"/></system.web></configuration>`), 0o600))
			require.NoError(t, os.WriteFile(page, []byte(`{"probe":"1","appId":"/LM/W3SVC/1/ROOT","virtualPath":"/","httpCookies":{"domain":""},"sessionState":{"mode":"StateServer"`+test.state+`},"items":[]}`), 0o600))
			r := runTool(nil, "doctor", "--json", "--config", config, "--probe", page)
			var got report
			require.NoError(t, json.Unmarshal(r.stdout, &got))
			require.Equal(t, test.fault == "", got.Healthy, "%s", r.stdout)
			if test.fault != "" {
				require.Equal(t, test.fault, got.Findings[0].Fault)
			}
		})
	}
}
