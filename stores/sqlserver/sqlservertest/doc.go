// Package sqlservertest is a stand-in for SQL Server in tests of session state. It
// listens on TCP and speaks TDS 7.4, so that a real driver's wire traffic is
// exercised on machines without SQL Server; behind it is not SQL Server but the
// effects of the known procedures, written in Go on tables in memory.
//
//	srv := sqlservertest.Run(t, sqlservertest.Options{})
//	db, err := sql.Open("sqlserver", srv.DSN())
//	...
//	srv.FailNext(1205, 1, "TempGetStateItemExclusive3")
//	srv.Advance(time.Hour)
//	row, ok := srv.Get(key)
//
// # What it covers
//
//   - The wire: PRELOGIN without encryption, LOGIN7 with user and password, SQL
//     batches, RPC by name and sp_executesql with output parameters, transaction
//     manager requests, attention, connection reset, packet sizes, result sets with
//     NULLs and long values, errors with number, state, class and procedure.
//   - The ASPState database in all flavours: every procedure of the 2.0-era and of
//     the newest scripts, with their effects, output for output. An argument that is
//     too long is cut in silence, an output that is not assigned goes back as it
//     came, an expired row lives until it is purged: as there.
//   - The async provider's tables: the procedures of 2.x in three repositories, and
//     the SQL text of 1.1, recognised by its shape; the question by which
//     FrameworkCompat finds out about a table.
//   - EXEC of one procedure as text; a few texts such as select 1, use, begin tran;
//     those of package sqlserver.
//
// # What it does not
//
// There is no T-SQL engine: an unknown text is error 50000, which says so. Handle
// teaches it one, Script replays recorded results. Scripts that install a schema,
// catalogue views, roles and grants are not emulated; neither are the async
// provider 1.0 (Entity Framework's SQL), TLS, Windows and token logins, cursors,
// bulk load, sp_prepare and MARS. Conversions between types are the few that
// sensible clients need. A transaction has the whole server to itself: every other
// call waits, where SQL Server would go on or find a deadlock. It was written from
// the protocol's specification and the published behaviour of the procedures, and
// checked against a driver, not against a server: a test that passes here has yet
// to pass there.
//
// # Faults
//
// FailNext, DropNext, Delay, Pause, MissingProc, Deny, DropConnections and Restart
// break what comes next, by the name of a procedure or known statement. Calls has
// the trace.
//
// # Security
//
// It is for tests: passwords pass in clear, and every login may do all. By default
// it listens on loopback alone. Error 2627 names the key in its message, as that
// of SQL Server does: clients must not log it.
//
// # Concurrency
//
// A Server has one goroutine and two for each connection; Close waits for all of
// them.
package sqlservertest
