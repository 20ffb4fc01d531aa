package sqlserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

func check(t *testing.T, r recorded) *sqlserver.Report {
	t.Helper()
	a, err := sqlserver.NewAdmin(r.replay(t).DSN(), nil)
	require.NoError(t, err)
	report, err := a.Check(t.Context())
	require.NoError(t, err)
	return report
}

// told are the findings in words.
func told(r *sqlserver.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s: %s: %s; %s\n", f.Level, f.Object, f.Text, f.Remedy)
	}
	return b.String()
}

func TestCheckHealthy(t *testing.T) {
	r := check(t, healthy(t, sqlserver.Schema{}))
	require.Empty(t, told(r))
	require.True(t, r.OK())
	require.True(t, r.Ours)
	require.Equal(t, []string{"ASPState", "16.0.4135.4"}, []string{r.Database, r.Version})

	temp := healthy(t, sqlserver.Schema{TempTables: true})
	temp["startup"].rows = [][]any{{1}}
	require.Empty(t, told(check(t, temp)))

	r = check(t, aspnet(t, "ASPState", false))
	require.Empty(t, told(r))
	require.False(t, r.Ours)
}

// What is wrong with a database is said in words, with what to do; nothing else
// is.
func TestCheckFaulty(t *testing.T) {
	for name, test := range map[string]struct {
		db     func(t *testing.T) recorded
		spoil  func(r recorded)
		want   []string // each is a part of one line
		danger bool     // and no problem
	}{
		"another database": {spoil: func(r recorded) { r["procedures"].rows, r["columns"].rows = nil, nil },
			want: []string{"problem: database [ASPState]: it has no procedure of session state|sql install"}},
		"a procedure is missing": {spoil: func(r recorded) { r["procedures"].drop(0, "TempUpdateStateItemLong", "TempResetTimeout") },
			want: []string{"problem: procedures: missing: TempUpdateStateItemLong, TempResetTimeout|sql upgrade"}},
		"of ASP.NET 1.x": {spoil: func(r recorded) {
			r["procedures"].add("TempGetStateItem", "x", 1)
			r["procedures"].drop(0, "TempGetStateItem3", "TempGetStateItemExclusive3", "TempInsertUninitializedItem")
			id := r["columns"].where(1, "SessionId")
			id[2], id[3] = "char", 32
		}, want: []string{"problem: procedures: those of ASP.NET 1.x|drop the tables", "problem: ASPStateTempSessions: it is of ASP.NET 1.x: SessionId is char of 32 bytes"}},
		"of the 2.0 era": {db: func(t *testing.T) recorded { return aspnet(t, "ASPState", true) },
			want: []string{"note: procedures: those of before .NET 4: a changed timeout counts only from the next request on|sql upgrade"}},
		"nothing purges": {spoil: func(r recorded) {
			r["jobs"].rows = nil
			r["rows"].rows = [][]any{{90210, 90000, 1441, 7, 0}}
		}, danger: true, want: []string{
			"danger: ASPStateTempSessions: nothing purges: 90000 of 90210 sessions have expired, the oldest 1441 minutes ago|PurgeInterval",
			"note: ASPStateTempSessions: 7 sessions have been locked for over an hour", "note: SQL Server Agent: no job purges"}},
		"the job is disabled": {spoil: func(r recorded) { r["jobs"].rows[0][1] = 0 }, danger: true,
			want: []string{"danger: job [ASPState_Job_DeleteExpiredSessions]: it is disabled|enable it"}},
		"no index for purging": {spoil: func(r recorded) { r["indexes"].drop(1, "Index_Expires") }, danger: true,
			want: []string{"danger: ASPStateTempSessions: there is no index on Expires|sql upgrade"}},
		"no primary key": {spoil: func(r recorded) { r["indexes"].drop(1, "PK_ASPStateTempSessions") },
			want: []string{"problem: ASPStateTempSessions: SessionId is not its primary key"}},
		"a user without EXECUTE": {spoil: func(r recorded) {
			r["server"].rows[0][5] = "web"
			r["procedures"].where(0, "TempGetStateItem3")[2] = 0
			r["procedures"].where(0, "TempResetTimeout")[2] = 0
		}, want: []string{"problem: user [web]: it lacks EXECUTE on TempGetStateItem3, TempResetTimeout|ALTER ROLE aspstate_client ADD MEMBER [web]"}},
		"a user who sees little": {spoil: func(r recorded) {
			r["server"].rows[0][5] = "web"
			for _, row := range r["procedures"].rows {
				row[1] = nil
			}
			r["columns"].rows, r["indexes"].rows, r["grants"].rows = nil, nil, nil
			r["rows"].err = &sqlservertest.Error{Number: 229, Message: "SELECT was denied."}
			r["jobs"].err = &sqlservertest.Error{Number: 916, Message: "web may not be in msdb."}
		}, danger: true, want: []string{
			"note: procedures: their text may not be seen by user web", "note: ASPStateTempSessions: user web may not see it",
			"note: user [web]: the sessions, and with them whether anything purges, could not be read: SELECT was denied.", "note: user [web]: the jobs of SQL Server Agent could not be read"}},
		"restored under another name": {db: func(t *testing.T) recorded { return aspnet(t, "OldState", false) },
			want: []string{"problem: procedures: they use the tables of database [OldState], not of this one|sql upgrade"}},
		"open to everybody": {spoil: func(r recorded) {
			r["grants"].add("public", "TempGetStateItem3", "EXECUTE")
			r["grants"].add("guest", "", "SELECT")
			r["grants"].add("public", "SomethingElse", "EXECUTE")
		}, danger: true, want: []string{"danger: permissions: |EXECUTE on TempGetStateItem3 to public, SELECT on everything to guest|REVOKE"}},
		"no role": {spoil: func(r recorded) { r["grants"].drop(0, sqlserver.Role) }, danger: true, want: []string{"danger: role aspstate_client: it is missing"}},
		"in tempdb, without a start": {db: func(t *testing.T) recorded { return healthy(t, sqlserver.Schema{TempTables: true}) }, spoil: func(r recorded) { r["server"].rows[0][9] = "ann" }, danger: true,
			want: []string{"danger: master.dbo.ASPState_Startup: the tables are in tempdb", "danger: database [ASPState]: the tables are in tempdb, ownership chaining is off|DB_CHAINING"}},
		"columns were changed": {spoil: func(r recorded) {
			r["columns"].where(1, "SessionItemShort")[3] = 4000
			r["columns"].where(1, "SessionItemLong")[4] = 0
			r["columns"].where(1, "Timeout")[2] = "smallint"
			r["columns"].drop(1, "Flags")
		}, want: []string{"problem: ASPStateTempSessions.SessionItemShort: it holds 4000 bytes", "problem: ASPStateTempSessions.SessionItemLong: it does not take NULL",
			"problem: ASPStateTempSessions.Timeout: its type is smallint, not int", "problem: ASPStateTempSessions: column Flags is missing"}},
		"numbers by IDENTITY": {spoil: func(r recorded) { r["columns"].where(1, "AppId")[5] = 1 }, want: []string{"problem: ASPStateTempApplications: AppId is an IDENTITY"}},
		"other parameters": {spoil: func(r recorded) { r["parameters"].where(1, "@actionFlags")[1] = "@flags" },
			want: []string{"problem: dbo.TempGetStateItem3: its parameters are (@id, @itemShort out, @locked out, @lockAge out, @lockCookie out, @flags out)"}},
		"tables of nothing": {spoil: func(r recorded) { r["columns"].rows = nil }, want: []string{"problem: ASPStateTempSessions: there is no such table in this database"}},
		"procedures that do not count": {spoil: func(r recorded) {
			p := r["procedures"].where(0, "TempUpdateStateItemShort")
			p[1] = strings.ReplaceAll(p[1].(string), "NOCOUNT OFF", "NOCOUNT ON")
			r["server"].rows[0][7] = 512
		}, danger: true, want: []string{"danger: dbo.TempUpdateStateItemShort: it sets NOCOUNT", "danger: server: connections start with NOCOUNT"}},
		"a server of its own kind": {spoil: func(r recorded) {
			copy(r["server"].rows[0][1:5], []any{"10.50.6000.34", "Latin1_General_CS_AS", "FULL", "READ_ONLY"})
			r["rows"].rows[0][4] = 12
		}, want: []string{"problem: database [ASPState]: it is read-only", "danger: server: version 10.50.6000.34", "note: database [ASPState]: recovery model FULL", "note: database [ASPState]: collation Latin1_General_CS_AS",
			"note: ASPStateTempSessions: 12 rows have a short and a long payload"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.db == nil {
				test.db = func(t *testing.T) recorded { return healthy(t, sqlserver.Schema{}) }
			}
			db := test.db(t)
			if test.spoil != nil {
				test.spoil(db)
			}
			report := check(t, db)
			got := told(report)
			lines := strings.Split(strings.TrimSpace(got), "\n")
			require.Len(t, lines, len(test.want), got)
			for _, want := range test.want {
				found := false
				for _, line := range lines {
					all := true
					for part := range strings.SplitSeq(want, "|") {
						all = all && strings.Contains(line, part)
					}
					found = found || all
				}
				require.True(t, found, "%s\nin\n%s", want, got)
			}
			level := sqlserver.Note
			for _, f := range report.Findings {
				level = max(level, f.Level)
			}
			require.Equal(t, level, report.Findings[0].Level, "worst first")
			require.Equal(t, level == sqlserver.Note, report.OK())
			require.Equal(t, test.danger || strings.HasPrefix(test.want[0], "note"), level != sqlserver.Problem)
		})
	}
}

func TestCheckOutOfReach(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	a, err := sqlserver.NewAdmin(srv.URL(sqlservertest.User, "hunter2", ""), nil)
	require.NoError(t, err)
	_, err = a.Check(t.Context())
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.ErrorContains(t, err, srv.Addr())
	requireNoSecrets(t, err, "-")
}
