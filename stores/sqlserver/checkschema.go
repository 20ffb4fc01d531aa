package sqlserver

import (
	"regexp"
	"slices"
	"strings"
)

// parameters are what clients hand over, by name and in order; "out" behind those
// that come back.
var parameters = map[string]string{
	"TempGetVersion":                   "@ver out",
	"GetMajorVersion":                  "@@ver out",
	"GetHashCode":                      "@input, @hash out",
	"TempGetAppID":                     "@appName, @appId out",
	"TempGetStateItem3":                "@id, @itemShort out, @locked out, @lockAge out, @lockCookie out, @actionFlags out",
	"TempGetStateItemExclusive3":       "@id, @itemShort out, @locked out, @lockAge out, @lockCookie out, @actionFlags out",
	"TempReleaseStateItemExclusive":    "@id, @lockCookie",
	"TempInsertUninitializedItem":      "@id, @itemShort, @timeout",
	"TempInsertStateItemShort":         "@id, @itemShort, @timeout",
	"TempInsertStateItemLong":          "@id, @itemLong, @timeout",
	"TempUpdateStateItemShort":         "@id, @itemShort, @timeout, @lockCookie",
	"TempUpdateStateItemShortNullLong": "@id, @itemShort, @timeout, @lockCookie",
	"TempUpdateStateItemLong":          "@id, @itemLong, @timeout, @lockCookie",
	"TempUpdateStateItemLongNullShort": "@id, @itemLong, @timeout, @lockCookie",
	"TempRemoveStateItem":              "@id, @lockCookie",
	"TempResetTimeout":                 "@id",
	"DeleteExpiredSessions":            "",
}

var (
	// otherDatabase finds the table under a database's name.
	otherDatabase = regexp.MustCompile(`(?i)\[?([^\[\]\s.]+)\]?\s*\.\s*\[?dbo\]?\s*\.\s*\[?ASPStateTempSessions\b`)
	oldExpiry     = regexp.MustCompile(`(?is)Expires\s*=\s*DATEADD\s*\(\s*(n|mi|minute)\s*,\s*\[?Timeout\]?\s*,`)
	noCountOn     = regexp.MustCompile(`(?i)SET\s+NOCOUNT\s+ON`)
)

func (c *checking) checkProcedures() {
	var missing, denied, foreign []string
	renamed := map[string][]string{}
	for _, name := range procedures {
		p, ok := c.procedures[strings.ToLower(name)]
		if !ok {
			missing = append(missing, name)
			continue
		}
		if p.mayCall.Valid && p.mayCall.Int64 == 0 {
			denied = append(denied, name)
		}
		if want, got := parameters[name], c.signature(name); !strings.EqualFold(want, got) {
			c.add(Problem, "dbo."+name, runUpgrade, "its parameters are (%s), clients give (%s)", got, want)
		}
		if !p.definition.Valid {
			foreign = append(foreign, name)
			continue
		}
		for _, m := range otherDatabase.FindAllStringSubmatch(p.definition.String, -1) {
			if db := m[1]; !strings.EqualFold(db, c.Database) && !strings.EqualFold(db, "tempdb") {
				renamed[db] = append(renamed[db], name)
				break
			}
		}
		if strings.HasPrefix(name, "TempUpdate") && oldExpiry.MatchString(p.definition.String) {
			foreign = append(foreign, name)
		}
		if (strings.HasPrefix(name, "TempUpdate") || name == "TempRemoveStateItem" || name == "TempReleaseStateItemExclusive") && noCountOn.MatchString(p.definition.String) {
			c.add(Danger, "dbo."+name, runUpgrade, "it sets NOCOUNT: a lost lock can be told only by an extra look, at each save")
		}
	}
	c.tellProcedures(missing, denied, renamed)
	if old := c.old(foreign); len(old) > 0 {
		c.add(Note, "procedures", runUpgrade, "those of before .NET 4: a changed timeout counts only from the next request on, and purging is one DELETE that can hold up the site (%s)", listOf(old))
	}
	if unseen := c.unseen(foreign); len(unseen) > 0 {
		c.add(Note, "procedures", "check with a login that may, such as db_owner's", "their text may not be seen by user %s: whether they are old or name another database is not known", c.server.user)
	}
}

func (c *checking) tellProcedures(missing, denied []string, renamed map[string][]string) {
	switch {
	case len(missing) == 0:
	case c.procedures["tempgetstateitem"].name != "" && slices.Contains(missing, "TempGetStateItem3"):
		c.add(Problem, "procedures", "drop the tables, which ends all sessions, and "+runUpgrade, "those of ASP.NET 1.x: there is no TempGetStateItem3")
	default:
		c.add(Problem, "procedures", "an installation was cut short, or user "+c.server.user+" may not see them: "+runUpgrade+", or grant EXECUTE", "missing: %s", listOf(missing))
	}
	if len(denied) > 0 {
		c.add(Problem, "user "+quoted(c.server.user), "ALTER ROLE "+Role+" ADD MEMBER "+quoted(c.server.user), "it lacks EXECUTE on %s", listOf(denied))
	}
	for db, names := range renamed {
		c.add(Problem, "procedures", runUpgrade, "they use the tables of database %s, not of this one: it was renamed, or restored under another name (%s)", quoted(db), listOf(names))
	}
}

