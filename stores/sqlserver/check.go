package sqlserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// A Level says how bad a Finding is.
type Level uint8

const (
	// Note: worth knowing, or what this login may not see.
	Note Level = iota
	// Danger: it works, and will do harm.
	Danger
	// Problem: ASP.NET or Go cannot work with it.
	Problem
)

func (l Level) String() string { return [...]string{"note", "danger", "problem"}[l] }

// A Finding is one thing that is missing, dangerous or worth knowing.
type Finding struct {
	Level  Level
	Object string // what it is about
	Text   string // what is the matter
	Remedy string // what to do, "" for nothing
}

// A Report is what Check found.
type Report struct {
	Server, Database, Version string
	// Ours reports that the procedures are this package's.
	Ours     bool
	Findings []Finding // worst first
}

// OK reports that there is neither a Problem nor a Danger.
func (r *Report) OK() bool {
	return len(r.Findings) == 0 || r.Findings[0].Level == Note
}

// checking is a Report as it grows.
type checking struct {
	catalogue
	Report
}

func (c *checking) add(l Level, object, remedy, format string, args ...any) {
	at := 0
	for at < len(c.Findings) && c.Findings[at].Level >= l {
		at++
	}
	f := Finding{l, object, fmt.Sprintf(format, args...), remedy}
	c.Findings = append(c.Findings[:at], append([]Finding{f}, c.Findings[at:]...)...)
}

const (
	runInstall = "run `aspstate sql install`"
	runUpgrade = "run `aspstate sql upgrade`: sessions stay"
)

// Check reads the catalogue of a database of layout Classic and says what is wrong
// with it. It changes nothing, and what the login may not see is a Note. The error
// is of a server or a database that cannot be reached.
func (a *Admin) Check(ctx context.Context) (*Report, error) {
	var c *checking
	err := a.in(ctx, a.target, func(conn *sql.Conn) error {
		c = &checking{catalogue: catalogue{target: a.target, conn: conn}}
		return c.run(ctx)
	})
	if err != nil {
		return nil, err
	}
	return &c.Report, nil
}

func (c *checking) run(ctx context.Context) error {
	if err := errors.Join(c.readServer(ctx), c.readProcedures(ctx)); err != nil {
		return err
	}
	c.Server, c.Database, c.Version = c.target.address, c.server.database, c.server.version
	c.checkServer()
	if len(c.known()) == 0 {
		c.add(Problem, "database "+quoted(c.Database), "is it the right one? If so, "+runInstall, "it has no procedure of session state that user %s may see", c.server.user)
		return nil
	}
	c.Ours = len(c.foreign()) == 0
	if err := errors.Join(c.readParameters(ctx), c.readTables(ctx)); err != nil {
		return err
	}
	c.checkProcedures()
	c.checkTables()
	// From here on a refusal is something to tell, and not the end.
	c.may("the permissions", c.readGrants(ctx), c.checkGrants)
	c.may("the sessions, and with them whether anything purges,", c.readRows(ctx), c.checkRows)
	if c.server.edition != azureSQL {
		c.may("the jobs of SQL Server Agent", c.readJobs(ctx), c.checkJobs)
	}
	if c.inTempdb {
		c.may("the start-up procedures", c.readStartup(ctx), c.checkTempdb)
	}
	return context.Cause(ctx)
}

const azureSQL = 5 // SERVERPROPERTY('EngineEdition')

// may runs check unless reading failed, which it notes.
func (c *checking) may(what string, err error, check func()) {
	if err != nil {
		c.add(Note, "user "+quoted(c.server.user), "check with a login that may, such as db_owner's", "%s could not be read: %v", what, shortened(err))
		return
	}
	check()
}

// shortened is the server's own text of an Error.
func shortened(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Err
	}
	return err
}

