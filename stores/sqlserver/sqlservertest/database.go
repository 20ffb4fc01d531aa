package sqlservertest

import (
	"fmt"
	"maps"
	"strings"
)

// A Layout is a set of objects that one program installed.
type Layout uint8

const (
	// Classic4 is what aspnet_regsql of .NET 4 installs: an update renews the
	// expiry by the new timeout.
	Classic4 Layout = iota
	// Classic2 is of the 2.0 era: an update renews by the timeout that was.
	Classic2
	// Async11 is the table of the async provider 1.1, in SQL text throughout.
	Async11
	// Async11InMemory is the same, memory-optimised.
	Async11InMemory
	// Async2 is table and procedures of the async provider 2.x.
	Async2
	// Async2InMemory is the same, memory-optimised: procedures end in M.
	Async2InMemory
	// Async2InMemoryDurable survives a restart: procedures end in MD.
	Async2InMemoryDurable
)

// Names of the session tables.
const (
	classicTable      = "ASPStateTempSessions"
	asyncTable        = "ASPNetSessionState"
	asyncMemoryTable  = "ASPNetSessionState_InMem"
	asyncDurableTable = "ASPNetSessionState_InMemDurable"
)

// A Database of the server.
type Database struct {
	// Name, default ASPState.
	Name string
	// Layouts are what is installed; default Classic4. A slice that is not nil
	// but empty leaves the database without objects.
	Layouts []Layout
	// TempTables keeps the classic tables in tempdb, as aspnet_regsql does by
	// default: a restart empties them. Default false, the persisted flavour. A
	// custom database is a persisted one under another name.
	TempTables bool
	// NoStartup is a tempdb flavour whose start-up procedure was lost: a restart
	// leaves no tables, only CreateTempTables brings them back. Default false.
	NoStartup bool
	// SessionTable is the async provider's sessionTableName. Default none: its
	// own names.
	SessionTable string
}

// A database as it is now. Names are lower case.
type database struct {
	name   string
	tables map[string]*Table
	apps   map[string]int32 // AppName to AppId; nil without the table
	procs  map[string]*procedure
	temp   bool // classic tables in tempdb
	lost   bool // and nothing makes them anew
}

func install(d Database) (*database, error) {
	db := &database{name: d.Name, tables: map[string]*Table{}, procs: map[string]*procedure{}, temp: d.TempTables, lost: d.NoStartup}
	if d.Layouts == nil {
		d.Layouts = []Layout{Classic4}
	}
	for _, l := range d.Layouts {
		name, sh := asyncTable, shapeBinary
		switch l {
		case Classic4, Classic2:
			name, sh = classicTable, shapeClassic
		case Async11:
			name, sh = classicTable, shapeImage
		case Async11InMemory:
			name, sh = classicTable, shapeMemory
		case Async2:
		case Async2InMemory:
			name, sh = asyncMemoryTable, shapeMemory
		case Async2InMemoryDurable:
			name, sh = asyncDurableTable, shapeMemory
		default:
			return nil, fmt.Errorf("sqlservertest: database %s: no layout %d", d.Name, l)
		}
		if d.SessionTable != "" && sh != shapeClassic {
			name = d.SessionTable
		}
		if db.tables[strings.ToLower(name)] != nil {
			return nil, fmt.Errorf("sqlservertest: database %s: two layouts have table %s", d.Name, name)
		}
		t := db.create(name, sh)
		t.temp = l == Async2InMemory || l == Async11InMemory // SCHEMA_ONLY
		switch l {
		case Classic4, Classic2:
			t.temp = d.TempTables
			db.apps = map[string]int32{}
			db.define(classicProcs(l == Classic2)...)
		case Async2, Async2InMemory, Async2InMemoryDurable:
			db.define(asyncProcs(name, l, d.SessionTable)...)
		}
	}
	return db, nil
}

func (db *database) create(name string, sh shape) *Table {
	t := &Table{name: name, shape: sh, rows: map[string]*Row{}}
	db.tables[strings.ToLower(name)] = t
	return t
}

func (db *database) define(procs ...*procedure) {
	for _, p := range procs {
		db.procs[strings.ToLower(p.name)] = p
	}
}

func (db *database) table(name string) (*Table, error) {
	if t := db.tables[strings.ToLower(name)]; t != nil {
		return t, nil
	}
	return nil, &Error{Number: 208, Class: 16, Message: "Invalid object name '" + name + "'."}
}

// restart empties what lives in memory or in tempdb.
func (db *database) restart() {
	for _, t := range db.tables {
		if t.temp {
			t.rows = map[string]*Row{}
		}
	}
	switch {
	case db.temp && db.lost:
		delete(db.tables, strings.ToLower(classicTable))
		db.apps = nil
	case db.temp && db.apps != nil:
		db.apps = map[string]int32{}
	}
}

// A snapshot is what a rollback goes back to.
type snapshot map[*database]database

func take(dbs map[string]*database) snapshot {
	s := snapshot{}
	for db := range maps.Values(dbs) {
		was := *db
		was.apps, was.tables = maps.Clone(db.apps), map[string]*Table{}
		for key, t := range db.tables {
			old := *t
			old.rows = make(map[string]*Row, len(t.rows))
			for id, r := range t.rows {
				row := *r
				old.rows[id] = &row
			}
			was.tables[key] = &old
		}
		s[db] = was
	}
	return s
}

func (s snapshot) restore() {
	for db, was := range s {
		db.apps, db.tables = was.apps, was.tables
	}
}
