package main

import (
	"fmt"
	"iter"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/nrbf"
)

var daysOfWeek = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

func (s *semantic) object(f *fields, v nrbf.Value) error {
	if scalarForm(f, v) {
		return nil
	}
	if d, ok := nrbf.DelegateOf(v); ok {
		return s.delegate(f, d)
	}
	if e, ok := nrbf.ExceptionOf(v); ok {
		return s.exception(f, e)
	}
	if err := s.tables(v.Object()); err != nil {
		return err
	}
	if t, err := nrbf.TableOf(v); err == nil {
		f.add("$name", t.Name)
		return s.table(f, t)
	}
	if d, err := nrbf.DataSetOf(v); err == nil {
		return s.dataSet(f, d)
	}
	if d, ok := nrbf.DictOf(v); ok {
		return s.dict(f, v, d)
	}
	if l, ok := nrbf.ListOf(v); ok {
		list := make([]any, 0, l.Len())
		for _, e := range l.All() {
			x, err := s.value(e)
			if err != nil {
				return err
			}
			list = append(list, x)
		}
		if strings.HasSuffix(genericName(l), "Stack") {
			slices.Reverse(list) // the top first, as it is enumerated
		}
		f.add("$elements", list)
		return s.members(f, l.Extra(), false)
	}
	return s.members(f, v.Object().Members(), true)
}

// genericName is a list's class without its type arguments.
func genericName(l nrbf.List) string {
	if l.Holder() == nil {
		return ""
	}
	name, _, _ := strings.Cut(l.Holder().Class().Name(), "`")
	return name
}

func (s *semantic) members(f *fields, members iter.Seq2[string, nrbf.Value], always bool) error {
	m := new(fields)
	for name, v := range members {
		x, err := s.value(v)
		if err != nil {
			return err
		}
		if err := s.left.spend(len(name)); err != nil {
			return err
		}
		m.add(name, x)
	}
	if always || len(m.list) > 0 {
		f.add("$members", m)
	}
	return nil
}

// scalarForm is the form of structs and small classes that ScalarOf knows.
func scalarForm(f *fields, v nrbf.Value) bool {
	x, ok := nrbf.ScalarOf(v)
	if !ok {
		return false
	}
	switch x := x.(type) {
	case nrbf.EnumValue:
		text := fmt.Sprint(x.Value.Any())
		f.add("$value", text)
		if n, ok := x.Value.Int(); ok && x.Type == "System.DayOfWeek" && n >= 0 && n < int64(len(daysOfWeek)) {
			f.add("$name", daysOfWeek[n])
		}
		f.add("$underlying", "System."+x.Value.Kind().String())
	case nrbf.DateTimeOffset:
		f.add("$ticks", strconv.FormatInt(x.Clock.Ticks, 10)).add("$offsetMinutes", x.Minutes)
	case nrbf.URI:
		f.add("$text", x.Text).add("$absolute", x.Absolute)
	case nrbf.Version:
		f.add("$text", x.String())
	case nrbf.Text:
		f.add("$text", jsonString(x.Text)).add("$capacity", x.Capacity)
	case nrbf.Complex:
		f.add("$re", floatText(x.Re, 64)).add("$im", floatText(x.Im, 64))
	case nrbf.RuntimeType:
		f.add("$text", x.Name).add("$typeAssembly", x.Library)
	case nrbf.Culture:
		f.add("$name", x.Name)
	case fmt.Stringer: // *big.Int
		f.add("$value", x.String())
	default:
		return false
	}
	return true
}

// tables spends what reading a DataTable or DataSet costs: many can share the
// XML, and a DataSet's tables a stream.
func (s *semantic) tables(o *nrbf.Object) error {
	switch o.Class().Name() {
	case "System.Data.DataTable", "System.Data.DataSet":
	default:
		if !o.Get("XmlDiffGram").Exists() && !o.Get("DataSet.RemotingVersion").Exists() {
			return nil
		}
	}
	for _, v := range o.Members() {
		text, _ := v.Text()
		if err := s.left.spend(len(text) + len(v.Array().Bytes())); err != nil {
			return err
		}
	}
	return nil
}

func (s *semantic) delegate(f *fields, d nrbf.Delegate) error {
	calls := make([]any, 0, len(d.Calls))
	for _, c := range d.Calls {
		if err := s.left.spend(len(c.Method) + len(c.Type)); err != nil {
			return err
		}
		target, err := s.value(c.Target)
		if err != nil {
			return err
		}
		calls = append(calls, new(fields).add("method", c.Method).add("declaringType", c.Type).add("target", target))
	}
	f.add("$invocationList", calls)
	return nil
}

