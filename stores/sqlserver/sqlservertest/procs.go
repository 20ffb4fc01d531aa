package sqlservertest

import (
	"fmt"
	"strings"
)

// A procedure has its effect when run; parameters are bound and converted before.
type procedure struct {
	name   string
	params []parameter
	run    func(*Request) error
}

type parameter struct {
	name string // with its at-sign
	t    wireType
	out  bool
}

func in(name string, t wireType) parameter  { return parameter{name: name, t: t} }
func out(name string, t wireType) parameter { return parameter{name: name, t: t, out: true} }

func nvarchar(n int) wireType { return wireType{id: typeNVarChar, size: 2 * n} }

var (
	intType     = wireType{id: typeIntN, size: 4}
	bitType     = wireType{id: typeBitN, size: 1}
	dateType    = wireType{id: typeDateTimeN, size: 8}
	imageType   = wireType{id: typeImage}
	shortType   = wireType{id: typeVarBinary, size: 7000}
	longType    = wireType{id: typeVarBinary, size: sizeMax}
	appNameType = wireType{id: typeVarChar, size: 280}
	char10Type  = wireType{id: typeChar, size: 10}
)

// major is the version of the server that this one claims to be, SQL Server 2022.
const major = 16

// classicProcs are the procedures of the ASPState database.
func classicProcs(era2 bool) []*procedure {
	id, short, long := in("@id", nvarchar(88)), in("@itemShort", shortType), in("@itemLong", imageType)
	timeout, cookie := in("@timeout", intType), in("@lockCookie", intType)
	table := func(run func(*Request, *Table) error) func(*Request) error {
		return func(c *Request) error {
			t, err := c.Table(classicTable)
			if err != nil {
				return err
			}
			return run(c, t)
		}
	}
	insert := func(name string, item parameter, flags int32) *procedure {
		return &procedure{name, []parameter{id, item, timeout}, table(func(c *Request, t *Table) error {
			return t.insert(c, c.Arg("@id"), c.bytes("@itemShort"), c.bytes("@itemLong"), c.Arg("@timeout"), flags)
		})}
	}
	update := func(name string, item parameter, set func(*Request, *Row)) *procedure {
		return &procedure{name, []parameter{id, item, timeout, cookie}, table(func(c *Request, t *Table) error {
			return t.update(c, c.Arg("@id"), c.Arg("@lockCookie"), c.Arg("@timeout"), era2, func(r *Row) { set(c, r) })
		})}
	}
	procs := []*procedure{
		insert("TempInsertUninitializedItem", short, 1),
		insert("TempInsertStateItemShort", short, 0),
		insert("TempInsertStateItemLong", long, 0),
		update("TempUpdateStateItemShort", short, func(c *Request, r *Row) { r.SessionItemShort = c.bytes("@itemShort") }),
		update("TempUpdateStateItemShortNullLong", short, func(c *Request, r *Row) { r.SessionItemShort, r.SessionItemLong = c.bytes("@itemShort"), nil }),
		update("TempUpdateStateItemLong", long, func(c *Request, r *Row) { r.SessionItemLong = c.bytes("@itemLong") }),
		update("TempUpdateStateItemLongNullShort", long, func(c *Request, r *Row) { r.SessionItemLong, r.SessionItemShort = c.bytes("@itemLong"), nil }),
		{"TempReleaseStateItemExclusive", []parameter{id, cookie}, table(func(c *Request, t *Table) error { return t.release(c, c.Arg("@id"), c.Arg("@lockCookie")) })},
		{"TempRemoveStateItem", []parameter{id, cookie}, table(func(c *Request, t *Table) error { return t.remove(c, c.Arg("@id"), c.Arg("@lockCookie")) })},
		{"TempResetTimeout", []parameter{id}, table(func(c *Request, t *Table) error { return t.reset(c, c.Arg("@id")) })},
		{"DeleteExpiredSessions", nil, table(func(c *Request, t *Table) error {
			if n := t.deleteExpired(c.Now()); era2 {
				c.Affected(n) // the later one has NOCOUNT on
			}
			return nil
		})},
		{"TempGetVersion", []parameter{out("@ver", char10Type)}, func(c *Request) error { c.Out("@ver", "2"); return nil }},
		{"GetMajorVersion", []parameter{out("@@ver", intType)}, func(c *Request) error { c.Out("@@ver", major); return nil }},
		{"GetHashCode", []parameter{in("@input", appNameType), out("@hash", intType)}, func(c *Request) error {
			s, _ := c.Arg("@input").(string)
			c.Out("@hash", hash(s))
			return nil
		}},
		{"TempGetAppID", []parameter{in("@appName", appNameType), out("@appId", intType)}, getAppID},
		{"CreateTempTables", nil, createTempTables},
	}
	for _, exclusive := range []bool{false, true} {
		name := "TempGetStateItem"
		if exclusive {
			name = "TempGetStateItemExclusive"
		}
		procs = append(procs, classicGet(name, exclusive, 1), classicGet(name+"2", exclusive, 2), classicGet(name+"3", exclusive, 3))
	}
	return procs
}

