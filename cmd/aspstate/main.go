// Aspstate is the operator's tool for ASP.NET session state: it keeps sessions,
// shows what is in a stored one and proves that it can be written again.
//
//	aspstate inspect [--json | --wire] [--framing F] FILE
//	aspstate recode [--json] [--framing F] FILE
//	aspstate gen [--json] [--package P] [--framing F] FILE
//	aspstate serve [--listen HOST:PORT] [--data DIR] [--admin ADDRESS] [--json] ...
//	aspstate sql install|upgrade|check|script|purge [flags]
//	aspstate probe [--out FILE]
//	aspstate doctor --config web.config [--app-id ID] [--id COOKIE] [--probe FILE] ...
//	aspstate ls [--json] [--ids] [--locked] [--sort KEY] STORE-FLAGS
//	aspstate show [--json] [--values] [--wait D] STORE-FLAGS ID
//	aspstate watch [--json] [--values] [--every D] [--count N] STORE-FLAGS ID
//	aspstate unlock [--json] [--older D] STORE-FLAGS ID
//	aspstate rm [--json] [--force] STORE-FLAGS ID
//	aspstate discover [--json] STORE-FLAGS
//	aspstate copy --from S --to S [--overwrite] [--json] ...
//	aspstate complete SHELL
//	aspstate man
//	aspstate help [VERB]
//
// FILE is what a store keeps for one session: the column of an ASPState table,
// the body of a state-server request, a value of Redis. A dash means standard
// input. Flags go before FILE. A file, and what it inflates to, has at most
// 32 MiB.
//
// # Inspect
//
// Inspect prints a heading and a table of the items: key, .NET type, value and
// size in bytes. Long text is clipped, and characters that could drive a
// terminal are escaped, in keys, values and error messages alike.
//
// With --json it prints one JSON object: framing and size of the file, timeout
// in minutes, the flags of the frame, and every item with its type id, value
// and place (valueOffset and valueLength count bytes of the inflated form, type
// id included). Values lose nothing: 64-bit integers, ticks and decimals are
// text, floating-point numbers are their shortest text and their bits, the key
// of an item without a name is null. A string over 20,000 UTF-16 units is
// replaced by its lengths and its SHA-256, and a byte[] over 16 KiB by its.
//
// An object is shown by what it means: $type and $assembly, $elements of lists,
// $entries of tables of keys and values, $columns and $rows of a DataTable,
// $members by the names in the stream of whatever has no form of its own, $ref
// to an $id for what is met again. Names of enum constants are not in a stream.
//
// With --wire it prints the object streams alone, as the records that they are:
// every object once, with its id.
//
// An item that cannot be read has an error in place of its value, and an object
// stream its length and SHA-256 beside it: {"$opaque": {"length": …, "sha256":
// …}}. The others are shown all the same, and the exit code is 1.
//
// # Recode
//
// Recode decodes every item and writes the session, encoded anew, to standard
// output: for a file from ASP.NET the same bytes, which proves that nothing of
// it was misread. Object streams are read and written too; static objects are
// carried as they are.
// Compressed frames are compressed again, so that their bytes differ and what
// they inflate to does not. Where an item cannot be read nothing is written.
//
// With --json it prints in place of the session how the two compare: sizes,
// SHA-256, whether they are identical, and for a compressed frame whether what
// they inflate to is. A difference does not change the exit code.
//
// # Gen
//
// Gen writes Go source for the .NET classes found in the session: a struct with
// net tags for each class, an integer type for each enum, and a function that
// registers them with package nrbf. Classes of the framework become Go's own
// slices, maps and values, or *nrbf.Object. Read it before it is used: a member
// that was always null shows no more than its declaration. With --json the classes
// and their members are a list beside the source.
//
// # Serve
//
// Serve is a state service in place of aspnet_state.exe, for ASP.NET applications
// with mode="StateServer" and for Go pages. It listens on loopback unless told
// otherwise, keeps sessions in memory or, with --data, in a directory, and ends
// cleanly on SIGINT or SIGTERM. "aspstate serve -h" is its manual page. With --json
// the line that says where it listens is an object, and the log is JSON lines.
//
// # Probe and doctor
//
// Probe writes a page for the ASP.NET application, which tells its id, settings,
// clock, and the types of the session's items, to who knows its token and for a
// day. Doctor reads the site's web.config, tries each step that a request would
// and says what was found; where something is wrong, the likeliest fault first
// and its cure. "aspstate doctor -h" has the flags by which a store is found.
//
// # Sql
//
// Sql makes, checks and purges session state in SQL Server, without aspnet_regsql
// and without Windows: an ASPState database that ASP.NET 2.0 to 4.8 and Go share, a
// role for the web servers' login, words for what is wrong with an existing one,
// and the purge that SQL Server Agent does elsewhere. The connection string comes
// from a file, standard input or the environment variable ASPSTATE_SQL, and never
// from the command line. With --json what is done or found is one JSON object.
//
// # Sessions in a store
//
// Ls, show, watch, unlock and rm work on the sessions of one application in the
// store of a web.config (--config) or of an address (--store). A session is shown
// by a short hash of its id, which these verbs take for the id too; --ids shows
// whole ids, and whoever has one is that visitor. Values are shown only with
// --values. A state service is listed through the --admin address of aspstate
// serve; aspnet_state.exe has no listing.
//
// Discover tells which applications have sessions in a store, made by which
// generation of ASP.NET or of a provider, and which of them share.
//
// Copy moves the sessions of an application to another store, byte for byte where
// both keep frames. It takes no lock, overwrites nothing unless told so, counts
// what it skipped and why, and goes on where it was interrupted.
//
// # Complete and man
//
// Complete prints the completion script of a shell and man the manual page, both
// made of the table that the tool itself runs by.
//
// # Framing
//
// Nothing in a stored session says in which of its four forms it is, so
// --framing can:
//
//	store          a frame, as the state server and SQL Server keep it
//	store-deflate  the same with compressionEnabled="true"
//	items          items alone, as Microsoft's Redis provider 5.x keeps them
//	nrbf           one object stream, as its older versions keep each item
//	auto           tells them apart; the default
//
// Auto is sure of a file whose every byte has a meaning in one form, and tries
// nrbf, store, store-deflate, items in this order. Only where no form explains
// every byte does it take the first that opens and finds something: .NET ignores
// what follows the end, so that many files that are none would open as an empty
// session.
//
// # Exit codes
//
// The exit code is 0 when all went well, 1 when the data is bad or could not be
// read or written, and 2 when the command line is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/redis/go-redis/v9/logging"

	"github.com/aspsession/aspsession/payload"
)

