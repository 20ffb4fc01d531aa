package sqlservertest

// A transaction has the server to itself until it ends: every other call waits.
// Its beginning is remembered whole, for a rollback.
type transaction struct {
	id    uint64
	was   snapshot
	depth int // of BEGIN inside BEGIN
}

func begin(r *Request) error {
	c := r.conn
	if c.tran != nil {
		c.tran.depth++
		return nil
	}
	c.srv.trans++
	c.tran = &transaction{id: c.srv.trans, was: take(c.srv.dbs), depth: 1}
	c.env.envTran(envBegin, c.tran.id)
	return nil
}

func commit(r *Request) error {
	c := r.conn
	if c.tran == nil {
		return &Error{Number: 3902, Class: 16, Message: "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."}
	}
	if c.tran.depth--; c.tran.depth > 0 {
		return nil
	}
	c.env.envTran(envCommit, c.tran.id)
	c.tran = nil
	return nil
}

func rollback(r *Request) error {
	if r.conn.tran == nil {
		return &Error{Number: 3903, Class: 16, Message: "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."}
	}
	r.conn.undo()
	return nil
}

// undo rolls back. The caller has the server's mutex and, as the transaction is
// open, the turn.
func (c *conn) undo() {
	c.tran.was.restore()
	c.env.envTran(envRollback, c.tran.id)
	c.tran = nil
}

// abandon ends a transaction that its connection left open.
func (c *conn) abandon() {
	if c.tran == nil {
		return
	}
	c.srv.mu.Lock()
	c.undo()
	c.srv.mu.Unlock()
	<-c.srv.turn
}
