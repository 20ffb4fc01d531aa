package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/interop"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

const fillProbed = `<%@ Page Language="C#" %>
<script runat="server">
public class Cart { public int Lines = 1; }
[Serializable] public class Order { public Cart Inside = new Cart(); }
void Page_Load(object s, EventArgs e) {
  Session["visits"] = 3;
  Session["na\"me\u00e9"] = "hush-hush";
  Session["nothing"] = null;
  if (Request.QueryString["bad"] != null) { Session["cart"] = new Cart(); Session["order"] = new Order(); }
  Response.ContentType = "text/plain";
  Response.Write("filled");
  Response.End();
}
</script>
`

// probeSite puts the page into an application and asks it as a visitor does
// whose session holds items.
func probeSite(t *testing.T, app *interop.App, fill string) (answer []byte, id string) {
	t.Helper()
	file := filepath.Join(app.Dir(), "probe.aspx")
	got := runTool(nil, "probe", "--out", file)
	require.Equal(t, exitOK, got.code, got.stderr)
	csharp2, err := os.ReadFile(file)
	require.NoError(t, err)
	csharp2 = []byte(strings.Replace(string(csharp2), "<%@ Page ", `<%@ Page CompilerOptions="/langversion:ISO-2" `, 1)) // as old servers have it
	require.NoError(t, os.WriteFile(file, csharp2, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(app.Dir(), "fillprobed.aspx"), []byte(fillProbed), 0o600))
	address := regexp.MustCompile(`probe\.aspx\?token=[a-z0-9]+`).FindString(string(got.stdout))
	require.NotEmpty(t, address)

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Jar: jar, Transport: transport, Timeout: 2 * time.Minute}
	get := func(page string) (int, []byte) {
		resp, err := client.Get(app.URL(page))
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		if c := resp.Cookies(); len(c) > 0 {
			id = c[0].Value
		}
		return resp.StatusCode, b
	}
	status, page := get(fill)
	require.Equal(t, http.StatusOK, status, "%s", page)
	require.Equal(t, "filled", string(page))
	for _, stranger := range []string{"probe.aspx", "probe.aspx?token=", "probe.aspx?token=@TOKEN@"} {
		status, page = get(stranger)
		require.Equal(t, http.StatusNotFound, status)
		require.Equal(t, "not found", strings.TrimSpace(string(page)))
	}
	status, answer = get(address)
	require.Equal(t, http.StatusOK, status, "%s", answer)
	for _, secret := range []string{"hush-hush", id} {
		require.NotContains(t, string(answer), secret)
	}
	return answer, id
}

// The page tells of an application on Mono what doctor needs, and doctor reads
// it: of a shared site nothing but the page's own surroundings is told.
func TestProbeOnMono(t *testing.T) {
	addr := stateService(t, stateservice.Options{})
	app := interop.NewApp(t, interop.AppOptions{Server: addr, SessionState: map[string]string{"cookieName": "sid"}})
	answer, id := probeSite(t, app, "fillprobed.aspx")
	file := writeFile(t, answer)
	p, err := readProbe(file)
	require.NoError(t, err, "%s", answer)
	require.NotEmpty(t, p.AppID)
	require.Equal(t, "/", p.VirtualPath)
	require.Empty(t, p.KeyBase)
	require.Equal(t, "Mono", p.Runtime)
	require.Contains(t, []int{32, 64}, p.Bits)
	at, err := time.Parse(time.RFC3339, p.Clock)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, 5*time.Minute)
	require.EqualValues(t, 110, p.HTTPRuntime.ExecutionTimeoutSeconds)
	require.Equal(t, "Custom", p.SessionState.Mode)
	require.Equal(t, "sid", p.SessionState.CookieName)
	require.Equal(t, "UseCookies", p.SessionState.Cookieless)
	require.Contains(t, p.SessionState.ProviderType, "Rig.StateServerProvider")
	require.Equal(t, idHash(id), p.IDHash)
	var names []string
	for _, it := range p.Items {
		names = append(names, it.Name+" "+it.Type)
		require.NotNil(t, it.Serializable, it.Name)
		require.True(t, *it.Serializable, it.Name)
	}
	require.Equal(t, []string{"visits System.Int32", "na\"me\u00e9 System.String", "nothing null"}, names)

	// The rig's provider speaks of /LM/W3SVC/1/ROOT, whatever the host says. The
	// site's own web.config has the rig's provider: doctor is given Microsoft's.
	store := stateStore(t, stateserver.Options{Addr: addr, AppID: doctorApp})
	defer closeStore(store)
	_, err = store.Get(t.Context(), id)
	require.NoError(t, err)
	got := runTool(nil, "doctor", "--json", "--config", stateConfig(t, addr, `cookieName="sid"`, ""), "--id", "sid="+id, "--key-base", "/LM/W3SVC/1/ROOT(cAHkmVhipCLv/QnONQmPsKL+q/AjnK/nYS9aV3Zlad8=)/", "--probe", file)
	var r report
	require.NoError(t, json.Unmarshal(got.stdout, &r))
	require.NotEmpty(t, r.Findings)
	require.Equal(t, "mode", r.Findings[0].Fault, "%s", got.stdout)
	for _, s := range r.Steps {
		if s.Name != "compare" {
			require.Equal(t, "ok", s.Result, "%s", got.stdout)
		}
	}
}

