package sqlservertest

import (
	"maps"
	"slices"
	"strings"
)

// A View reads and writes one session table from the test, past all procedures.
// It sees what open transactions have done so far; what it writes meanwhile is
// lost if they roll back.
type View struct {
	srv       *Server
	db, table string
}

// In is a view of a table, such as ASPStateTempSessions of ASPState. One that is
// not there is empty, and Put panics.
func (s *Server) In(db, table string) View { return View{s, db, table} }

// view is of the first database: its classic table, or else its first by name.
func (s *Server) view() View {
	s.mu.Lock()
	defer s.mu.Unlock()
	tables := s.dbs[strings.ToLower(s.first)].tables
	name := strings.ToLower(classicTable)
	if tables[name] == nil {
		name = slices.Min(append(slices.Collect(maps.Keys(tables)), "\xff"))
	}
	return View{s, s.first, name}
}

// use runs f on the table under the mutex; nil if there is none.
func (v View) use(f func(*Table)) {
	v.srv.mu.Lock()
	defer v.srv.mu.Unlock()
	if db := v.srv.dbs[strings.ToLower(v.db)]; db != nil {
		f(db.tables[strings.ToLower(v.table)])
		return
	}
	f(nil)
}

// Get is the row of a key: session id and application suffix.
func (v View) Get(key string) (row Row, ok bool) {
	v.use(func(t *Table) {
		if t != nil && t.Find(key) != nil {
			row, ok = *t.Find(key), true
		}
	})
	return row, ok
}

// Put inserts a row or replaces that of its key.
func (v View) Put(row Row) {
	v.use(func(t *Table) {
		if t == nil {
			panic("sqlservertest: database " + v.db + " has no table " + v.table)
		}
		t.Put(row)
	})
}

// Delete removes a row and says whether there was one.
func (v View) Delete(key string) (was bool) {
	v.use(func(t *Table) { was = t != nil && t.Delete(key) })
	return was
}

// Rows are all rows by key, expired ones included.
func (v View) Rows() []Row {
	var rows []Row
	v.use(func(t *Table) {
		if t != nil {
			for _, r := range t.Rows() {
				rows = append(rows, *r)
			}
		}
	})
	return rows
}

// Locked says whether a request owns the session.
func (v View) Locked(key string) bool {
	r, _ := v.Get(key)
	return r.Locked
}

// Get, Put, Delete, Rows and Locked are those of a View of the first database's
// session table: the classic one if it has several.
func (s *Server) Get(key string) (Row, bool) { return s.view().Get(key) }

// Put is View.Put.
func (s *Server) Put(row Row) { s.view().Put(row) }

// Delete is View.Delete.
func (s *Server) Delete(key string) bool { return s.view().Delete(key) }

// Rows is View.Rows.
func (s *Server) Rows() []Row { return s.view().Rows() }

// Locked is View.Locked.
func (s *Server) Locked(key string) bool { return s.view().Locked(key) }

// PutApp sets the AppId that TempGetAppID gives an application, in the first
// database; it makes two applications share their sessions, as administrators do.
func (s *Server) PutApp(name string, id int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if db := s.dbs[strings.ToLower(s.first)]; db.apps != nil {
		db.apps[strings.ToLower(strings.TrimRight(name, " "))] = id
	}
}
