// Package sqlserver keeps sessions in SQL Server, where the site's ASP.NET pages
// have them: the ASPState database of sessionState mode="SQLServer", or the tables
// of Microsoft's async provider.
//
//	store, err := sqlserver.New(sqlserver.Options{
//		ConnectionString: "Data Source=db1;User ID=web;Password=...;Encrypt=True",
//		AppID:            "/LM/W3SVC/1/ROOT",
//	})
//
// Two applications share sessions when cookie, database, application id and layout
// agree. The id is IIS's own for the ASP.NET application.
//
// # Layouts
//
// Classic is what aspnet_regsql makes, in any of its three flavours (tempdb,
// persisted, custom) and of any age since ASP.NET 2.0, or `aspstate sql install`;
// see Schema. The others are of Microsoft.AspNet.SessionState's
// SqlSessionStateProviderAsync, by its repositoryType; its version 1.0, which used
// Entity Framework, is not read. The classic and the async provider never see each
// other's sessions, not even in the same table: their keys end differently.
//
// # What it can tell
//
//	save after another took the lock          told
//	save after the session was removed        told, as ErrGone
//	save after the lock was broken, when      told if it comes after its lease;
//	nobody took it since                      before that it is stored
//	save after the session was removed and    told if it comes after its lease, unless the
//	made anew, with as many locks as before   new lock is as old; before that it is stored
//	new session over one that appeared        told
//	new session over one that has expired     told as if it lived, until it is purged
//	read of a session that has expired        not told: it is found, and lives on,
//	                                          until it is purged
//
// The row has one number, the lock cookie, and the procedures compare nothing
// else. A save under a lock held for longer than its lease, which is when waiters
// break locks, looks first. Everywhere else a request costs one call to acquire
// and one to save.
//
// Nothing but a purge ends sessions. Where SQL Server Agent does not run (Express,
// Azure SQL, most containers) set Options.PurgeInterval or run `aspstate sql
// purge`.
//
// # Failures
//
// A call is made again after errors that pass: a deadlock, a lost connection, a
// failover. Where the first one had its effect and only its reply was lost, the
// second finds that: a save, a release or a removal is done once more, to the same
// effect; an acquire meets its own lock and is ErrLocked, until waiters break it by
// its age; a read of an uninitialized session finds it read. Where it cannot be
// known whether a session was stored the error is ErrUnavailable and says so.
// Errors that no retry mends (a login, a missing procedure, a missing permission)
// come at once and name the server, the database, the object and the remedy.
//
// # Installing
//
// NewAdmin's Install, Upgrade and Check, and with them `aspstate sql`, do without
// aspnet_regsql and without Windows.
//
// # Security
//
// Whoever can write the table runs code in ASP.NET: give web servers a login of
// its own, a member of the role aspstate_client, and encrypt the connection
// (Encrypt=True): the driver's default, as .NET Framework's, checks no certificate.
// Errors hold neither passwords nor session ids, also where SQL Server's message
// did. Package sqlservertest is a stand-in for tests.
package sqlserver
