package msasp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/msasp"
)

// Targets that Microsoft's published client code made.
func TestTargets(t *testing.T) {
	var rows []struct {
		AppID, UriBase string
		Requests       []struct{ ID, URI string }
	}
	b, err := os.ReadFile("testdata/uris.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &rows))
	require.NotEmpty(t, rows)
	for _, row := range rows {
		require.Equal(t, row.UriBase, msasp.Base(row.AppID))
		for _, r := range row.Requests {
			target := msasp.AppendTarget(nil, row.UriBase+r.ID)
			require.Equal(t, r.URI, string(target))
			require.Equal(t, row.UriBase+r.ID, string(msasp.AppendKey(nil, target)))
		}
	}
}

// The forms in which one key arrives.
func TestKeys(t *testing.T) {
	for target, key := range map[string]string{
		"%2fLM%2fW3SVC%2f1%2fROOT(a%3d)%2fid": "/LM/W3SVC/1/ROOT(a=)/id",   // .NET 2.0 to 4.8
		"//LM/W3SVC/1/ROOT(a=)/id":            "/LM/W3SVC/1/ROOT(a=)/id",   // .NET 1.x
		"/w3svc/root/app(hash%3d)%2fid":       "/w3svc/root/app(hash=)/id", // MS-ASP's examples
		"/LM":                                 "/LM",
		"///LM":                               "//LM",
		"%2f%2fLM":                            "//LM", // only literal slashes are one too many
		"a+b%2Bc":                             "a b+c",
		"%zz%4":                               "%zz%4", // malformed escapes are text
		"%":                                   "%",
		"%u00e9":                              "é",
		"%u20ACx":                             "€x",
		"%ud83d%ude00":                        "😀",
		"%ud83dx":                             "\ufffdx",
		"%u12":                                "%u12",
		"%c3%a9":                              "é",
		"%FF":                                 "\xff",
		"":                                    "",
		"/":                                   "/",
	} {
		require.Equal(t, key, string(msasp.AppendKey(nil, []byte(target))), target)
	}
}

func TestKeyedBases(t *testing.T) {
	key, err := hex.DecodeString("21F090935F6E49C2C797F69BBAAD8402ABD2EE0B667A8B44EA7DD4374267A75D7AD972A119482D15A4127461DB1DC347C1A63AE5F1CCFAACFF1B72A7F0A281B0")
	require.NoError(t, err)
	for validation, hash := range map[msasp.Validation]string{
		msasp.SHA1: "+ojqKPXi/AxbzrGWTOkR3wS94P4=", msasp.AES: "+ojqKPXi/AxbzrGWTOkR3wS94P4=", msasp.TripleDES: "+ojqKPXi/AxbzrGWTOkR3wS94P4=", "sha1": "+ojqKPXi/AxbzrGWTOkR3wS94P4=",
		msasp.HMACSHA256: "iMn+odvD3wra06i7wCj6W93TI7A2OwHzxk/gwxVY8qc=",
	} {
		base, err := msasp.KeyedBase("/LM/W3SVC/1/ROOT", validation, key)
		require.NoError(t, err)
		require.Equal(t, "/LM/W3SVC/1/ROOT("+hash+")/", base)
	}
	for validation, size := range map[msasp.Validation]int{msasp.MD5: 24, msasp.HMACSHA384: 64, msasp.HMACSHA512: 88} {
		base, err := msasp.KeyedBase("app", validation, key)
		require.NoError(t, err)
		require.Len(t, base, len("/app()/")+size)
	}
	_, err = msasp.KeyedBase("/", msasp.SHA1, make([]byte, 65))
	require.ErrorContains(t, err, "65 bytes")
	_, err = msasp.KeyedBase("/", "ROT13", key)
	require.ErrorContains(t, err, "ROT13")
}

const sampleKey = "/LM/W3SVC/1/ROOT(cAHkmVhipCLv/QnONQmPsKL+q/AjnK/nYS9aV3Zlad8=)/2ne4zzc4yrcakgqbxgtomtfb"
const sampleTarget = "%2fLM%2fW3SVC%2f1%2fROOT(cAHkmVhipCLv%2fQnONQmPsKL%2bq%2fAjnK%2fnYS9aV3Zlad8%3d)%2f2ne4zzc4yrcakgqbxgtomtfb"

// The seven requests, byte for byte, with what they read back to.
var requests = []struct {
	name string
	req  msasp.Request
	wire string
}{
	{"Get", msasp.Request{Verb: msasp.GET}, "GET K HTTP/1.1\r\nHost: 10.0.0.5:42424\r\n\r\n"},
	{"GetExclusive", msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire}, "GET K HTTP/1.1\r\nHost: 10.0.0.5:42424\r\nExclusive: acquire\r\n\r\n"},
	{"ReleaseExclusive", msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveRelease, LockCookie: msasp.Int32(2)}, "GET K HTTP/1.1\r\nHost: 10.0.0.5:42424\r\nExclusive: release\r\nLockCookie: 2\r\n\r\n"},
	{"Set", msasp.Request{Verb: msasp.PUT, Length: 55, Timeout: msasp.Int32(20), LockCookie: msasp.Int32(2), ExtraFlags: msasp.Int32(0)}, "PUT K HTTP/1.1\r\nHost: 10.0.0.5:42424\r\nContent-Length: 55\r\nTimeout: 20\r\nLockCookie: 2\r\nExtraFlags: 0\r\n\r\n"},
	{"SetUninitialized", msasp.Request{Verb: msasp.PUT, Length: 7, Timeout: msasp.Int32(20), ExtraFlags: msasp.Int32(1)}, "PUT K HTTP/1.1\r\nHost: 10.0.0.5:42424\r\nContent-Length: 7\r\nTimeout: 20\r\nExtraFlags: 1\r\n\r\n"},
	{"Remove", msasp.Request{Verb: msasp.DELETE, LockCookie: msasp.Int32(2)}, "DELETE K HTTP/1.1\r\nHost: 10.0.0.5:42424\r\nLockCookie: 2\r\n\r\n"},
	{"ResetTimeout", msasp.Request{Verb: msasp.HEAD}, "HEAD K HTTP/1.1\r\nHost: 10.0.0.5:42424\r\n\r\n"},
	{"ours", msasp.Request{Verb: msasp.HEAD, Ours: true}, "HEAD K HTTP/1.1\r\nHost: 10.0.0.5:42424\r\nAspsession: 1\r\n\r\n"},
}