// classicGet is a get procedure of one of its three generations.
func classicGet(name string, exclusive bool, generation int) *procedure {
	p := &procedure{name: name, params: []parameter{in("@id", nvarchar(88)), out("@itemShort", shortType), out("@locked", bitType)}}
	if generation == 1 {
		p.params = append(p.params, out("@lockDate", dateType))
	} else {
		p.params = append(p.params, out("@lockAge", intType))
	}
	p.params = append(p.params, out("@lockCookie", intType))
	if generation == 3 {
		p.params = append(p.params, out("@actionFlags", intType))
	}
	p.run = func(c *Request) error {
		t, err := c.Table(classicTable)
		if err != nil {
			return err
		}
		f := t.get(c, c.Arg("@id"), exclusive, generation < 3)
		if f == nil {
			return nil // no row, no assignment: outputs stay as they came
		}
		c.Out("@itemShort", f.short)
		c.Out("@locked", f.locked)
		c.Out("@lockCookie", f.cookie)
		if generation == 1 {
			c.Out("@lockDate", f.lockLocal)
		} else {
			c.Out("@lockAge", f.age)
		}
		if generation == 3 {
			c.Out("@actionFlags", f.actionFlags)
		}
		t.sendLong(c, f)
		return nil
	}
	return p
}

// hash is GetHashCode: djb2 with XOR over the bytes, in 32 bits.
func hash(s string) int32 {
	h := uint32(5381)
	for _, b := range []byte(s) {
		h = h*33 ^ uint32(b)
	}
	return int32(h)
}

// getAppID finds or makes the number of an application.
func getAppID(c *Request) error {
	db := c.db
	if db.apps == nil {
		return &Error{Number: 208, Class: 16, Message: "Invalid object name 'ASPStateTempApplications'."}
	}
	given, ok := c.Arg("@appName").(string)
	if !ok {
		return &Error{Number: 515, State: 2, Class: 16, Message: "Cannot insert the value NULL into column 'AppName', table 'ASPStateTempApplications'; column does not allow nulls. INSERT fails."}
	}
	name := strings.TrimRight(strings.ToLower(given), " ")
	id, ok := db.apps[name]
	if !ok {
		id = hash(strings.ToLower(given))
		for other, taken := range db.apps {
			if taken == id {
				return &Error{Number: 50000, Class: 18, Message: fmt.Sprintf("SQL session state cannot have application '%s' because its hash is that of '%s'.", name, other)}
			}
		}
		db.apps[name] = id
		c.Affected(1)
	}
	c.Out("@appId", id)
	return nil
}

func createTempTables(c *Request) error {
	if c.db.tables[strings.ToLower(classicTable)] != nil {
		return &Error{Number: 2714, State: 6, Class: 16, Message: "There is already an object named '" + classicTable + "' in the database."}
	}
	c.db.create(classicTable, shapeClassic).temp = c.db.temp
	c.db.apps = map[string]int32{}
	return nil
}
