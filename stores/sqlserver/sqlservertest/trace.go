package sqlservertest

import "slices"

// A Call is what a client asked for, in the trace.
type Call struct {
	Conn     int    // the connection, counted from 1
	Database string // that it was in
	// Name is the procedure without database and schema, as installed; of text the
	// known statement's name; Login; or that of a transaction's end.
	Name   string
	Text   string // of a batch or of sp_executesql
	Params []Param
	Reset  bool // the client asked to reset the connection first, as pools do

	// What came of it; zero while it runs and if it was dropped or cancelled
	// before its effect.
	Finished bool
	Rows     int   // in result sets
	Affected int64 // sum of the counts
	Error    int32 // number, 0 for none
}

// A Param is a parameter without its value.
type Param struct {
	Name string // as sent, with its at-sign; empty: by position
	Type string // as in T-SQL
	Size int    // bytes; -1: NULL
	Out  bool
}

// Calls are the calls so far, in the order of their arrival, logins included. They
// are kept until ResetTrace.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]Call, len(s.calls))
	for i, c := range s.calls {
		calls[i] = *c
		calls[i].Params = slices.Clone(c.Params)
	}
	return calls
}

// Names are the names of the calls so far but for logins.
func (s *Server) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, c := range s.calls {
		if c.Name != Login {
			names = append(names, c.Name)
		}
	}
	return names
}

// Batches are the texts so far: SQL batches and statements of sp_executesql.
func (s *Server) Batches() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var texts []string
	for _, c := range s.calls {
		if c.Text != "" {
			texts = append(texts, c.Text)
		}
	}
	return texts
}

// ResetTrace forgets the calls so far.
func (s *Server) ResetTrace() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}
