package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aspsession/aspsession/stores/sqlserver"
)

// connectionVariable holds the connection string where no file does.
const connectionVariable = "ASPSTATE_SQL"

// sqlVerb is the verb of the databases of session state. It has verbs of its own.
var sqlVerb = verb{
	name:    "sql",
	line:    "install|upgrade|check|script|purge [flags]",
	summary: "Sql makes, checks and purges session state in SQL Server.",
	help: `  install   Make the ASPState database that ASP.NET and Go share, or what of it
            is missing. Sessions stay.
  upgrade   Put this project's procedures in place of those that aspnet_regsql
            or an older aspstate made. Sessions stay.
  check     Say in words what is missing or dangerous in a database.
  script    Print the T-SQL of install, for administrators who run it themselves.
  purge     Delete expired sessions, once or for ever.

"aspstate sql VERB -h" explains the flags of each. A flag says in which file the
connection string is, or ` + connectionVariable + ` holds it: on a command line every user of
the machine could read the password.`,
	run: runSQL,
}

const connectionHelp = `  --connection FILE  The connection string is in a file, as in web.config or as a URL
                     sqlserver://user:password@host; a dash means standard
                     input. Default: in ` + connectionVariable + ` of the environment.
  --database NAME    Its database. Default: the connection string's, or ASPState.
  --timeout D        Give up after so long. Default 2m.
`

const schemaHelp = `  --user NAME        Let this user work with sessions, and nothing else. It is made
                     for the login of the same name.
  --tempdb           Keep the tables in tempdb: a restart loses all sessions, and
                     installing needs sysadmin. Not advised.
`

const sqlDoneHelp = `  --json             Print one JSON object: database, server, done.
`

var sqlVerbs = []verb{
	{
		name: "sql install", line: "[--connection FILE] [--database NAME] [--user NAME] [--tempdb] [--yes] [--json]",
		summary: "Install makes the ASPState database, or what of it is missing. Sessions stay.",
		help: connectionHelp + schemaHelp + `  --yes              Do not ask first.
` + sqlDoneHelp + `
Procedures that are not this project's are left alone; see aspstate sql upgrade.`,
		run: func(c *call) int { return sqlInstall(c, false) },
	},
	{
		name: "sql upgrade", line: "[--connection FILE] [--database NAME] [--user NAME] [--tempdb] [--yes] [--json]",
		summary: "Upgrade replaces the procedures and adds what tables lack. Sessions stay.",
		help: connectionHelp + schemaHelp + `  --yes              Do not ask first.
` + sqlDoneHelp + `
Give --tempdb if the tables are there: aspstate sql check tells.`,
		run: func(c *call) int { return sqlInstall(c, true) },
	},
	{
		name: "sql check", line: "[--connection FILE] [--database NAME] [--json]",
		summary: "Check says what is missing or dangerous in a database of session state.",
		help: connectionHelp + `  --json             Print one JSON object: database, server, version, ours (the
                     procedures are this project's), healthy, and findings with
                     level, object, text and remedy, the worst first.

It changes nothing. A problem keeps ASP.NET or Go from working, a danger will do
harm one day, a note is worth knowing. The exit code is 1 where there is a problem
or a danger. What the login may not see is a note.`,
		run: sqlCheck,
	},
	{
		name: "sql script", line: "[--database NAME] [--user NAME] [--tempdb] [--inside] [--json]",
		summary: "Script prints the T-SQL that install runs.",
		help: `  --database NAME    The database. Default ASPState.
` + schemaHelp + `  --inside           Leave out making and changing to the database, for Azure SQL.
  --json             Print one JSON object: batches, a list of texts to be run in
                     this order on one connection.`,
		run: sqlScript,
	},
	{
		name: "sql purge", line: "[--connection FILE] [--database NAME] [--every D] [--layout L] [--table NAME] [--json]",
		summary: "Purge deletes expired sessions in small batches.",
		help: connectionHelp + `  --every D          Go on for ever, about so often, until SIGINT or SIGTERM.
                     Default: once. One minute is what SQL Server's job has.
  --layout L         classic (aspnet_regsql's, the default), or the async provider's
                     compat, async, async-inmemory, async-inmemory-durable.
  --table NAME       The async provider's sessionTableName.
  --json             Print one JSON object: rows, how many were deleted, 0 too where a
                     procedure of the database does not say. With --every, one a
                     line for each purge that deleted some.

Any number of machines may purge one database.`,
		run: sqlPurge,
	},
}

