package sqlserver

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/aspsession/aspsession/session"
)

// A catalogue is what the server says about a database: views that any user may
// read, which show him what he may use.
type catalogue struct {
	target *Target
	conn   *sql.Conn

	server     serverFacts
	procedures map[string]procFacts // of schema dbo, by lower-case name
	parameters map[string][]paramFacts
	columns    map[string]map[string]columnFacts // by table and column, lower case
	indexes    []indexFacts
	jobs       []jobFacts
	grants     []grantFacts
	rows       *rowFacts // nil where they may not be read
	inTempdb   bool
	startup    bool
}

type serverFacts struct {
	database, version, collation, recovery, updateability, user string
	edition, noCount, chaining                                  int
	owner                                                       sql.NullString
}

type procFacts struct {
	name       string
	definition sql.NullString // NULL: may not be seen
	mayCall    sql.NullInt64
}

type paramFacts struct {
	name string
	out  int
}

type columnFacts struct {
	kind               string
	length             int
	nullable, identity int
}

type indexFacts struct {
	table, name, column string
	primary             int
}

type jobFacts struct {
	name    string
	enabled int
}

type grantFacts struct{ grantee, object, permission string }

type rowFacts struct {
	sessions, expired, oldest, stuck, both sql.NullInt64
}

// The texts are one result set each. Their first comment is their name.
const (
	serverText = `/* aspstate: server */ SELECT DB_NAME(), CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), 'Collation')),
	CONVERT(nvarchar(60), DATABASEPROPERTYEX(DB_NAME(), 'Recovery')), CONVERT(nvarchar(60), DATABASEPROPERTYEX(DB_NAME(), 'Updateability')), CONVERT(nvarchar(128), CURRENT_USER),
	CONVERT(int, SERVERPROPERTY('EngineEdition')), CONVERT(int, 512 & @@OPTIONS), CONVERT(int, d.is_db_chaining_on), SUSER_SNAME(d.owner_sid)
FROM sys.databases AS d
WHERE d.database_id = DB_ID()`

	proceduresText = `/* aspstate: procedures */ SELECT p.name, m.definition, HAS_PERMS_BY_NAME(N'dbo.' + QUOTENAME(p.name), 'OBJECT', 'EXECUTE')
FROM sys.procedures AS p LEFT JOIN sys.sql_modules AS m ON m.object_id = p.object_id
WHERE p.schema_id = SCHEMA_ID(N'dbo')`

	parametersText = `/* aspstate: parameters */ SELECT p.name, a.name, CONVERT(int, a.is_output)
FROM sys.procedures AS p JOIN sys.parameters AS a ON a.object_id = p.object_id
WHERE p.schema_id = SCHEMA_ID(N'dbo')
ORDER BY p.name, a.parameter_id`

	columnsOfText = `/* aspstate: columns */ SELECT t.name, c.name, TYPE_NAME(c.system_type_id), CONVERT(int, c.max_length), CONVERT(int, c.is_nullable), CONVERT(int, c.is_identity)
FROM {catalog}sys.tables AS t JOIN {catalog}sys.columns AS c ON c.object_id = t.object_id
WHERE t.name IN (N'ASPStateTempSessions', N'ASPStateTempApplications')`

	indexesText = `/* aspstate: indexes */ SELECT t.name, i.name, c.name, CONVERT(int, i.is_primary_key)
FROM {catalog}sys.tables AS t JOIN {catalog}sys.indexes AS i ON i.object_id = t.object_id
JOIN {catalog}sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.key_ordinal = 1
JOIN {catalog}sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
WHERE t.name IN (N'ASPStateTempSessions', N'ASPStateTempApplications')`

	jobsText = `/* aspstate: jobs */ SELECT j.name, CONVERT(int, j.enabled)
FROM msdb.dbo.sysjobs AS j JOIN msdb.dbo.sysjobsteps AS s ON s.job_id = j.job_id
WHERE s.command LIKE N'%DeleteExpiredSessions%' AND (s.database_name = DB_NAME() OR s.command LIKE N'%' + DB_NAME() + N'%')`

	grantsText = `/* aspstate: grants */ SELECT USER_NAME(g.grantee_principal_id), ISNULL(o.name, N''), CONVERT(nvarchar(128), g.permission_name)
FROM sys.database_permissions AS g LEFT JOIN sys.objects AS o ON g.class = 1 AND o.object_id = g.major_id
WHERE g.state IN ('G', 'W') AND (g.class = 0 OR g.class = 3 OR g.class = 1 AND o.is_ms_shipped = 0)`

	rowsText = `/* aspstate: rows */ SELECT COUNT_BIG(*),
	SUM(CASE WHEN Expires < GETUTCDATE() THEN 1 ELSE 0 END),
	MAX(CASE WHEN Expires < GETUTCDATE() THEN DATEDIFF(minute, Expires, GETUTCDATE()) ELSE 0 END),
	SUM(CASE WHEN Locked = 1 AND LockDate < DATEADD(hour, -1, GETUTCDATE()) THEN 1 ELSE 0 END),
	SUM(CASE WHEN SessionItemShort IS NOT NULL AND SessionItemLong IS NOT NULL THEN 1 ELSE 0 END)
FROM {tables}ASPStateTempSessions WITH (NOLOCK)`

	startupText = `/* aspstate: startup */ SELECT CONVERT(int, is_auto_executed) FROM master.sys.procedures WHERE name = N'ASPState_Startup'`
)

