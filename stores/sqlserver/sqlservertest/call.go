package sqlservertest

import (
	"context"
	"fmt"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// request runs a batch, a call or the end of a transaction.
func (c *conn) request(ctx context.Context, m message) outcome {
	c.env = encoder{}
	if m.reset {
		c.reset(m.keepTran)
	}
	var cmd command
	var err error
	switch m.kind {
	case kindRPC:
		cmd, err = parseRPC(m.data)
	case kindTran:
		cmd, err = parseTran(m.data)
	default:
		cmd, err = parseBatch(m.data)
	}
	if err != nil {
		bad := asError(&Error{Number: 4002, Class: 20, Message: "The incoming tabular data stream (TDS) protocol stream is incorrect: " + err.Error() + "."}, "")
		return c.encode(answer{err: bad})
	}
	return c.call(ctx, cmd, m.reset)
}

// A target is what a command turns out to mean.
type target struct {
	name string // for trace and faults
	db   *database
	proc *procedure
	args []argument
	run  func(*Request) error
	text string // of an EXEC, whose outputs go to the text's variables
}

func (c *conn) call(ctx context.Context, cmd command, reset bool) outcome {
	s := c.srv
	r := &Request{Text: cmd.text, conn: c, vals: map[string]any{}, types: map[string]wireType{}}

	s.mu.Lock()
	t := c.target(r, cmd)
	trace := &Call{Conn: c.id, Database: c.db.name, Name: t.name, Text: cmd.text, Reset: reset}
	for _, a := range cmd.args {
		trace.Params = append(trace.Params, Param{a.name, a.t.String(), a.size, a.out})
	}
	s.calls = append(s.calls, trace)
	p := s.plan(t.name)
	s.mu.Unlock()

	if p.drops(BeforeEffect) {
		return outcome{end: true}
	}
	if !p.wait(ctx) {
		return outcome{}
	}
	if c.tran == nil {
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return outcome{}
		}
	}
	s.mu.Lock()
	a := c.run(r, cmd, t, p)
	o := c.encode(a)
	trace.finish(a)
	s.mu.Unlock()
	if c.tran == nil {
		<-s.turn
	}
	switch {
	case p.drops(AfterEffect):
		return outcome{end: true}
	case p.drops(MidReply):
		o.half = true
	}
	return o
}

// target finds out what a command means. The caller has the mutex.
func (c *conn) target(r *Request, cmd command) target {
	s := c.srv
	switch {
	case cmd.tran != nil:
		return target{name: cmd.name, db: c.db, run: cmd.tran}
	case cmd.proc != "":
		return c.procedure(cmd.proc, cmd.args)
	}
	for _, sc := range s.scripts {
		if sc.match.MatchString(cmd.text) {
			return target{name: "script", db: c.db, run: func(r *Request) error {
				r.results = sc.results
				if len(sc.results) == 0 {
					r.results = []Result{{Affected: -1}}
				}
				return nil
			}}
		}
	}
	toks := tokens(cmd.text)
	for _, known := range [][]statement{s.statements, builtin} {
		for _, st := range known {
			if found, ok := st.p.match(toks); ok {
				r.found = found
				return target{name: st.name, db: c.db, run: st.run}
			}
		}
	}
	if proc, args, ok := parseExec(cmd.text, cmd.args); ok {
		t := c.procedure(proc, args)
		t.text = cmd.text
		return t
	}
	return target{name: "unknown text", db: c.db, run: func(*Request) error {
		return fmt.Errorf("sqlservertest: this stand-in does not know the text %q; teach it with Handle or Script", excerpt(cmd.text))
	}}
}

// procedure looks a procedure up in the database that its name or the connection
// says.
func (c *conn) procedure(called string, args []argument) target {
	dbName, object := splitName(called)
	t := target{name: object, db: c.db, args: args}
	if dbName != "" {
		t.db = c.srv.dbs[dbName]
	}
	if t.db != nil && !c.srv.missing[object] {
		t.proc = t.db.procs[object]
	}
	if t.proc != nil {
		t.name = t.proc.name
	}
	t.run = func(r *Request) error {
		switch {
		case t.proc == nil:
			return &Error{Number: 2812, State: 62, Class: 16, Message: "Could not find stored procedure '" + called + "'."}
		case c.srv.denied[object]:
			return &Error{Number: 229, State: 5, Class: 14, Message: fmt.Sprintf("The EXECUTE permission was denied on the object '%s', database '%s', schema 'dbo'.", t.name, t.db.name)}
		}
		if err := r.bind(t.proc, args); err != nil {
			return err
		}
		return t.proc.run(r)
	}
	return t
}

// run has the effect. The caller has the mutex and the turn.
func (c *conn) run(r *Request, cmd command, t target, p plan) answer {
	r.now, r.db = c.srv.now(), t.db
	var err error
	if p.err != nil {
		err = p.err
	} else {
		if t.proc == nil {
			r.declare(cmd.args)
		}
		err = t.run(r)
	}
	a := answer{rpc: cmd.rpc, results: r.results}
	for i, res := range r.results {
		if res.Err != nil && err == nil {
			err, a.results = res.Err, r.results[:i]
		}
	}
	if err != nil {
		name := ""
		if cmd.proc != "" || t.text != "" {
			name = t.name
		}
		a.err = asError(err, name)
		if a.err.Number == 1205 && c.tran != nil {
			c.undo()
		}
		return a
	}
	switch {
	case t.text != "":
		outs := r.outputs(t.proc, t.args)
		vars := &Request{vals: map[string]any{}, types: map[string]wireType{}}
		vars.declare(cmd.args)
		vars.assign(t.text, outs)
		a.outs = vars.outputs(nil, cmd.args)
	case t.proc != nil:
		a.outs = r.outputs(t.proc, t.args)
	default:
		a.outs = r.outputs(nil, cmd.args)
	}
	return a
}

// encode makes the reply, or the error of one that cannot be sent.
func (c *conn) encode(a answer) outcome {
	e := encoder{b: append([]byte{}, c.env.b...)}
	if err := e.answer(a); err != nil {
		e = encoder{b: append([]byte{}, c.env.b...)}
		a = answer{rpc: a.rpc, err: asError(&Error{Number: 50000, Message: err.Error()}, "")}
		_ = e.answer(a) // has no values
	}
	return outcome{reply: e.b, end: a.err != nil && a.err.fatal()}
}

func (t *Call) finish(a answer) {
	t.Finished = true
	if a.err != nil {
		t.Error = a.err.Number
	}
	for _, r := range a.results {
		t.Rows += len(r.Rows)
		if len(r.Columns) == 0 && r.Affected > 0 {
			t.Affected += r.Affected
		}
	}
}