// runSQL finds the verb behind sql.
func runSQL(c *call) int {
	if len(c.args) == 0 {
		fmt.Fprintf(c.stderr, "aspstate: sql: a verb is missing\nUsage: aspstate %s %s\n", c.name, c.line)
		return exitUsage
	}
	switch c.args[0] {
	case "-h", "-help", "--help", "help":
		fmt.Fprint(c.stdout, c.verb.usage())
		return exitOK
	}
	for i := range sqlVerbs {
		if v := &sqlVerbs[i]; v.name == "sql "+c.args[0] {
			sub := *c
			sub.verb, sub.args = v, c.args[1:]
			return v.run(&sub)
		}
	}
	fmt.Fprintf(c.stderr, "aspstate: sql: unknown verb %s\nUsage: aspstate %s %s\n", quote(c.args[0], keyWidth), c.name, c.line)
	return exitUsage
}

// sqlFlags are those that the verbs share.
type sqlFlags struct {
	*flag.FlagSet
	connection, database string
	timeout              time.Duration
	schema               sqlserver.Schema
	yes                  bool
}

func newSQLFlags(c *call) *sqlFlags {
	f := &sqlFlags{FlagSet: flag.NewFlagSet(c.name, flag.ContinueOnError)}
	f.StringVar(&f.database, "database", "", "")
	return f
}

func (f *sqlFlags) connects() {
	f.StringVar(&f.connection, "connection", "", "")
	f.DurationVar(&f.timeout, "timeout", 2*time.Minute, "")
}

func (f *sqlFlags) makes() {
	f.StringVar(&f.schema.User, "user", "", "")
	f.BoolVar(&f.schema.TempTables, "tempdb", false, "")
}

// connectionString reads it from its file or the environment, and puts --database
// in. No error repeats it, or a flag that may be it.
func (f *sqlFlags) connectionString(c *call) (string, error) {
	text, ok := os.LookupEnv(connectionVariable)
	switch {
	case strings.ContainsAny(f.connection, "=;") || strings.Contains(f.connection, "://"):
		return "", errors.New("--connection names a file; a connection string on the command line would show its password to every user of this machine")
	case f.connection != "":
		in := c.stdin
		if f.connection != "-" {
			file, err := os.Open(f.connection)
			if err != nil {
				return "", err
			}
			defer file.Close()
			in = file
		}
		b, err := io.ReadAll(io.LimitReader(in, 64<<10))
		if err != nil {
			return "", err
		}
		text = string(b)
	case !ok:
		return "", fmt.Errorf("there is no connection string: --connection names a file that holds it, or %s does", connectionVariable)
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	return sqlserver.WithDatabase(text, f.database)
}

// jsonText is v, whose fields are texts, numbers and lists of them, as JSON and a
// newline; on one line where there is no indent.
func jsonText(v any, indent string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	_ = enc.Encode(v) // a Buffer never fails, nor do such fields
	return escapeJSON(b.Bytes())
}

// fails reports an error of a verb.
func (c *call) fails(err error) int {
	fmt.Fprintf(c.stderr, "aspstate: %s: %s\n", c.name, visible(err.Error()))
	if errors.Is(err, errSite) {
		fmt.Fprintf(c.stderr, "Usage: aspstate %s %s\n", c.name, c.line)
		return exitUsage
	}
	return exitData
}

// untilSignal ends with SIGINT or SIGTERM, so that no lock stays in the database.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// confirm asks unless --yes was given.
func (f *sqlFlags) confirm(c *call, question string) bool {
	if f.yes {
		return true
	}
	if f.connection == "-" {
		fmt.Fprintf(c.stderr, "aspstate: %s: standard input has the connection string, so that nobody can be asked: give --yes\n", c.name)
		return false
	}
	fmt.Fprintf(c.stderr, "%s [yes/no] ", question)
	answer, _ := bufio.NewReader(c.stdin).ReadString('\n')
	if strings.EqualFold(strings.TrimSpace(answer), "yes") {
		return true
	}
	fmt.Fprintf(c.stderr, "aspstate: %s: nothing was changed\n", c.name)
	return false
}
