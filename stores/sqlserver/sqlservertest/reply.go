package sqlservertest

import (
	"fmt"
	"unicode/utf16"
)

// Tokens, MS-TDS 2.2.7.
const (
	tokReturnStatus = 0x79
	tokColumns      = 0x81
	tokError        = 0xAA
	tokInfo         = 0xAB
	tokReturnValue  = 0xAC
	tokLoginAck     = 0xAD
	tokRow          = 0xD1
	tokNullRow      = 0xD2 // with a bitmap of the NULLs
	tokEnv          = 0xE3
	tokDone         = 0xFD
	tokDoneProc     = 0xFE
	tokDoneInProc   = 0xFF
)

// Status bits of the done tokens, MS-TDS 2.2.7.6.
const (
	doneMore      = 0x01
	doneError     = 0x02
	doneCount     = 0x10
	doneAttention = 0x20
	doneFatal     = 0x100
)

// Kinds of ENVCHANGE, MS-TDS 2.2.7.9.
const (
	envDatabase   = 1
	envPacketSize = 4
	envBegin      = 8
	envCommit     = 9
	envRollback   = 10
	envReset      = 18
)

func (e *encoder) done(id byte, status, command uint16, count uint64) {
	e.bytes(id)
	e.u16(status)
	e.u16(command)
	e.u64(count)
}

func (e *encoder) message(id byte, m *Error) {
	e.token(id, func(e *encoder) {
		e.u32(uint32(m.Number))
		e.bytes(m.State, m.Class)
		e.longText(m.Message)
		e.shortText(serverName)
		e.shortText(m.Proc)
		e.u32(uint32(m.Line))
	})
}

// envText tells a change of text, envTran one of the transaction's descriptor.
func (e *encoder) envText(kind byte, now, before string) {
	e.token(tokEnv, func(e *encoder) {
		e.bytes(kind)
		e.shortText(now)
		e.shortText(before)
	})
}

func (e *encoder) envTran(kind byte, id uint64) {
	e.token(tokEnv, func(e *encoder) {
		e.bytes(kind)
		if kind == envBegin {
			e.bytes(8)
			e.u64(id)
			e.bytes(0)
			return
		}
		e.bytes(0, 8)
		e.u64(id)
	})
}

func (e *encoder) loginAck() {
	const name = "Microsoft SQL Server"
	e.token(tokLoginAck, func(e *encoder) {
		e.bytes(1, 0x74, 0, 0, 4) // T-SQL; TDS 7.4
		e.shortText(name)
		e.bytes(major, 0, 0x03, 0xE8)
	})
}

func (e *encoder) resultSet(r Result) error {
	e.bytes(tokColumns)
	e.u16(uint16(len(r.Columns)))
	for _, c := range r.Columns {
		const nullable = 1
		t := c.wire()
		e.u32(0)
		e.u16(nullable)
		e.typeInfo(t)
		if t.id == typeImage { // the table it is of, in parts
			e.bytes(1)
			u := utf16.Encode([]rune(classicTable))
			e.u16(uint16(len(u)))
			e.chars(u)
		}
		e.shortText(c.Name)
	}
	for i, row := range r.Rows {
		if len(row) != len(r.Columns) {
			return fmt.Errorf("sqlservertest: row %d has %d values for %d columns", i, len(row), len(r.Columns))
		}
		if err := e.row(r.Columns, row); err != nil {
			return fmt.Errorf("sqlservertest: row %d: %w", i, err)
		}
	}
	return nil
}

func (e *encoder) row(columns []Column, row []any) error {
	nulls := make([]byte, (len(row)+7)/8)
	any := false
	for i, v := range row {
		if p, isBytes := v.([]byte); v == nil || isBytes && p == nil {
			nulls[i/8] |= 1 << (i % 8)
			any = true
		}
	}
	if any {
		e.bytes(tokNullRow)
		e.bytes(nulls...)
	} else {
		e.bytes(tokRow)
	}
	for i, v := range row {
		if nulls[i/8]&(1<<(i%8)) != 0 {
			continue
		}
		if err := e.value(columns[i].wire(), v); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	return nil
}

// An answer is what a command came to.
type answer struct {
	rpc     bool
	results []Result
	outs    []output
	err     *Error
}

const (
	commandSelect = 0xC1
	commandUpdate = 0xC5
)

// answer makes the tokens of an answer. An error there is of the answer's values:
// the fault of a script or of a handler.
func (e *encoder) answer(a answer) error {
	statement := byte(tokDone)
	if a.rpc {
		statement = tokDoneInProc
	}
	for i, r := range a.results {
		// The driver stops at the first done token without the bit for more.
		status := uint16(doneMore)
		if !a.rpc && a.err == nil && i == len(a.results)-1 {
			status = 0
		}
		switch {
		case len(r.Columns) > 0:
			if err := e.resultSet(r); err != nil {
				return err
			}
			e.done(statement, status|doneCount, commandSelect, uint64(len(r.Rows)))
		case r.Affected >= 0:
			e.done(statement, status|doneCount, commandUpdate, uint64(r.Affected))
		default:
			e.done(statement, status, commandUpdate, 0)
		}
	}
	last := uint16(0)
	if a.err != nil {
		last = doneError
		if a.err.fatal() {
			last |= doneFatal
		}
		e.message(tokError, a.err)
		if a.err.Number == 2627 || a.err.Number == 515 {
			e.message(tokInfo, &Error{Number: 3621, State: 0, Class: 0, Message: "The statement has been terminated.", Proc: a.err.Proc, Line: a.err.Line})
		}
	}
	if !a.rpc {
		if a.err != nil || len(a.results) == 0 {
			e.done(tokDone, last, 0, 0)
		}
		return nil
	}
	e.bytes(tokReturnStatus)
	if a.err != nil {
		status := int32(-4)
		e.u32(uint32(status))
		e.done(tokDoneProc, last, 0, 0)
		return nil
	}
	e.u32(0)
	for _, o := range a.outs {
		e.bytes(tokReturnValue)
		e.u16(uint16(o.ordinal))
		e.shortText(o.name)
		e.bytes(1)
		e.u32(0)
		e.u16(1)
		e.typeInfo(o.t)
		if err := e.value(o.t, o.v); err != nil {
			return fmt.Errorf("sqlservertest: output %s: %w", o.name, err)
		}
	}
	e.done(tokDoneProc, 0, 0, 0)
	return nil
}