const (
	exitOK    = 0
	exitData  = 1
	exitUsage = 2
)

// maxBytes bounds what one file may cost, as read and as inflated.
const maxBytes = 32 << 20

var limits = payload.Limits{Bytes: maxBytes}

// A verb is one thing the tool does.
type verb struct {
	name    string
	line    string // flags and arguments
	summary string // one sentence
	help    string // flags in sentences
	run     func(*call) int
}

const framingHelp = `  --framing F   FILE is in form F: store (a frame, as the state server and SQL
                Server keep it), store-deflate (a compressed frame), items (a
                bare collection, as Redis provider 5.x keeps it), nrbf (one
                object stream) or auto, the default, which tells them apart.`

var verbs = []verb{
	{
		name:    "inspect",
		line:    "[--json | --wire] [--framing F] FILE",
		summary: "Inspect shows the items of a stored session.",
		help: `  --json        Print one JSON object for programs, every value exact, and not
                the table for people.
  --wire        Print the records of the object streams as JSON.
` + framingHelp,
		run: inspect,
	},
	{
		name:    "recode",
		line:    "[--json] [--framing F] FILE",
		summary: "Recode decodes a stored session and writes it anew to standard output.",
		help:    recodeHelp,
		run:     recode,
	},
	{
		name:    "gen",
		line:    "[--json] [--package P] [--framing F] FILE",
		summary: "Gen writes Go structs for the .NET classes found in a stored session.",
		help:    genHelp,
		run:     gen,
	},
	{
		name:    "serve",
		line:    "[--listen HOST:PORT] [--data DIR] [--admin ADDRESS] [--json] ...",
		summary: "Serve keeps the sessions of ASP.NET applications and Go pages.",
		help:    serveHelp,
		run:     serve,
	},
	sqlVerb,
	lsVerb, showVerb, watchVerb, unlockVerb, rmVerb, discoverVerb, copyVerb,
	completeVerb, manVerb,
	{
		name:    "probe",
		line:    "[--out FILE] [--json]",
		summary: "Probe writes a page that tells what the ASP.NET application is.",
		help:    probeHelp,
		run:     probe,
	},
	{
		name:    "doctor",
		line:    "--config web.config [--app-id ID] [--id COOKIE] [--probe FILE] [--json] ...",
		summary: "Doctor tries what a request would and names the likeliest fault.",
		help:    doctorHelp,
		run:     runDoctor,
	},
}