// read runs a text and gives each row to scan.
func (c *catalogue) read(ctx context.Context, object, text string, scan func(func(...any) error) error) error {
	if c.inTempdb {
		text = strings.NewReplacer("{catalog}", "tempdb.", "{tables}", "tempdb.dbo.").Replace(text)
	} else {
		text = strings.NewReplacer("{catalog}", "", "{tables}", "dbo.").Replace(text)
	}
	rows, err := c.conn.QueryContext(ctx, text)
	if err == nil {
		for err == nil && rows.Next() {
			err = scan(rows.Scan)
		}
		if err == nil {
			err = rows.Err()
		}
		rows.Close()
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return c.target.wrap(session.ErrUnavailable, object, err)
	}
	return nil
}

func (c *catalogue) readServer(ctx context.Context) error {
	s := &c.server
	return c.read(ctx, "sys.databases", serverText, func(scan func(...any) error) error {
		return scan(&s.database, &s.version, &s.collation, &s.recovery, &s.updateability, &s.user, &s.edition, &s.noCount, &s.chaining, &s.owner)
	})
}

func (c *catalogue) readProcedures(ctx context.Context) error {
	c.procedures = map[string]procFacts{}
	return c.read(ctx, "sys.procedures", proceduresText, func(scan func(...any) error) error {
		var p procFacts
		err := scan(&p.name, &p.definition, &p.mayCall)
		c.procedures[strings.ToLower(p.name)] = p
		return err
	})
}

func (c *catalogue) readParameters(ctx context.Context) error {
	c.parameters = map[string][]paramFacts{}
	return c.read(ctx, "sys.parameters", parametersText, func(scan func(...any) error) error {
		var proc string
		var p paramFacts
		err := scan(&proc, &p.name, &p.out)
		proc = strings.ToLower(proc)
		c.parameters[proc] = append(c.parameters[proc], p)
		return err
	})
}

// readTables looks here, and then in tempdb where the procedures say so.
func (c *catalogue) readTables(ctx context.Context) error {
	c.columns = map[string]map[string]columnFacts{}
	c.inTempdb = c.namesTempdb()
	err := c.read(ctx, "sys.columns", columnsOfText, func(scan func(...any) error) error {
		var table, column string
		var f columnFacts
		err := scan(&table, &column, &f.kind, &f.length, &f.nullable, &f.identity)
		table = strings.ToLower(table)
		if c.columns[table] == nil {
			c.columns[table] = map[string]columnFacts{}
		}
		c.columns[table][strings.ToLower(column)] = f
		return err
	})
	if err != nil {
		return err
	}
	return c.read(ctx, "sys.indexes", indexesText, func(scan func(...any) error) error {
		var f indexFacts
		err := scan(&f.table, &f.name, &f.column, &f.primary)
		c.indexes = append(c.indexes, f)
		return err
	})
}

func (c *catalogue) readJobs(ctx context.Context) error {
	return c.read(ctx, "msdb.dbo.sysjobs", jobsText, func(scan func(...any) error) error {
		var f jobFacts
		err := scan(&f.name, &f.enabled)
		c.jobs = append(c.jobs, f)
		return err
	})
}

func (c *catalogue) readGrants(ctx context.Context) error {
	return c.read(ctx, "sys.database_permissions", grantsText, func(scan func(...any) error) error {
		var f grantFacts
		err := scan(&f.grantee, &f.object, &f.permission)
		c.grants = append(c.grants, f)
		return err
	})
}

func (c *catalogue) readRows(ctx context.Context) error {
	return c.read(ctx, classicTable, rowsText, func(scan func(...any) error) error {
		c.rows = &rowFacts{}
		return scan(&c.rows.sessions, &c.rows.expired, &c.rows.oldest, &c.rows.stuck, &c.rows.both)
	})
}

func (c *catalogue) readStartup(ctx context.Context) error {
	return c.read(ctx, "master.sys.procedures", startupText, func(scan func(...any) error) error {
		var on int
		err := scan(&on)
		c.startup = on != 0
		return err
	})
}

// known are the procedures of session state that are there.
func (c *catalogue) known() (names []string) {
	for _, name := range procedures {
		if _, ok := c.procedures[strings.ToLower(name)]; ok {
			names = append(names, name)
		}
	}
	return names
}

// foreign are those of them that are not ours. One whose text may not be seen
// counts as foreign.
func (c *catalogue) foreign() []string {
	return slices.DeleteFunc(c.known(), func(name string) bool {
		return strings.Contains(c.procedures[strings.ToLower(name)].definition.String, schemaMark)
	})
}

// namesTempdb: the procedures use tables there.
func (c *catalogue) namesTempdb() bool {
	text := strings.ToLower(c.procedures["tempresettimeout"].definition.String)
	return strings.Contains(strings.NewReplacer("[", "", "]", "", " ", "").Replace(text), "tempdb.dbo.aspstatetempsessions")
}
