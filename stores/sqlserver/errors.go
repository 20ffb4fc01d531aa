package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/aspsession/aspsession/session"
)

// An Error says what went wrong, where, and what to do. errors.Is finds
// session.ErrUnavailable or session.ErrBadData in it.
type Error struct {
	Server, Database string
	// Object is the procedure or table, or "login".
	Object string
	// Number is SQL Server's, such as 2812; 0 where the error is not its.
	Number int32
	// Kind is session.ErrUnavailable or session.ErrBadData.
	Kind error
	// Err is the cause without secrets: session ids and the password are taken
	// out of what the driver said.
	Err error
	// Remedy is what to do, "" where nobody can tell.
	Remedy string
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sqlserver: %v: server %s, database %s, %s: %v", e.Kind, e.Server, e.Database, e.Object, e.Err)
	if e.Number != 0 {
		fmt.Fprintf(&b, " (error %d)", e.Number)
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Err} }

// login is the Object of what fails before anything is called.
const login = "login"

// remedies are for errors that no retry mends.
var remedies = map[int32]string{
	208:   "the table is missing: is it the right database? `aspstate sql check` tells, `aspstate sql install` makes one",
	229:   "the login may not do that: make its user a member of the role " + Role + "; `aspstate sql check` lists what is missing",
	911:   missingDatabase,
	916:   missingDatabase,
	2812:  "the procedure is missing: is it the right database, and not one of ASP.NET 1.x? `aspstate sql check` tells, `aspstate sql install` makes one",
	4060:  missingDatabase,
	18450: badLogin, 18452: badLogin, 18456: badLogin, 18470: badLogin, 18486: badLogin, 18487: badLogin, 18488: badLogin,
	201: oddProcedure, 8144: oddProcedure, 8145: oddProcedure, 8162: oddProcedure,
	1105: "the database has no room left: does a purge job run? `aspstate sql check` tells",
	9002: "the transaction log has no room left: is it backed up, or should the recovery model be SIMPLE? `aspstate sql check` tells",
	3906: "the database is read-only: is it a secondary replica? `aspstate sql check` tells",
}

const (
	missingDatabase = "the database is missing, or the login has no user in it: `aspstate sql check` tells, `aspstate sql install` makes one"
	badLogin        = "check the user id and the password, that the server takes SQL Server logins, and that the login's default database is there; `aspstate sql check` with the same connection string tells when it works"
	oddProcedure    = "the procedure is not the one that ASP.NET knows: `aspstate sql check` tells"
)

// known are the texts of errors whose own may hold a part of a session id.
var known = map[int32]string{2628: "a value is too long for its column"}

// wrap makes an Error of what a call of object brought. secrets are taken out of
// it.
func (t *Target) wrap(kind error, object string, cause error, secrets ...string) *Error {
	e := &Error{Server: t.address, Database: t.cfg.Database, Object: object, Kind: kind, Err: cause}
	if e.Database == "" {
		e.Database = "of the login"
	}
	if sqlErr, ok := errors.AsType[mssql.Error](cause); ok {
		for _, other := range sqlErr.All {
			if other.Number == 4060 { // 18456 follows it, and says less
				sqlErr = other
			}
		}
		e.Number = sqlErr.Number
		e.Remedy = remedies[sqlErr.Number]
		if e.Remedy != "" && (e.Remedy == badLogin || e.Number == 4060) {
			e.Object = login
		}
		text := sqlErr.Message
		if own, ok := known[sqlErr.Number]; ok {
			text = own
		}
		sqlErr.Message, sqlErr.All = redact(text, append(secrets, t.cfg.Password)), nil
		e.Err = serverError{sqlErr}
		return e
	}
	if text := cause.Error(); redact(text, append(secrets, t.cfg.Password)) != text {
		e.Err = errors.New(redact(text, append(secrets, t.cfg.Password)))
	}
	if e.Remedy == "" && kind == session.ErrUnavailable && dialing(cause) {
		e.Remedy = "is the server up, is TCP enabled, and is the port open to this machine?"
	}
	return e
}

// serverError shows the server's text alone; the driver's error, as far as it
// holds no secret, is inside.
type serverError struct{ err mssql.Error }

func (e serverError) Error() string { return strings.TrimSpace(e.err.Message) }
func (e serverError) Unwrap() error { return e.err }

// redact takes secrets out, in any case.
func redact(text string, secrets []string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		low, lowSecret := strings.ToLower(text), strings.ToLower(secret)
		if len(low) != len(text) || len(lowSecret) != len(secret) { // letters whose lower case is longer
			text = strings.ReplaceAll(text, secret, "***")
			continue
		}
		for at := strings.Index(low, lowSecret); at >= 0; at = strings.Index(low, lowSecret) {
			text = text[:at] + "***" + text[at+len(secret):]
			if low = strings.ToLower(text); strings.Contains("***", lowSecret) {
				break
			}
		}
	}
	return text
}

// duplicate reports that the key is there already.
func duplicate(err error) bool {
	sqlErr, ok := errors.AsType[mssql.Error](err)
	return ok && (sqlErr.Number == 2627 || sqlErr.Number == 2601)
}

// number is SQL Server's error number, else 0.
func number(err error) int32 {
	sqlErr, _ := errors.AsType[mssql.Error](err)
	return sqlErr.Number
}

// passing are errors by which a server says that another attempt may do better,
// and that this one had no effect: deadlocks, conflicts of tables in memory,
// Azure's failovers and limits.
var passing = map[int32]bool{
	1205: true, 3960: true, 41301: true, 41302: true, 41305: true, 41325: true, 41839: true,
	40197: true, 40501: true, 40613: true, 49918: true, 49919: true, 49920: true, 10928: true, 10929: true,
}

// verdict says whether a failed call is worth another attempt, and whether it
// may have had its effect all the same.
func verdict(err error) (again, unsure bool) {
	if errors.Is(err, driver.ErrBadConn) || dialing(err) {
		return true, false // it was never sent
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false, true
	}
	sqlErr, isSQL := errors.AsType[mssql.Error](err)
	if isSQL {
		if passing[sqlErr.Number] {
			return true, sqlErr.Class >= 20
		}
		for _, e := range append(sqlErr.All, sqlErr) {
			if remedies[e.Number] != "" {
				return false, false
			}
		}
	}
	if _, broken := errors.AsType[mssql.ServerError](err); broken || isSQL && sqlErr.Class >= 20 {
		return true, true
	}
	if isSQL {
		return false, false
	}
	_, broken := errors.AsType[mssql.StreamError](err)
	_, netErr := errors.AsType[net.Error](err)
	return broken || netErr || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), true
}

// dialing reports that no connection came about. The driver keeps the error's
// text alone.
func dialing(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" || strings.Contains(err.Error(), "unable to open tcp connection") || strings.Contains(err.Error(), "unable to get instances from Sql Server Browser")
}
