package sqlservertest

import (
	"strconv"
	"strings"
)

// parseExec reads a text that is one EXEC: its procedure and the arguments,
// which are variables of the text, literals, or NULL. ok is false of any other
// text.
func parseExec(text string, vars []argument) (proc string, args []argument, ok bool) {
	toks := tokens(text)
	if len(toks) < 2 || toks[0] != "exec" && toks[0] != "execute" {
		return "", nil, false
	}
	toks = toks[1:]
	n := nameLength(toks)
	if n == 0 || strings.HasPrefix(toks[0], "@") {
		return "", nil, false
	}
	proc, toks = strings.Join(toks[:n], ""), toks[n:]
	for len(toks) > 0 {
		var a argument
		if len(toks) > 2 && strings.HasPrefix(toks[0], "@") && toks[1] == "=" {
			a.name, toks = toks[0], toks[2:]
		}
		if !a.read(toks[0], vars) {
			return "", nil, false
		}
		if toks = toks[1:]; len(toks) > 0 && (toks[0] == "output" || toks[0] == "out") {
			a.out, toks = true, toks[1:]
		}
		args = append(args, a)
		if len(toks) == 0 {
			break
		}
		if toks[0] != "," || len(toks) == 1 {
			return "", nil, false
		}
		toks = toks[1:]
	}
	return proc, args, true
}

// read takes a value from its token.
func (a *argument) read(tok string, vars []argument) bool {
	switch {
	case tok == "null":
		a.t = wireType{id: typeNull}
	case strings.HasPrefix(tok, "'"):
		a.t, a.v = nvarchar(4000), tok[1:]
	case strings.HasPrefix(tok, "@"):
		for _, v := range vars {
			if strings.EqualFold(v.name, tok) {
				a.t, a.v = v.t, v.v
				return true
			}
		}
		return false
	default:
		n, err := strconv.ParseInt(tok, 10, 64)
		if err != nil {
			return false
		}
		a.t, a.v = wireType{id: typeIntN, size: 8}, n
	}
	return true
}

// assign carries the outputs of an EXEC back to the variables it was given. The
// i-th output argument's variable stands where its token stood, so both lists
// run in step.
func (r *Request) assign(text string, outs []output) {
	toks := tokens(text)
	at := 0
	for i, tok := range toks {
		if i == 0 || tok != "output" && tok != "out" || at == len(outs) {
			continue
		}
		r.Out(toks[i-1], outs[at].v)
		at++
	}
}