// A site that is still InProc: the page tells which items keep it there, and
// doctor says so first.
func TestProbeBeforeASiteLeavesInProc(t *testing.T) {
	app := interop.NewApp(t, interop.AppOptions{Server: stateService(t, stateservice.Options{})})
	app.Stop()
	config := filepath.Join(app.Dir(), "web.config")
	require.NoError(t, os.WriteFile(config, []byte(`<?xml version="1.0"?>
<configuration><system.web>
<compilation debug="true" targetFramework="4.5" /><httpRuntime targetFramework="4.5" executionTimeout="300" /><customErrors mode="Off" />
<sessionState mode="InProc" timeout="33" />
</system.web></configuration>`), 0o600))
	require.NoError(t, app.Start())
	answer, _ := probeSite(t, app, "fillprobed.aspx?bad=1")
	file := writeFile(t, answer)
	p, err := readProbe(file)
	require.NoError(t, err, "%s", answer)
	require.Equal(t, "InProc", p.SessionState.Mode)
	require.EqualValues(t, 33, p.SessionState.TimeoutMinutes)
	require.EqualValues(t, 300, p.HTTPRuntime.ExecutionTimeoutSeconds)
	bad := map[string]string{}
	for _, it := range p.Items {
		require.NotNil(t, it.Serializable, it.Name)
		if !*it.Serializable {
			bad[it.Name] = it.Problem
		}
	}
	require.Len(t, bad, 2, "%s", answer)
	require.Contains(t, bad["cart"], "Cart")
	require.Contains(t, bad["order"], "Cart", "the class inside is the culprit")

	got := runTool(nil, "doctor", "--json", "--config", config, "--probe", file)
	require.Equal(t, exitData, got.code)
	var r report
	require.NoError(t, json.Unmarshal(got.stdout, &r))
	var faults []string
	for _, f := range r.Findings {
		faults = append(faults, f.Fault)
	}
	require.Equal(t, "inproc", faults[0])
	require.Contains(t, faults, "not-serializable")
}

func TestProbeWritesAPage(t *testing.T) {
	got := runTool(nil, "probe")
	require.Equal(t, exitOK, got.code)
	page := string(got.stdout)
	require.True(t, strings.HasPrefix(page, "<%@ Page "))
	require.NotContains(t, page, "@TOKEN@")
	require.NotContains(t, page, "@UNTIL@")
	token := regexp.MustCompile(`token=(\S+)`).FindStringSubmatch(got.stderr)
	require.NotNil(t, token)
	require.Contains(t, page, `const string Token = "`+token[1]+`"`)
	require.NotEqual(t, page, string(runTool(nil, "probe").stdout), "each page has a token of its own")

	file := filepath.Join(t.TempDir(), "probe.aspx")
	got = runTool(nil, "probe", "--json", "--out", file)
	require.Equal(t, exitOK, got.code)
	var told struct{ File, Token, Until string }
	require.NoError(t, json.Unmarshal(got.stdout, &told))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(b), told.Token)
	require.Equal(t, exitData, runTool(nil, "probe", "--out", file).code, "a file that is there stays")
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, b, after)
	require.Equal(t, exitUsage, runTool(nil, "probe", "--json").code)
	require.Equal(t, exitUsage, runTool(nil, "probe", "x").code)
}

func TestReadProbe(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "not found", "an empty object": "{}", "another kind": `{"probe": 1}`, "another version": `{"probe":"2"}`,
		"a list": "[]", "a cut one": `{"probe":"1","appId":"/LM`,
	} {
		_, err := readProbe(writeFile(t, []byte(text)))
		require.ErrorContains(t, err, "probe.aspx", name)
	}
	_, err := readProbe(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	p, err := readProbe(writeFile(t, []byte("\ufeff{\"probe\":\"1\"}")))
	require.NoError(t, err)
	require.Empty(t, p.Items)
}

// Whatever a file holds, doctor reads it as an answer or says that it is none.
func FuzzProbe(f *testing.F) {
	for _, s := range []string{
		`{"probe":"1"}`, `{"probe":"1","appId":"/lm/w3svc/1/root","keyBase":"x","virtualPath":"/a","utcOffsetMinutes":-210,"items":[{"name":"a","serializable":false},{}]}`,
		`{"probe":"1","httpRuntime":{"executionTimeoutSeconds":9223372036854775807},"sessionState":{"mode":"Off","cookieName":"\u001b[2J"}}`, "", "[", "null",
	} {
		f.Add(s)
	}
	config := stateConfigOf(f)
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "probe.json")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		got := runTool(nil, "doctor", "--config", config, "--app-id", doctorApp, "--probe", file)
		if got.code != exitData || strings.ContainsRune(string(got.stdout)+got.stderr, 0x1b) {
			t.Fatalf("code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
	})
}