func (c *checking) checkServer() {
	s := &c.server
	db := "database " + quoted(s.database)
	if strings.EqualFold(s.updateability, "READ_ONLY") {
		c.add(Problem, db, "connect to the primary replica, or set it READ_WRITE", "it is read-only")
	}
	if !strings.EqualFold(s.recovery, "SIMPLE") && s.edition != azureSQL {
		c.add(Note, db, "ALTER DATABASE … SET RECOVERY SIMPLE, unless something backs the log up", "recovery model %s: every request writes to the log, which grows until it is backed up", s.recovery)
	}
	if s.noCount != 0 {
		c.add(Danger, "server", "take NOCOUNT (512) out of sp_configure 'user options'", "connections start with NOCOUNT: lost locks can be told only by an extra look, at each save")
	}
	if collation := strings.ToUpper(s.collation); strings.Contains(collation, "_CS_") || strings.Contains(collation, "_BIN") {
		c.add(Note, db, "use a case-insensitive collation if the async provider's FrameworkCompat shall work here", "collation %s compares case: that provider spells parameters in another case", s.collation)
	}
	major := 0
	if _, err := fmt.Sscanf(s.version, "%d.", &major); err == nil && major < 11 && s.edition != azureSQL {
		c.add(Danger, "server", "move to a supported version", "version %s is from before SQL Server 2012", s.version)
	}
}

func (c *checking) checkGrants() {
	role, public := false, []string{}
	for _, g := range c.grants {
		if g.grantee == Role {
			role = true
		}
		if g.grantee != "public" && g.grantee != "guest" {
			continue
		}
		switch g.permission {
		case "EXECUTE", "CONTROL", "SELECT", "INSERT", "UPDATE", "DELETE", "ALTER":
			if object := strings.ToLower(g.object); object == "" || c.procedures[object].name != "" || c.columns[object] != nil {
				if object == "" {
					g.object = "everything"
				}
				public = append(public, fmt.Sprintf("%s on %s to %s", g.permission, g.object, g.grantee))
			}
		}
	}
	if len(public) > 0 {
		c.add(Danger, "permissions", "REVOKE that, and grant to a role", "whoever gets into the database can read and change sessions, and ASP.NET runs code from them: %s", listOf(public))
	}
	if c.Ours && !role {
		c.add(Danger, "role "+Role, runUpgrade, "it is missing or may nothing")
	}
}

func (c *checking) checkRows() {
	r := c.rows
	if r.expired.Int64 > 0 && r.oldest.Int64 > 5 {
		c.add(Danger, classicTable, "call dbo.DeleteExpiredSessions once a minute: a job of SQL Server Agent, `aspstate sql purge`, or PurgeInterval of the Go store",
			"nothing purges: %d of %d sessions have expired, the oldest %d minutes ago; until they are purged they can be used, and the table grows", r.expired.Int64, r.sessions.Int64, r.oldest.Int64)
	}
	if r.stuck.Int64 > 0 {
		c.add(Note, classicTable, "", "%d sessions have been locked for over an hour: their requests died; the next request of each visitor breaks the lock", r.stuck.Int64)
	}
	if r.both.Int64 > 0 {
		c.add(Note, classicTable, "", "%d rows have a short and a long payload: the async provider's FrameworkCompat leaves stale short ones; readers must take the long one, as Go and ASP.NET do", r.both.Int64)
	}
}

func (c *checking) checkJobs() {
	for _, j := range c.jobs {
		if j.enabled != 0 {
			return
		}
		c.add(Danger, "job "+quoted(j.name), "enable it, or purge by `aspstate sql purge` or PurgeInterval of the Go store", "it is disabled: expired sessions stay usable, and the table grows")
	}
	if len(c.jobs) == 0 {
		c.add(Note, "SQL Server Agent", "without one: `aspstate sql purge`, or PurgeInterval of the Go store", "no job purges this database")
	}
}

func (c *checking) checkTempdb() {
	if !c.startup {
		c.add(Danger, "master.dbo.ASPState_Startup", runUpgrade+", with --tempdb", "the tables are in tempdb and no start-up procedure makes them anew: they are gone after the next restart")
	}
	if c.server.chaining == 0 && !strings.EqualFold(c.server.owner.String, "sa") {
		c.add(Danger, "database "+quoted(c.Database), "ALTER DATABASE … SET DB_CHAINING ON, and make sa its owner", "the tables are in tempdb, ownership chaining is off and the owner is %q: who may only execute the procedures is refused the tables", c.server.owner.String)
	}
}

// listOf is the beginning of a list that may be long.
func listOf(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
