package sqlservertest

import (
	"errors"
	"fmt"
)

// An Error is what the server tells its client. The driver hands it over as
// mssql.Error. Class (severity) 20 and above ends the connection.
type Error struct {
	Number  int32
	State   uint8  // default 1
	Class   uint8  // default 16
	Message string // default one that names the number
	Proc    string // default the procedure being called
	Line    int32  // default 1
}

func (e *Error) Error() string {
	return fmt.Sprintf("sqlservertest: error %d, class %d, state %d: %s", e.Number, e.Class, e.State, e.Message)
}

// known are the errors that tests of session state want by number.
var known = map[int32]Error{
	229:   {Class: 14, State: 5, Message: "The EXECUTE permission was denied on the object."},
	596:   {Class: 21, Message: "Cannot continue the execution because the session is in the kill state."},
	823:   {Class: 24, State: 2, Message: "The operating system returned an error to SQL Server during a read."},
	911:   {Class: 16, Message: "Database does not exist."},
	1205:  {Class: 13, State: 51, Message: "Transaction was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction."},
	1222:  {Class: 16, State: 51, Message: "Lock request time out period exceeded."},
	2627:  {Class: 14, Message: "Violation of PRIMARY KEY constraint."},
	2812:  {Class: 16, State: 62, Message: "Could not find stored procedure."},
	3960:  {Class: 16, Message: "Snapshot isolation transaction aborted due to update conflict."},
	4060:  {Class: 11, Message: "Cannot open database requested by the login. The login failed."},
	9002:  {Class: 17, State: 4, Message: "The transaction log is full."},
	18452: {Class: 14, Message: "Login failed. The login is from an untrusted domain."},
	18456: {Class: 14, Message: "Login failed for user."},
	40197: {Class: 20, Message: "The service has encountered an error processing your request. Please try again."},
	40501: {Class: 20, Message: "The service is currently busy."},
	40613: {Class: 17, Message: "Database is not currently available. Please retry the connection later."},
	41301: {Class: 16, Message: "A previous transaction that the current transaction took a dependency on has aborted."},
	41302: {Class: 16, Message: "The current transaction attempted to update a record that has been updated since this transaction started."},
	41305: {Class: 16, Message: "The current transaction failed to commit due to a repeatable read validation failure."},
	41325: {Class: 16, Message: "The current transaction failed to commit due to a serializable validation failure."},
	41839: {Class: 16, Message: "Transaction exceeded the maximum number of commit dependencies."},
}

// byNumber is a whole error of a number.
func byNumber(number int32) *Error {
	e := known[number]
	e.Number = number
	return &e
}

// asError completes what a handler returned. Other errors become user errors.
func asError(err error, proc string) *Error {
	var given *Error
	if !errors.As(err, &given) {
		given = &Error{Number: 50000, Message: err.Error()}
	}
	e := *given
	e.State = max(e.State, 1)
	e.Line = max(e.Line, 1)
	if e.Class == 0 {
		e.Class = 16
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("Error %d.", e.Number)
	}
	if e.Proc == "" {
		e.Proc = proc
	}
	return &e
}

// fatal errors close the connection that gets them.
func (e *Error) fatal() bool { return e.Class >= 20 }
