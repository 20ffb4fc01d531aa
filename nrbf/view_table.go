package nrbf

import (
	"fmt"
	"strings"

	"github.com/aspsession/aspsession/clr"
)

// A Table is a System.Data.DataTable as it was when it was read: a copy, in
// which changes change nothing of the graph. Build no DataTable: [ErrGadget].
type Table struct {
	Name    string
	Columns []Column
	Rows    []Row
}

// A Column is a DataColumn.
type Column struct {
	Name      string
	Type      string // .NET's full name
	AllowNull bool
	mode      dateMode
}

// A Row is a DataRow: its values now, and those before it was deleted. A value
// is what [ScalarOf] gives, [DBNull] for NULL; []byte for a byte[]; a [Value]
// where the binary form has another object; text where the XML form has one.
type Row struct {
	State  RowState
	Values []any
}

// A RowState is a DataRowState.
type RowState uint8

// The states.
const (
	Unchanged RowState = iota
	Added
	Modified
	Deleted
)

// String is .NET's name of the state.
func (s RowState) String() string {
	return [...]string{"Unchanged", "Added", "Modified", "Deleted"}[s&3]
}

// A DataSet is a System.Data.DataSet as it was when it was read.
type DataSet struct {
	Name      string
	Tables    []Table
	Relations []string // their names
}

type dateMode uint8

const (
	dateLocal            dateMode = 1
	dateUnspecified      dateMode = 2
	dateUnspecifiedLocal dateMode = 3
	dateUtc              dateMode = 4
)

// kind is what DateTime values of a column have when .NET has read them.
func (m dateMode) kind() clr.Kind {
	switch m {
	case dateLocal:
		return clr.Local
	case dateUtc:
		return clr.Utc
	}
	return clr.Unspecified
}

// maxCells bounds a table: columns times rows can be far more than the stream.
const maxCells = 4 << 20

// TableOf reads a DataTable, in its XML or its binary form; [ErrType] for
// anything else.
func TableOf(v Value) (Table, error) {
	o := v.Object()
	if o.className() != "System.Data.DataTable" {
		return Table{}, usage("DataTable", ErrType, "it is %s", describe(v))
	}
	if _, ok := o.Get("XmlSchema").Text(); ok {
		set, main, err := xmlSet(o)
		if err != nil {
			return Table{}, err
		}
		for _, t := range set.Tables {
			if t.Name == main || main == "" {
				return t, nil
			}
		}
		return Table{}, usage("DataTable", ErrCorrupt, "its schema has no table")
	}
	t, err := binarySchema(o)
	if err != nil {
		return Table{}, err
	}
	return t, binaryRows(&t, o, 0)
}

// DataSetOf reads a DataSet, in its XML or its binary form; [ErrType] for
// anything else. Typed data sets have class names of their own and are taken by
// their members.
func DataSetOf(v Value) (DataSet, error) {
	o := v.Object()
	if o.className() != "System.Data.DataSet" && !o.Get("DataSet.RemotingVersion").Exists() && !o.Get("XmlDiffGram").Exists() {
		return DataSet{}, usage("DataSet", ErrType, "it is %s", describe(v))
	}
	if _, ok := o.Get("XmlSchema").Text(); ok {
		set, _, err := xmlSet(o)
		return set, err
	}
	name, ok := o.Get("DataSet.DataSetName").Text()
	n, ok2 := o.Get("DataSet.Tables.Count").Int()
	if !ok || !ok2 || n < 0 || n > int64(o.Len()) {
		return DataSet{}, usage("DataSet", ErrCorrupt, "neither the XML nor the binary form")
	}
	set := DataSet{Name: name}
	total := 0
	for i := range int(n) {
		// The schema of each table is a stream of its own.
		b := o.Get(fmt.Sprintf("DataSet.Tables_%d", i)).Array().Bytes()
		if total += len(b); total > o.g.opt.Bytes { // one stream for many tables
			return DataSet{}, usage("DataSet", ErrLimit, "tables of over %d bytes", o.g.opt.Bytes)
		}
		g, err := Decode(b, o.g.opt)
		if err != nil {
			return DataSet{}, fmt.Errorf("table %d of the DataSet: %w", i, err)
		}
		t, err := binarySchema(g.Root().Object())
		if err != nil {
			return DataSet{}, err
		}
		if err := binaryRows(&t, o, i); err != nil {
			return DataSet{}, err
		}
		set.Tables = append(set.Tables, t)
	}
	if l, ok := ListOf(o.Get("DataSet.Relations")); ok {
		for _, r := range l.All() {
			if parts, ok := ListOf(r); ok {
				name, _ := parts.At(0).Text()
				set.Relations = append(set.Relations, name)
			}
		}
	}
	return set, nil
}

