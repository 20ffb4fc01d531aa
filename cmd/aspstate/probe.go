package main

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

//go:embed probe.aspx
var probePage string

const probeHelp = `  --out FILE   Write the page there and not to standard output. A file that is
               there stays as it is.
  --json       With --out: print one JSON object, file, token and until, and not
               where the page answers.

Put the page into the application's folder as probe.aspx, open it in a browser
that has visited the site, at the address that is printed, and save what it
answers: "aspstate doctor --probe FILE" reads that. It tells the application's
id, the framework, clock and settings, and of every item of your own session its
name, its type and whether it can be serialized, never a value.

The page answers to who knows the token in its address, and for a day. Delete it
then.
`

// probeLife is for how long a page answers.
const probeLife = 24 * time.Hour

// probe is the verb.
func probe(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	out := flags.String("out", "", "")
	asJSON := flags.Bool("json", false, "")
	if code, done := c.parse(flags, 0); done {
		return code
	}
	if *out == "-" {
		*out = "" // standard output, as for the other verbs
	}
	if *asJSON && *out == "" {
		fmt.Fprintf(c.stderr, "aspstate: %s: --json tells of the page that --out writes: give both\n", c.name)
		return exitUsage
	}
	token := strings.ToLower(rand.Text())
	until := time.Now().Add(probeLife).UTC()
	page := strings.NewReplacer("@TOKEN@", token, "@UNTIL@", until.Format("2006-01-02T15:04:05")).Replace(probePage)
	address := "probe.aspx?token=" + token
	if *out == "" {
		fmt.Fprintf(c.stderr, "aspstate: %s: the page answers at %s until %s\n", c.name, address, until.Format(time.RFC3339))
		return c.write([]byte(page), exitOK)
	}
	f, err := os.OpenFile(*out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		_, err = io.WriteString(f, page)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		c.file = *out
		return c.fail(withoutPath(err))
	}
	if *asJSON {
		b, _ := json.Marshal(map[string]any{"file": *out, "token": token, "until": until.Truncate(time.Second)}) // cannot fail
		return c.write(append(b, '\n'), exitOK)
	}
	return c.write(fmt.Appendf(nil, "%s is written. Put it into the application's folder as probe.aspx; it answers at\n  %s\nuntil %s. Delete it then.\n",
		label(*out, 200), address, until.Format(time.RFC3339)), exitOK)
}

// A probed is what the page answered. A missing text is "".
type probed struct {
	Probe            string `json:"probe"`
	AppID            string `json:"appId"`
	VirtualPath      string `json:"virtualPath"`
	KeyBase          string `json:"keyBase"`
	Runtime          string `json:"runtime"`
	CLR              string `json:"clr"`
	SystemWeb        string `json:"systemWeb"`
	Bits             int    `json:"bits"`
	Clock            string `json:"clock"`
	Zone             string `json:"zone"`
	UTCOffsetMinutes int    `json:"utcOffsetMinutes"`
	HTTPRuntime      struct {
		TargetFramework         string `json:"targetFramework"`
		ExecutionTimeoutSeconds int64  `json:"executionTimeoutSeconds"`
	} `json:"httpRuntime"`
	HTTPCookies struct {
		Domain     string `json:"domain"`
		RequireSSL bool   `json:"requireSSL"`
		SameSite   string `json:"sameSite"`
	} `json:"httpCookies"`
	SessionState struct {
		Mode                       string `json:"mode"`
		TimeoutMinutes             int64  `json:"timeoutMinutes"`
		Cookieless                 string `json:"cookieless"`
		CookieName                 string `json:"cookieName"`
		CookieSameSite             string `json:"cookieSameSite"`
		RegenerateExpiredSessionID bool   `json:"regenerateExpiredSessionId"`
		CompressionEnabled         string `json:"compressionEnabled"`
		CustomProvider             string `json:"customProvider"`
		ProviderType               string `json:"providerType"`
		PartitionResolverType      string `json:"partitionResolverType"`
		SessionIDManagerType       string `json:"sessionIDManagerType"`
	} `json:"sessionState"`
	IDHash string       `json:"idHash"`
	Items  []probedItem `json:"items"`
}

type probedItem struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	Assembly     string `json:"assembly"`
	Serializable *bool  `json:"serializable"`
	Problem      string `json:"problem"`
}

// readProbe reads what was saved of the page.
func readProbe(name string) (*probed, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4<<20))
	if err != nil {
		return nil, withoutPath(err)
	}
	var p probed
	if err := json.Unmarshal([]byte(strings.TrimPrefix(string(b), "\ufeff")), &p); err != nil || p.Probe != "1" {
		return nil, errors.New(`it is not what probe.aspx answered: open the page at the address that "aspstate probe" printed, and save what it shows`)
	}
	return &p, nil
}

// idHash is by what the page names a session.
func idHash(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:4])
}