func TestRequests(t *testing.T) {
	for _, row := range requests {
		wire := strings.Replace(row.wire, "K", sampleTarget, 1)
		require.Equal(t, wire, string(row.req.Append(nil, sampleKey, "10.0.0.5:42424")), row.name)
		// However it is cut into packets.
		for name, src := range map[string]io.Reader{
			"whole": strings.NewReader(wire), "bytes": iotest.OneByteReader(strings.NewReader(wire)), "halves": iotest.HalfReader(strings.NewReader(wire)),
		} {
			r := msasp.NewReader(src, msasp.Limits{})
			var got msasp.Request
			require.NoError(t, r.Request(&got), row.name+name)
			require.Equal(t, sampleTarget, string(got.Target))
			got.Target = nil
			require.Equal(t, row.req, got, row.name+name)
			require.Equal(t, io.ErrUnexpectedEOF, r.Request(&got))
		}
	}
}

// The replies of the sheet's section 1.5, bare and with a version.
var replies = []struct {
	rep  msasp.Reply
	wire string
}{
	{msasp.Reply{Status: 200, Timeout: msasp.Int32(20), Length: 55}, "200 OK\r\nX-AspNet-Version: 4.0.30319\r\nTimeout: 20\r\nCache-Control: private\r\nContent-Length: 55\r\n\r\n"},
	{msasp.Reply{Status: 200, LockCookie: msasp.Int32(2), Timeout: msasp.Int32(20), Length: 55}, "200 OK\r\nX-AspNet-Version: 4.0.30319\r\nLockCookie: 2\r\nTimeout: 20\r\nCache-Control: private\r\nContent-Length: 55\r\n\r\n"},
	{msasp.Reply{Status: 200, ActionFlags: msasp.Int32(1), LockCookie: msasp.Int32(2), Timeout: msasp.Int32(20), Length: 7}, "200 OK\r\nX-AspNet-Version: 4.0.30319\r\nActionFlags: 1\r\nLockCookie: 2\r\nTimeout: 20\r\nCache-Control: private\r\nContent-Length: 7\r\n\r\n"},
	{msasp.Reply{Status: 200}, "200 OK\r\nX-AspNet-Version: 4.0.30319\r\nCache-Control: private\r\nContent-Length: 0\r\n\r\n"},
	{msasp.Reply{Status: 400}, "400 Bad Request\r\nX-AspNet-Version: 4.0.30319\r\nCache-Control: private\r\nContent-Length: 0\r\n\r\n"},
	{msasp.Reply{Status: 404}, "404 Not Found\r\nX-AspNet-Version: 4.0.30319\r\nCache-Control: private\r\nContent-Length: 0\r\n\r\n"},
	{msasp.Reply{Status: 423, LockDate: 638409114000000000, LockAge: msasp.Int32(12), LockCookie: msasp.Int32(2)}, "423 Locked\r\nX-AspNet-Version: 4.0.30319\r\nLockDate: 638409114000000000\r\nLockAge: 12\r\nLockCookie: 2\r\nCache-Control: private\r\nContent-Length: 0\r\n\r\n"},
	{msasp.Reply{Status: 409, Ours: true}, "409 Conflict\r\nX-AspNet-Version: 4.0.30319\r\nAspsession: 1\r\nCache-Control: private\r\nContent-Length: 0\r\n\r\n"},
}