// signature writes a procedure's parameters as the table above does.
func (c *checking) signature(name string) string {
	var list []string
	for _, p := range c.parameters[strings.ToLower(name)] {
		if p.out != 0 {
			p.name += " out"
		}
		list = append(list, p.name)
	}
	return strings.Join(list, ", ")
}

// old and unseen part the procedures that stood out by whether their text is there.
func (c *checking) old(names []string) (list []string) {
	for _, name := range names {
		if c.procedures[strings.ToLower(name)].definition.Valid {
			list = append(list, name)
		}
	}
	return list
}

func (c *checking) unseen(names []string) (list []string) {
	for _, name := range names {
		if !c.procedures[strings.ToLower(name)].definition.Valid {
			list = append(list, name)
		}
	}
	return list
}

// A column as clients need it: the kinds that it may be of, its length in bytes,
// whether it may be NULL.
type column struct {
	name, kinds string
	length      int // 0: any; -1: (max) or image
	nullable    bool
}

var sessionColumns = []column{
	{"SessionId", "nvarchar", 176, false},
	{"Created", "datetime datetime2", 0, false},
	{"Expires", "datetime datetime2", 0, false},
	{"LockDate", "datetime datetime2", 0, false},
	{"LockDateLocal", "datetime datetime2", 0, false},
	{"LockCookie", "int", 0, false},
	{"Timeout", "int", 0, false},
	{"Locked", "bit", 0, false},
	{"SessionItemShort", "varbinary", 7000, true},
	{"SessionItemLong", "image varbinary", -1, true},
	{"Flags", "int", 0, false},
}

func (c *checking) checkTables() {
	table := c.columns[strings.ToLower(classicTable)]
	if table == nil {
		where := "this database"
		if c.inTempdb {
			where = "tempdb"
		}
		if c.hidden() {
			c.add(Note, classicTable, "check with a login that may, such as db_owner's", "user %s may not see it: what is wrong with it is not known", c.server.user)
			return
		}
		c.add(Problem, classicTable, runUpgrade, "there is no such table in %s", where)
		return
	}
	if id := table["sessionid"]; id.kind == "char" || id.length < 176 && id.kind != "" {
		c.add(Problem, classicTable, "drop the tables, which ends all sessions, and "+runUpgrade, "it is of ASP.NET 1.x: SessionId is %s of %d bytes", id.kind, id.length)
		return
	}
	for _, want := range sessionColumns {
		got, ok := table[strings.ToLower(want.name)]
		switch {
		case !ok:
			c.add(Problem, classicTable, runUpgrade, "column %s is missing", want.name)
		case !slices.Contains(strings.Fields(want.kinds), strings.ToLower(got.kind)):
			c.add(Problem, classicTable+"."+want.name, "restore the type", "its type is %s, not %s", got.kind, strings.Join(strings.Fields(want.kinds), " or "))
		case want.length > 0 && got.length >= 0 && got.length < want.length, want.length == -1 && got.kind == "varbinary" && got.length != -1:
			c.add(Problem, classicTable+"."+want.name, "restore the type", "it holds %d bytes: longer sessions fail or are cut off", got.length)
		case want.nullable && got.nullable == 0:
			c.add(Problem, classicTable+"."+want.name, "ALTER it to allow NULL", "it does not take NULL, which one of the two payload columns always is")
		}
	}
	if apps := c.columns["aspstatetempapplications"]; apps == nil {
		c.add(Problem, "ASPStateTempApplications", runUpgrade, "there is no such table")
	} else if apps["appid"].identity != 0 {
		c.add(Problem, "ASPStateTempApplications", "drop the tables, which ends all sessions, and "+runUpgrade, "AppId is an IDENTITY, as in ASP.NET 1.x: servers would give one application different numbers")
	}
	c.checkIndexes()
}

// hidden reports a user from whom things are hidden: the text of a procedure is.
func (c *checking) hidden() bool { return len(c.unseen(c.known())) > 0 }

func (c *checking) checkIndexes() {
	primary, expires := false, false
	for _, i := range c.indexes {
		if !strings.EqualFold(i.table, classicTable) {
			continue
		}
		primary = primary || i.primary != 0 && strings.EqualFold(i.column, "SessionId")
		expires = expires || strings.EqualFold(i.column, "Expires")
	}
	if !primary {
		c.add(Problem, classicTable, "ALTER TABLE … ADD PRIMARY KEY (SessionId), after removing duplicates", "SessionId is not its primary key: one visitor can have two sessions, and every request reads the whole table")
	}
	if !expires {
		c.add(Danger, classicTable, runUpgrade, "there is no index on Expires: every purge reads the whole table")
	}
}
