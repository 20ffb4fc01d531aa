package sqlservertest

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// The login that there is by default.
const (
	User     = "aspnet"
	Password = "Stand-In;1" // what a connection string must quote
)

const serverName = "sqlservertest"

// Options of a Server. The zero value is one ASPState database as .NET 4 makes it.
type Options struct {
	// Address to listen on. Default 127.0.0.1:0. Anybody who can reach it can try
	// the logins in clear text.
	Address string
	// Databases besides master. Default one Database{}.
	Databases []Database
	// Users are logins and passwords. Default User and Password. Any of them may
	// do all that Deny leaves.
	Users map[string]string
	// Zone is the server's, of LockDateLocal. Default UTC.
	Zone *time.Location
}

// A Server is the stand-in. It is safe for concurrent use. Make it with Run or
// Start.
type Server struct {
	opt   Options
	first string // database
	ln    net.Listener
	wg    sync.WaitGroup
	// turn is held by the call or transaction that is running; taken before mu.
	turn chan struct{}

	mu         sync.Mutex // guards all below
	dbs        map[string]*database
	conns      map[*conn]struct{}
	lastConn   int
	trans      uint64 // transactions so far
	closed     bool
	statements []statement // of Handle, the latest first
	scripts    []script    // of Script, the latest first
	faults     []*fault
	missing    map[string]bool
	denied     map[string]bool
	calls      []*Call
	stopped    time.Time     // of SetTime; zero: the clock goes
	ahead      time.Duration // of Advance
}

// TB is what Run needs of a testing.TB.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Run starts a Server for a test, whose end closes it.
func Run(t TB, opt Options) *Server {
	t.Helper()
	s, err := Start(opt)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a Server; Close ends it. Errors are of the address and of layouts
// that cannot be in one database.
func Start(opt Options) (*Server, error) {
	if opt.Address == "" {
		opt.Address = "127.0.0.1:0"
	}
	if opt.Databases == nil {
		opt.Databases = []Database{{}}
	}
	if opt.Users == nil {
		opt.Users = map[string]string{User: Password}
	}
	if opt.Zone == nil {
		opt.Zone = time.UTC
	}
	s := &Server{
		opt: opt, turn: make(chan struct{}, 1), dbs: map[string]*database{}, conns: map[*conn]struct{}{},
		missing: map[string]bool{}, denied: map[string]bool{},
	}
	for _, d := range append(opt.Databases[:len(opt.Databases):len(opt.Databases)], Database{Name: "master", Layouts: []Layout{}}) {
		if d.Name == "" {
			d.Name = "ASPState"
		}
		if s.first == "" {
			s.first = d.Name
		}
		if s.dbs[strings.ToLower(d.Name)] != nil {
			return nil, fmt.Errorf("sqlservertest: two databases are called %s", d.Name)
		}
		db, err := install(d)
		if err != nil {
			return nil, err
		}
		s.dbs[strings.ToLower(d.Name)] = db
	}
	ln, err := net.Listen("tcp", opt.Address)
	if err != nil {
		return nil, fmt.Errorf("sqlservertest: %w", err)
	}
	s.ln = ln
	s.wg.Add(1)
	go s.accept()
	return s, nil
}

func (s *Server) accept() {
	defer s.wg.Done()
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return // Close
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			nc.Close()
			return
		}
		s.lastConn++
		c := newConn(s, nc, s.lastConn)
		s.conns[c] = struct{}{}
		s.wg.Add(1)
		s.mu.Unlock()
		go c.serve()
	}
}

// Close ends all connections and returns when no goroutine is left.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.ln.Close()
	s.dropAll()
	s.wg.Wait()
}

// dropAll closes the connections of now and waits for their ends.
func (s *Server) dropAll() {
	s.mu.Lock()
	var all []*conn
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.close()
	}
	for _, c := range all {
		<-c.ended
	}
}

// DropConnections closes all connections, whatever they are doing; open
// transactions roll back.
func (s *Server) DropConnections() { s.dropAll() }

// Restart is a restart of the service: connections end, and what is in tempdb or
// memory-optimised without durability is empty afterwards. It listens all along.
func (s *Server) Restart() {
	s.dropAll()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, db := range s.dbs {
		db.restart()
	}
}

// Addr is host:port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// URL is a connection string for go-mssqldb; with an empty db it names none.
func (s *Server) URL(user, password, db string) string {
	q := url.Values{"encrypt": {"disable"}}
	if db != "" {
		q.Set("database", db)
	}
	u := url.URL{Scheme: "sqlserver", User: url.UserPassword(user, password), Host: s.Addr(), RawQuery: q.Encode()}
	return u.String()
}

// DSN is URL for the default login and the first database.
func (s *Server) DSN() string { return s.URL(User, Password, s.first) }

// Advance moves the clock on, or back if d is negative.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// SetTime stops the clock at t; Advance still moves it.
func (s *Server) SetTime(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped, s.ahead = t, 0
}

// Now is the server's clock, UTC at datetime's precision.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *Server) now() time.Time {
	t := s.stopped
	if t.IsZero() {
		t = time.Now()
	}
	return toDateTime(t.Add(s.ahead))
}

// wall is the reading of the server's local clock, as a date without a zone.
func (s *Server) wall(t time.Time) time.Time {
	_, offset := t.In(s.opt.Zone).Zone()
	return t.Add(time.Duration(offset) * time.Second)
}

// Handle teaches the server a text: name is for the trace and for faults. The
// pattern is the text itself; case, white space, comments, semicolons, brackets
// and dbo do not count; "..." stands for anything, {table} for a name and {'x}
// for a literal, which Found gives. The latest that matches is called; an error
// of it becomes error 50000 unless it is an *Error. A handler that fails should
// not have changed anything.
func (s *Server) Handle(name, pattern string, handler func(*Request) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statements = append([]statement{{name, compile(pattern), handler}}, s.statements...)
}

// A script answers texts that match with results that were recorded.
type script struct {
	match   *regexp.Regexp
	results []Result
}

// Script answers every batch that the regular expression matches (case does not
// count, a dot is any character) with these results, before all known texts; the
// latest script that matches counts. Without results it is done without a count.
// It panics if match is no regular expression.
func (s *Server) Script(match string, results ...Result) {
	re := regexp.MustCompile("(?is)" + match)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = append([]script{{re, results}}, s.scripts...)
}