func TestReplies(t *testing.T) {
	for _, row := range replies {
		for _, bare := range []bool{true, false} {
			wire := row.wire
			if !bare {
				wire = "HTTP/1.1 " + wire
			}
			require.Equal(t, wire, string(row.rep.Append(nil, bare)))
			for _, src := range []io.Reader{strings.NewReader(wire), iotest.OneByteReader(strings.NewReader(wire))} {
				var got msasp.Reply
				require.NoError(t, msasp.NewReader(src, msasp.Limits{}).Reply(&got))
				require.Equal(t, row.rep, got)
			}
		}
	}
}

// What real pages sent is read, and its body given back.
func TestCapturedRequests(t *testing.T) {
	for _, file := range []string{"captured", "captured-deflate"} {
		var capture struct {
			Cases []struct {
				Case, SessionID string
				Request         []string
				Body            string
			}
		}
		b, err := os.ReadFile("testdata/" + file + ".json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &capture))
		require.NotEmpty(t, capture.Cases)
		for _, c := range capture.Cases {
			body, err := base64.StdEncoding.DecodeString(c.Body)
			require.NoError(t, err)
			wire := strings.Join(c.Request, "\r\n") + "\r\n\r\n" + string(body) + "HEAD /next HTTP/1.1\r\n\r\n"
			r := msasp.NewReader(iotest.HalfReader(strings.NewReader(wire)), msasp.Limits{})
			var req msasp.Request
			require.NoError(t, r.Request(&req), c.Case)
			require.Equal(t, msasp.PUT, req.Verb)
			require.Equal(t, msasp.Int32(20), req.Timeout)
			require.True(t, strings.HasSuffix(string(msasp.AppendKey(nil, req.Target)), "/"+c.SessionID))
			got, err := r.Content(req.Length)
			require.NoError(t, err)
			require.Equal(t, body, got)
			require.NoError(t, r.Request(&req), "the next request starts where the body ends")
			require.Equal(t, msasp.HEAD, req.Verb)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, wire := range []string{
		"\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n\r\n", "get / HTTP/1.1\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / FTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\n: empty name\r\n\r\n", "GET / HTTP/1.1\r\n" + long + "\r\n\r\n", "GET /" + long + " HTTP/1.1\r\n\r\n", long,
		"PUT / HTTP/1.1\r\n\r\n", "PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "PUT / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
		"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "PUT / HTTP/1.1\r\nContent-Length:\r\n\r\n",
		"GET / HTTP/1.1\r\n" + strings.Repeat("a: b\r\n", 41) + "\r\n",
	} {
		var req msasp.Request
		require.ErrorIs(t, msasp.NewReader(strings.NewReader(wire), msasp.Limits{}).Request(&req), msasp.ErrMessage, "%.60q", wire)
	}
	for _, wire := range []string{"hello\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "2000 OK\r\n\r\n", "200 OK\r\nbroken\r\n\r\n", "200 OK\r\nContent-Length: 999999999\r\n\r\n", "\r\n"} {
		var rep msasp.Reply
		err := msasp.NewReader(strings.NewReader(wire), msasp.Limits{}).Reply(&rep)
		require.ErrorIs(t, err, msasp.ErrMessage, wire)
		first, _, _ := strings.Cut(wire, "\r\n")
		require.ErrorContains(t, err, first, "the first line is quoted")
	}
	for _, wire := range []string{"", "GET", "GET / HTTP/1.1\r\nHost: x\r\n"} {
		var req msasp.Request
		require.ErrorIs(t, msasp.NewReader(strings.NewReader(wire), msasp.Limits{}).Request(&req), io.ErrUnexpectedEOF)
	}
}

func TestHeaderForms(t *testing.T) {
	for wire, want := range map[string]msasp.Request{
		"LOCKCOOKIE:7":               {LockCookie: msasp.Int32(7)},
		"lock-cookie:  7  ":          {LockCookie: msasp.Int32(7)},
		"LockCookie: -1":             {LockCookie: msasp.Int32(-1)},
		"LockCookie: 2147483648":     {LockCookie: msasp.Number{Set: true, Bad: true}},
		"LockCookie: -2147483648":    {LockCookie: msasp.Int32(-2147483648)},
		"LockCookie: 1x":             {LockCookie: msasp.Number{Set: true, Bad: true}},
		"LockCookie:":                {LockCookie: msasp.Number{Set: true, Bad: true}},
		"LockCookie: 00000000000001": {LockCookie: msasp.Number{Set: true, Bad: true}},
		"Exclusive: ACQUIRE":         {Exclusive: msasp.ExclusiveAcquire},
		"exclusive:Release":          {Exclusive: msasp.ExclusiveRelease},
		"Exclusive: both":            {Exclusive: msasp.ExclusiveBad},
		"X-Other: 1":                 {},
		"Timeout: 20":                {Timeout: msasp.Int32(20)},
		"ExtraFlags: 1":              {ExtraFlags: msasp.Int32(1)},
	} {
		want.Verb = msasp.GET
		want.Target = []byte("/")
		var req msasp.Request
		require.NoError(t, msasp.NewReader(strings.NewReader("GET / HTTP/1.1\n"+wire+"\n\n"), msasp.Limits{}).Request(&req), wire)
		require.Equal(t, want, req, wire)
	}
}

// MS-ASP's examples announce bodies that do not come.
func TestLengthOfAGetIsBelievedOnlyIfABodyIsThere(t *testing.T) {
	head := "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
	for rest, want := range map[string]int{"": 0, "hello": 5, "GET / HTTP/1.1\r\n\r\n": 0, "HE": 0, "HELLO": 5} { // a body that comes later is skipped later
		r := msasp.NewReader(strings.NewReader(head+rest), msasp.Limits{})
		var req msasp.Request
		require.NoError(t, r.Request(&req))
		require.Equal(t, want, req.Length, rest)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	req := msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire, Ours: true}
	wire := req.Append(nil, sampleKey, "10.0.0.5:42424")
	src := &loop{data: wire}
	r := msasp.NewReader(src, msasp.Limits{})
	var got msasp.Request
	var key, out []byte
	rep := msasp.Reply{Status: 200, LockCookie: msasp.Int32(2), Timeout: msasp.Int32(20), Length: 55}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if r.Request(&got) != nil {
			t.Fatal("not read")
		}
		key = msasp.AppendKey(key[:0], got.Target)
		out = rep.Append(out[:0], false)
		out = got.Append(out, "key", "host")
	}))
	src.data = append(rep.Append(nil, false), make([]byte, 55)...)
	src.at = 0
	r = msasp.NewReader(src, msasp.Limits{})
	body := make([]byte, 55)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if r.Reply(&rep) != nil || r.Body(body) != nil {
			t.Fatal("not read")
		}
	}))
}

