package sqlserver

// shortMost is how many bytes the short column holds.
const shortMost = 7000

// classic calls the procedures of ASPState, by the names and parameters that
// every version since ASP.NET 2.0 has.
type classic struct{}

func classicCall(name string, args ...any) statement {
	object := "dbo." + name
	return statement{object, object, args}
}

func (classic) read(r *row, key string, exclusive bool) statement {
	name := "TempGetStateItem3"
	if exclusive {
		name = "TempGetStateItemExclusive3"
	}
	return classicCall(name, in("id", key), out("itemShort", &r.short), out("locked", &r.locked),
		out("lockAge", &r.age), out("lockCookie", &r.cookie), out("actionFlags", &r.action))
}

func (classic) insert(key string, blob []byte, minutes int32, uninitialized bool) statement {
	switch {
	case uninitialized:
		return classicCall("TempInsertUninitializedItem", in("id", key), in("itemShort", blob), in("timeout", minutes))
	case len(blob) <= shortMost:
		return classicCall("TempInsertStateItemShort", in("id", key), in("itemShort", blob), in("timeout", minutes))
	}
	return classicCall("TempInsertStateItemLong", in("id", key), in("itemLong", blob), in("timeout", minutes))
}

// update names the column that becomes NULL: of the four update procedures these
// two are right whatever the row held, also what FrameworkCompat left in it.
func (classic) update(key string, blob []byte, minutes, cookie int32) statement {
	name, item := "TempUpdateStateItemShortNullLong", "itemShort"
	if len(blob) > shortMost {
		name, item = "TempUpdateStateItemLongNullShort", "itemLong"
	}
	return classicCall(name, in("id", key), in(item, blob), in("timeout", minutes), in("lockCookie", cookie))
}

func (classic) release(key string, cookie int32) statement {
	return classicCall("TempReleaseStateItemExclusive", in("id", key), in("lockCookie", cookie))
}

func (classic) remove(key string, cookie int32) statement {
	return classicCall("TempRemoveStateItem", in("id", key), in("lockCookie", cookie))
}

func (classic) touch(key string) statement {
	return classicCall("TempResetTimeout", in("id", key))
}

func (classic) tables() ([]string, bool) {
	return []string{"dbo." + classicTable, "tempdb.dbo." + classicTable}, false
}

func (classic) purge() string { return "dbo.DeleteExpiredSessions" }

const classicTable = "ASPStateTempSessions"