// A call is one run of a verb.
type call struct {
	*verb
	all            []verb          // for verbs that tell of verbs
	ctx            context.Context // ends what runs until it is stopped
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	file           string // FILE, for messages
}

func main() {
	logging.Disable() // go-redis writes to standard error by itself; what fails is told anyway
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, "aspstate: a verb is missing\n", usage())
		return exitUsage
	}
	name := args[0]
	switch name {
	case "help", "-h", "-help", "--help":
		if name == "help" && len(args) > 1 {
			name, args = args[1], []string{args[1], "-h"}
			break
		}
		fmt.Fprint(stdout, usage())
		return exitOK
	}
	for i := range verbs {
		if v := &verbs[i]; v.name == name {
			return v.run(&call{verb: v, all: verbs, ctx: ctx, args: args[1:], stdin: stdin, stdout: stdout, stderr: stderr})
		}
	}
	fmt.Fprintf(stderr, "aspstate: unknown verb %s\n%s", quote(name, keyWidth), usage())
	return exitUsage
}

func usage() string {
	var b strings.Builder
	b.WriteString("Aspstate keeps, shows and checks the sessions of ASP.NET.\n\nUsage:\n\n")
	for _, v := range verbs {
		fmt.Fprintf(&b, "  aspstate %s %s\n        %s\n", v.name, v.line, v.summary)
	}
	b.WriteString("  aspstate help [VERB]\n        Help explains the tool, or one verb and its flags.\n")
	b.WriteString(usageEnd)
	return b.String()
}

func (v *verb) usage() string {
	return fmt.Sprintf("Usage: aspstate %s %s\n\n%s\n\n%s\n%s", v.name, v.line, v.summary, v.help, usageEnd)
}

const usageEnd = `
A FILE holds what a store keeps for one session; a dash means standard input.
The exit code is 0 when all went well, 1 when the data is bad or could not be
read or written, and 2 when the command line is wrong.
`

// parse reads the flags and as many files as the verb takes, none or one. Where
// done is true the verb is over.
func (c *call) parse(flags *flag.FlagSet, files int) (code int, done bool) {
	flags.SetOutput(io.Discard) // usage is ours, and an error is printed once
	err := flags.Parse(c.args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(c.stdout, c.verb.usage())
		return exitOK, true
	}
	if err == nil && flags.NArg() != files {
		words := strings.Fields(c.line)
		err = fmt.Errorf("one %s is needed, there are %d; flags go before it", words[len(words)-1], flags.NArg())
		if files == 0 { // what it is may be an id or hold a password
			err = errors.New("unexpected argument: everything is said with flags")
		}
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "aspstate: %s: %s\nUsage: aspstate %s %s\n", c.name, visible(err.Error()), c.name, c.line)
		return exitUsage, true
	}
	c.file = flags.Arg(0)
	return exitOK, false
}

// load reads FILE and opens it.
func (c *call) load(framing string) (*stored, error) {
	data, err := c.read()
	if err != nil {
		return nil, err
	}
	return open(framing, data)
}

// withoutPath drops the file name, which every message has already.
func withoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// fail reports an error about FILE.
func (c *call) fail(err error) int {
	name := label(c.file, 200)
	if c.file == "-" {
		name = "standard input"
	}
	fmt.Fprintf(c.stderr, "aspstate: %s: %s\n", name, visible(err.Error()))
	return exitData
}

// write puts the result on standard output; code is the verb's exit code.
func (c *call) write(b []byte, code int) int {
	if _, err := c.stdout.Write(b); err != nil {
		fmt.Fprintf(c.stderr, "aspstate: standard output: %s\n", visible(withoutPath(err).Error()))
		return exitData
	}
	return code
}