func binarySchema(o *Object) (Table, error) {
	name, ok := o.Get("DataTable.TableName").Text()
	n, ok2 := o.Get("DataTable.Columns.Count").Int()
	if !ok || !ok2 || n < 0 || n > int64(o.Len()) {
		return Table{}, usage("DataTable", ErrCorrupt, "neither the XML nor the binary form")
	}
	t := Table{Name: name}
	for i := range int(n) {
		at := fmt.Sprintf("DataTable.DataColumn_%d.", i)
		var c Column
		c.Name, ok = o.Get(at + "ColumnName").Text()
		typ, ok2 := o.Get(at + "DataType_AssemblyQualifiedName").Text()
		if !ok || !ok2 {
			return Table{}, usage("DataTable", ErrCorrupt, "column %d has no name or no type", i)
		}
		c.Type = columnType(typ)
		c.AllowNull, _ = o.Get(at + "AllowDBNull").Bool()
		mode, _ := o.Get(at + "DateTimeMode").Object().Get("value__").Int()
		c.mode = dateMode(mode)
		t.Columns = append(t.Columns, c)
	}
	return t, nil
}

// columnType cuts the assembly off a name.
func columnType(qualified string) string {
	t := typeNamed(qualified)
	return strings.TrimSpace(t.String())
}

// binaryRows reads what DataTable.SerializeTableData wrote: records by column,
// and how many of them each row has. o is the table or its data set.
func binaryRows(t *Table, o *Object, index int) error {
	at := fmt.Sprintf("DataTable_%d.", index)
	rows, _ := o.Get(at + "Rows.Count").Int()
	records, _ := o.Get(at + "Records.Count").Int()
	states, ok := ListOf(o.Get(at + "RowStates"))
	columns, ok2 := ListOf(o.Get(at + "Records"))
	nulls, ok3 := ListOf(o.Get(at + "NullBits"))
	if rows == 0 {
		return nil
	}
	bad := !ok || !ok2 || !ok3 || rows < 0 || records < 0 || records > 2*rows || int64(states.Len()) < 3*rows ||
		columns.Len() < len(t.Columns) || nulls.Len() < len(t.Columns)
	if bad {
		return usage(t.Name, ErrCorrupt, "its rows and columns do not agree")
	}
	if rows*int64(max(1, len(t.Columns))) > maxCells {
		return usage(t.Name, ErrLimit, "%d rows of %d columns", rows, len(t.Columns))
	}
	stores, null := make([]List, len(t.Columns)), make([]List, len(t.Columns))
	for c := range t.Columns {
		stores[c], ok = ListOf(columns.At(c))
		null[c], ok2 = ListOf(nulls.At(c))
		if !ok || !ok2 || int64(stores[c].Len()) < records || int64(null[c].Len()) < records {
			return usage(t.Name, ErrCorrupt, "column %s has too few records", t.Columns[c].Name)
		}
	}
	record := 0
	for r := range int(rows) {
		first, _ := states.At(3 * r).Bool()
		second, _ := states.At(3*r + 1).Bool()
		row := Row{State: [2][2]RowState{{Unchanged, Added}, {Modified, Deleted}}[b2i(first)][b2i(second)]}
		if row.State == Modified {
			record++ // what it was stands in front of what it is
		}
		if record >= int(records) {
			return usage(t.Name, ErrCorrupt, "row %d has no record", r)
		}
		for c, col := range t.Columns {
			isNull, _ := null[c].At(record).Bool()
			row.Values = append(row.Values, cell(stores[c].At(record), isNull, col))
		}
		record++
		t.Rows = append(t.Rows, row)
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func cell(v Value, null bool, c Column) any {
	if null || v.IsNull() {
		return DBNull{}
	}
	if b := v.Array(); b != nil && b.Elem() == PrimitiveType(KindByte) {
		return append([]byte{}, b.Bytes()...)
	}
	x, ok := ScalarOf(v)
	if !ok {
		return v
	}
	if d, ok := x.(clr.DateTime); ok {
		d.Kind = c.mode.kind()
		return d
	}
	return x
}
