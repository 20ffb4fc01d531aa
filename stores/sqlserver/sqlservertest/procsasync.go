package sqlservertest

// asyncProcs are the procedures of the async provider 2.x on one table. A custom
// table name goes in front of theirs, the in-memory marks behind.
func asyncProcs(tableName string, l Layout, custom string) []*procedure {
	full := func(base string) string {
		if custom != "" {
			return custom + "_" + base
		}
		switch l {
		case Async2InMemory:
			return base + "M"
		case Async2InMemoryDurable:
			return base + "MD"
		}
		return base
	}
	id, item := in("@SessionId", nvarchar(88)), in("@SessionItemLong", longType)
	timeout, cookie := in("@Timeout", intType), in("@LockCookie", intType)
	define := func(base string, run func(*Request, *Table) error, params ...parameter) *procedure {
		return &procedure{full(base), params, func(c *Request) error {
			t, err := c.Table(tableName)
			if err != nil {
				return err
			}
			return run(c, t)
		}}
	}
	outs := []parameter{out("@Locked", bitType), out("@LockAge", intType), out("@LockCookie", intType), out("@ActionFlags", intType)}
	get := append([]parameter{id}, outs...)
	return []*procedure{
		define("GetStateItem", asyncGet, get...),
		define("GetStateItemExclusive", asyncGetExclusive, get...),
		define("InsertStateItem", asyncInsert, id, timeout, item),
		define("InsertUninitializedItem", asyncInsertUninitialized, id, timeout, item),
		define("UpdateStateItem", asyncUpdate, id, cookie, timeout, item),
		define("ReleaseItemExclusive", asyncRelease, id, cookie),
		define("RemoveStateItem", asyncRemove, id, cookie),
		define("ResetItemTimeout", asyncReset, id),
		define("DeleteExpiredSessionState", asyncDeleteExpired),
	}
}

// The effects below are those of the provider's procedures and of the SQL text
// of its version 1.1 alike: parameter names are the same.

func asyncGet(c *Request, t *Table) error          { return asyncFetch(c, t, false) }
func asyncGetExclusive(c *Request, t *Table) error { return asyncFetch(c, t, true) }

func asyncFetch(c *Request, t *Table, exclusive bool) error {
	f := t.get(c, c.Arg("@SessionId"), exclusive, false)
	if f == nil {
		return nil
	}
	c.Out("@Locked", f.locked)
	c.Out("@LockAge", f.age)
	c.Out("@LockCookie", f.cookie)
	c.Out("@ActionFlags", f.actionFlags)
	t.sendLong(c, f)
	return nil
}

func asyncInsert(c *Request, t *Table) error {
	return t.insert(c, c.Arg("@SessionId"), nil, c.bytes("@SessionItemLong"), c.Arg("@Timeout"), 0)
}

func asyncInsertUninitialized(c *Request, t *Table) error {
	return t.insert(c, c.Arg("@SessionId"), nil, c.bytes("@SessionItemLong"), c.Arg("@Timeout"), 1)
}

func asyncUpdate(c *Request, t *Table) error {
	return t.update(c, c.Arg("@SessionId"), c.Arg("@LockCookie"), c.Arg("@Timeout"), false, func(r *Row) { r.SessionItemLong = c.bytes("@SessionItemLong") })
}

func asyncRelease(c *Request, t *Table) error {
	return t.release(c, c.Arg("@SessionId"), c.Arg("@LockCookie"))
}

func asyncRemove(c *Request, t *Table) error {
	return t.remove(c, c.Arg("@SessionId"), c.Arg("@LockCookie"))
}

func asyncReset(c *Request, t *Table) error { return t.reset(c, c.Arg("@SessionId")) }

func asyncDeleteExpired(c *Request, t *Table) error {
	t.deleteExpired(c.Now()) // NOCOUNT is on
	return nil
}