func (s *semantic) exception(f *fields, e nrbf.Exception) error {
	message := e.Message()
	if p, ok := e.Parameter(); ok && p != "" {
		message += "\nParameter name: " + p // as the manifest's .NET puts it together
	}
	f.add("$message", message).add("$hresult", e.HResult())
	for _, x := range []struct {
		name string
		v    nrbf.Value
	}{{"$source", e.Source()}, {"$helpLink", e.HelpLink()}} {
		form, err := s.value(x.v)
		if err != nil {
			return err
		}
		f.add(x.name, form)
	}
	inner, err := s.value(e.Inner())
	if err != nil {
		return err
	}
	f.add("$inner", inner)
	data := []any{}
	if d, ok := nrbf.DictOf(e.Data()); ok {
		if data, err = s.entries(d, false); err != nil {
			return err
		}
	}
	f.add("$data", data)
	return nil
}

func (s *semantic) dict(f *fields, v nrbf.Value, d nrbf.Dict) error {
	entries, err := s.entries(d, unordered(v, d))
	if err != nil {
		return err
	}
	f.add("$entries", entries)
	if d.Holder() != v.Object() {
		return nil
	}
	return s.members(f, d.Extra(), false)
}

// unordered reports a table whose order says nothing: one that hashes and does
// not remember.
func unordered(v nrbf.Value, d nrbf.Dict) bool {
	return d.Holder().Get("LoadFactor").Exists()
}

func (s *semantic) entries(d nrbf.Dict, sorted bool) ([]any, error) {
	type entry struct {
		text string
		pair []any
	}
	names := d.Holder().Class().Name() == "System.Collections.Specialized.NameValueCollection"
	list := make([]entry, 0, d.Len())
	for k, v := range d.All() {
		key, err := s.value(k)
		if err != nil {
			return nil, err
		}
		var value any
		if l, ok := nrbf.ListOf(v); ok && names {
			texts := []any{}
			for _, e := range l.All() {
				x, err := s.value(e)
				if err != nil {
					return nil, err
				}
				texts = append(texts, x)
			}
			if len(texts) > 0 { // no strings are null
				value = texts
			}
		} else if value, err = s.value(v); err != nil {
			return nil, err
		}
		e := entry{pair: []any{key, value}}
		if sorted {
			text, err := appendForm(nil, key)
			if err != nil {
				return nil, err
			}
			e.text = string(text)
		}
		list = append(list, e)
	}
	if sorted {
		sort.SliceStable(list, func(i, j int) bool { return list[i].text < list[j].text })
	}
	out := make([]any, len(list))
	for i := range list {
		out[i] = list[i].pair
	}
	return out, nil
}

func (s *semantic) table(f *fields, t nrbf.Table) error {
	columns := make([]any, 0, len(t.Columns))
	for _, c := range t.Columns {
		columns = append(columns, new(fields).add("name", c.Name).add("type", c.Type).add("allowNull", c.AllowNull))
	}
	rows := make([]any, 0, len(t.Rows))
	for _, r := range t.Rows {
		values := make([]any, 0, len(r.Values))
		for _, x := range r.Values {
			if v, ok := x.(nrbf.Value); ok {
				form, err := s.value(v)
				if err != nil {
					return err
				}
				values = append(values, form)
				continue
			}
			size := perValue
			switch x := x.(type) {
			case string:
				size += len(x)
			case []byte:
				size += min(2*len(x), 2*longBytes)
			}
			if err := s.left.spend(size); err != nil {
				return err
			}
			values = append(values, goForm(x))
		}
		rows = append(rows, new(fields).add("state", r.State.String()).add("values", values))
	}
	f.add("$columns", columns).add("$rows", rows)
	return nil
}

func (s *semantic) dataSet(f *fields, d nrbf.DataSet) error {
	f.add("$name", d.Name)
	tables := make([]any, 0, len(d.Tables))
	for _, t := range d.Tables {
		x := new(fields).add("$name", t.Name)
		if err := s.table(x, t); err != nil {
			return err
		}
		tables = append(tables, x)
	}
	relations := d.Relations
	if relations == nil {
		relations = []string{}
	}
	f.add("$tables", tables).add("$relations", relations)
	return nil
}