// loop is a peer who says the same for ever.
type loop struct {
	data []byte
	at   int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.data[l.at:])
	l.at = (l.at + n) % len(l.data)
	return n, nil
}

// FuzzReader: whatever arrives, cut as it may be, is read to the same messages,
// and never more than the limits allow.
func FuzzReader(f *testing.F) {
	for _, row := range requests {
		f.Add([]byte(strings.Replace(row.wire, "K", sampleTarget, 1)+"body"), uint8(3))
	}
	for _, row := range replies {
		f.Add([]byte("HTTP/1.1 "+row.wire), uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		limits := msasp.Limits{Line: 300, Headers: 8, Body: 1 << 16}
		whole := readAll(bytes.NewReader(data), limits)
		pieces := readAll(&chunks{data, int(cut)%7 + 1}, limits)
		// Only what is buffered already tells a body on a GET.
		if !strings.Contains(strings.ToLower(string(data)), "content-length") {
			require.Equal(t, whole, pieces)
		}
		var rep msasp.Reply
		r := msasp.NewReader(bytes.NewReader(data), limits)
		if r.Reply(&rep) == nil {
			require.LessOrEqual(t, rep.Length, limits.Body)
		}
		key := msasp.AppendKey(nil, data)
		require.LessOrEqual(t, len(key), len(data)+len(data)/2)
		again := msasp.AppendKey(nil, msasp.AppendTarget(nil, string(key)))
		require.Equal(t, string(key), string(again))
	})
}

func readAll(src io.Reader, limits msasp.Limits) (log []string) {
	r := msasp.NewReader(src, limits)
	var req msasp.Request
	for range 50 {
		if err := r.Request(&req); err != nil {
			return append(log, err.Error())
		}
		b, _ := json.Marshal(req)
		log = append(log, string(b))
		if req.Length > limits.Body || r.Discard(req.Length) != nil {
			return append(log, "body")
		}
	}
	return log
}

type chunks struct {
	data []byte
	size int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.size)], c.data)
	c.data = c.data[n:]
	return n, nil
}
