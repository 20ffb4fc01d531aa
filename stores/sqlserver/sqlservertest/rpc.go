package sqlservertest

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

const idExecuteSQL = 10 // MS-TDS 2.2.6.6: ProcID

// An argument is a parameter as the client sent it.
type argument struct {
	name string // with its at-sign; empty: by position
	out  bool
	t    wireType
	v    any
	size int // bytes on the wire, -1 for NULL
}

// A command is a message that asks for work.
type command struct {
	proc string // as called; empty: text
	text string
	args []argument
	rpc  bool
	tran func(*Request) error // of a transaction manager request
	name string               // of that
}

func parseBatch(data []byte) (command, error) {
	d := decoder{b: data}
	d.headers()
	if d.err == nil && len(d.b)%2 != 0 {
		d.err = errShort
	}
	return command{text: fromUTF16(d.b)}, d.err
}

func parseRPC(data []byte) (command, error) {
	d := decoder{b: data}
	d.headers()
	c := command{rpc: true}
	id := -1
	if n := d.u16(); n == 0xFFFF {
		id = int(d.u16())
	} else {
		c.proc = d.chars(int(n))
	}
	d.u16() // option flags: recompile, no metadata
	for d.err == nil && len(d.b) > 0 {
		a := argument{name: d.chars(int(d.u8()))}
		status := d.u8()
		a.out = status&1 != 0
		if status&8 != 0 && d.err == nil {
			d.err = fmt.Errorf("sqlservertest: encrypted parameters are not spoken here")
		}
		a.t = d.wireType()
		raw := len(d.b)
		a.v = d.value(a.t)
		switch v := a.v.(type) {
		case nil:
			a.size = -1
		case []byte:
			a.size = len(v)
		case string:
			a.size = len(v)
			if a.t.id == typeNVarChar || a.t.id == typeNChar || a.t.id == typeNText {
				a.size = 2 * len(utf16.Encode([]rune(v)))
			}
		default:
			a.size = raw - len(d.b)
			if _, fixed := fixedTypes[a.t.id]; !fixed {
				a.size-- // the length before it
			}
		}
		c.args = append(c.args, a)
	}
	if d.err != nil {
		return c, d.err
	}
	if id == -1 && !strings.EqualFold(c.proc, "sp_executesql") {
		return c, nil
	}
	if id != idExecuteSQL && id != -1 {
		c.proc = fmt.Sprintf("system procedure %d", id) // of which there are none
		return c, nil
	}
	return c, c.executeSQL()
}

// executeSQL takes statement and declarations from the arguments' front. What is
// left without a name gets it from the declarations.
func (c *command) executeSQL() error {
	c.proc = ""
	if len(c.args) == 0 {
		return errShort
	}
	c.text, _ = c.args[0].v.(string)
	c.args = c.args[1:]
	if len(c.args) == 0 {
		return nil
	}
	decls, _ := c.args[0].v.(string)
	c.args = c.args[1:]
	var names []string
	for _, tok := range tokens(decls) {
		if strings.HasPrefix(tok, "@") {
			names = append(names, tok)
		}
	}
	for i := range c.args {
		if c.args[i].name == "" && i < len(names) {
			c.args[i].name = names[i]
		}
	}
	return nil
}

// Transaction manager requests, MS-TDS 2.2.6.9.
const (
	tranBegin    = 5
	tranCommit   = 7
	tranRollback = 8
)

func parseTran(data []byte) (command, error) {
	d := decoder{b: data}
	d.headers()
	kind := d.u16()
	var c command
	again := false
	if kind == tranBegin {
		d.u8() // isolation: all are serializable here
	}
	d.chars(int(d.u8())) // name
	if kind != tranBegin {
		again = d.u8()&1 != 0
	}
	switch kind {
	case tranBegin:
		c.name, c.tran = "BEGIN TRANSACTION", begin
	case tranCommit:
		c.name, c.tran = "COMMIT TRANSACTION", commit
	case tranRollback:
		c.name, c.tran = "ROLLBACK TRANSACTION", rollback
	default:
		if d.err == nil {
			d.err = fmt.Errorf("sqlservertest: transaction manager request %d is not spoken here", kind)
		}
	}
	if end := c.tran; again {
		c.tran = func(r *Request) error {
			if err := end(r); err != nil {
				return err
			}
			return begin(r)
		}
	}
	return c, d.err
}

// bind gives a procedure its parameters: by name in any case, or by position.
func (r *Request) bind(p *procedure, args []argument) error {
	fail := func(number int32, state uint8, format string, a ...any) error {
		return &Error{Number: number, State: state, Class: 16, Message: fmt.Sprintf(format, a...)}
	}
	if len(args) > len(p.params) {
		return fail(8144, 2, "Procedure or function %s has too many arguments specified.", p.name)
	}
	given := map[string]bool{}
	for i, a := range args {
		want := p.params[i]
		if a.name != "" {
			at := -1
			for j, param := range p.params {
				if strings.EqualFold(param.name, a.name) {
					at = j
				}
			}
			if at == -1 {
				return fail(8145, 1, "%s is not a parameter for procedure %s.", a.name, p.name)
			}
			want = p.params[at]
		}
		key := strings.ToLower(want.name)
		if given[key] {
			return fail(8143, 1, "Parameter '%s' was supplied multiple times.", want.name)
		}
		if a.out && !want.out {
			return fail(8162, 2, "The formal parameter \"%s\" was not declared as an OUTPUT parameter, but the actual parameter passed in requested output.", want.name)
		}
		v, err := convert(a.v, want.t)
		if err != nil {
			return err
		}
		given[key], r.vals[key], r.types[key] = true, v, want.t
	}
	for _, param := range p.params {
		if !given[strings.ToLower(param.name)] {
			return fail(201, 4, "Procedure or function '%s' expects parameter '%s', which was not supplied.", p.name, param.name)
		}
	}
	return nil
}

// declare makes the variables of sp_executesql.
func (r *Request) declare(args []argument) {
	for _, a := range args {
		key := strings.ToLower(a.name)
		r.vals[key], r.types[key] = a.v, a.t
	}
}

// An output is a parameter that goes back.
type output struct {
	ordinal int
	name    string // as the client spelt it
	t       wireType
	v       any
}

// outputs are read after the run. p is nil for sp_executesql.
func (r *Request) outputs(p *procedure, args []argument) []output {
	var outs []output
	for i, a := range args {
		if !a.out {
			continue
		}
		key := strings.ToLower(a.name)
		if p != nil && key == "" {
			key = strings.ToLower(p.params[i].name)
		}
		t := a.t
		if n, fixed := fixedTypes[t.id]; fixed {
			t = n
		}
		switch t.id { // what cannot be sent back goes as the procedure's own
		case typeNull, typeImage, typeText, typeNText, typeGUID:
			if t = r.types[key]; p == nil {
				t = nvarchar(1)
			}
		}
		outs = append(outs, output{i, a.name, t, r.vals[key]})
	}
	return outs
}
