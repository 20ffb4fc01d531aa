package nrbf

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

const (
	nsSchema = "http://www.w3.org/2001/XMLSchema"
	nsData   = "urn:schemas-microsoft-com:xml-msdata"
	nsDiff   = "urn:schemas-microsoft-com:xml-diffgram-v1"
	xmlDepth = 64

	xmlPrefixes = 64 // in one place
)

// An element is one of XML. Nothing outside the text is ever read.
type xmlElement struct {
	name  xml.Name
	attrs []xml.Attr
	kids  []*xmlElement
	text  []byte
}

func (e *xmlElement) attr(space, local string) string {
	for _, a := range e.attrs {
		if a.Name.Space == space && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

func parseXML(what, text string) (*xmlElement, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is text already
	top := &xmlElement{}
	stack := []*xmlElement{top}
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, usage(what, ErrCorrupt, "%v", err)
		}
		last := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			if len(stack) > xmlDepth {
				return nil, usage(what, ErrLimit, "XML deeper than %d", xmlDepth)
			}
			e := &xmlElement{name: tok.Name, attrs: slices.Clone(tok.Attr)}
			last.kids = append(last.kids, e)
			stack = append(stack, e)
		case xml.EndElement:
			if last.name != tok.Name || len(stack) == 1 {
				return nil, usage(what, ErrCorrupt, "element %s ends as %s", last.name.Local, tok.Name.Local)
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			last.text = append(last.text, tok...)
		}
	}
	if len(stack) != 1 || len(top.kids) != 1 {
		return nil, usage(what, ErrCorrupt, "not one whole XML document")
	}
	root := top.kids[0]
	if !root.resolve(map[string]string{"xml": "http://www.w3.org/XML/1998/namespace"}) {
		return nil, usage(what, ErrLimit, "over %d namespaces", xmlPrefixes)
	}
	return root, nil
}

// resolve puts namespaces in place of prefixes; an attribute without a prefix is
// in none. It is false when there are too many.
func (e *xmlElement) resolve(prefixes map[string]string) bool {
	own := false
	for _, a := range e.attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			if !own {
				own = true
				copied := make(map[string]string, len(prefixes)+1)
				for k, v := range prefixes {
					copied[k] = v
				}
				prefixes = copied
			}
			prefix := a.Name.Local
			if a.Name.Space == "" {
				prefix = ""
			}
			if prefixes[prefix] = a.Value; len(prefixes) > xmlPrefixes {
				return false
			}
		}
	}
	e.name.Space = prefixes[e.name.Space]
	for i := range e.attrs {
		if p := e.attrs[i].Name.Space; p != "" {
			e.attrs[i].Name.Space = prefixes[p]
		}
	}
	for _, k := range e.kids {
		if !k.resolve(prefixes) {
			return false
		}
	}
	return true
}

// xmlSet reads schema and diffgram. main is the table of a DataTable.
func xmlSet(o *Object) (set DataSet, main string, err error) {
	text, _ := o.Get("XmlSchema").Text()
	schema, err := parseXML("XmlSchema", text)
	if err != nil {
		return DataSet{}, "", err
	}
	for _, e := range schema.kids {
		if e.name.Local == "element" && e.attr(nsData, "IsDataSet") == "true" {
			set.Name = decodeName(e.attr("", "name"))
			main = decodeName(e.attr(nsData, "MainDataTable"))
			collectTables(&set, e)
			for _, k := range e.kids {
				if k.name.Local == "keyref" {
					set.Relations = append(set.Relations, decodeName(k.attr("", "name")))
				}
			}
		}
	}
	for _, e := range schema.kids {
		if e.name.Local == "element" && e.attr(nsData, "IsDataSet") != "true" {
			collectTables(&set, e)
		}
	}
	text, ok := o.Get("XmlDiffGram").Text()
	if !ok || strings.TrimSpace(text) == "" {
		return set, main, nil
	}
	diff, err := parseXML("XmlDiffGram", text)
	if err != nil {
		return DataSet{}, "", err
	}
	return set, main, xmlRows(&set, diff)
}

// particles are the elements in a complex type, and its attributes.
func (e *xmlElement) particles() (elements, attributes []*xmlElement, complex bool) {
	for _, k := range e.kids {
		if k.name.Space != nsSchema {
			continue
		}
		switch k.name.Local {
		case "complexType", "complexContent", "extension", "sequence", "choice", "all":
			if k.name.Local == "complexType" {
				complex = true
			}
			es, as, _ := k.particles()
			elements, attributes = append(elements, es...), append(attributes, as...)
		case "element":
			elements = append(elements, k)
		case "attribute":
			attributes = append(attributes, k)
		}
	}
	return elements, attributes, complex
}

func collectTables(set *DataSet, e *xmlElement) {
	elements, attributes, complex := e.particles()
	if e.attr(nsData, "IsDataSet") == "true" {
		for _, k := range elements {
			if k.attr("", "ref") == "" {
				collectTables(set, k)
			}
		}
		return
	}
	if !complex {
		return
	}
	t := Table{Name: decodeName(e.attr("", "name"))}
	var nested []*xmlElement
	for _, k := range elements {
		if _, _, complex := k.particles(); complex || k.attr("", "ref") != "" {
			nested = append(nested, k)
			continue
		}
		t.Columns = append(t.Columns, xmlColumn(k, k.attr("", "minOccurs") == "0"))
	}
	for _, k := range attributes {
		t.Columns = append(t.Columns, xmlColumn(k, k.attr("", "use") != "required"))
	}
	set.Tables = append(set.Tables, t)
	for _, k := range nested {
		collectTables(set, k)
	}
}

var xsTypes = map[string]string{
	"string": "System.String", "int": "System.Int32", "long": "System.Int64", "short": "System.Int16", "byte": "System.SByte",
	"unsignedInt": "System.UInt32", "unsignedLong": "System.UInt64", "unsignedShort": "System.UInt16", "unsignedByte": "System.Byte",
	"boolean": "System.Boolean", "decimal": "System.Decimal", "float": "System.Single", "double": "System.Double",
	"dateTime": "System.DateTime", "date": "System.DateTime", "time": "System.DateTime", "duration": "System.TimeSpan",
	"base64Binary": "System.Byte[]", "hexBinary": "System.Byte[]", "anyURI": "System.Uri", "anyType": "System.Object",
	"integer": "System.Int64",
}

func xmlColumn(e *xmlElement, null bool) Column {
	c := Column{Name: decodeName(e.attr("", "name")), AllowNull: null, mode: dateUnspecifiedLocal, Type: "System.String"}
	typ := e.attr("", "type")
	for _, k := range e.kids { // a restricted string, say
		if k.name.Local == "simpleType" {
			for _, r := range k.kids {
				if r.name.Local == "restriction" {
					typ = r.attr("", "base")
				}
			}
		}
	}
	_, local, _ := strings.Cut(typ, ":")
	if name, ok := xsTypes[local]; ok {
		c.Type = name
	}
	if name := e.attr(nsData, "DataType"); name != "" {
		c.Type = columnType(name)
	}
	switch e.attr(nsData, "DateTimeMode") {
	case "Local":
		c.mode = dateLocal
	case "Unspecified":
		c.mode = dateUnspecified
	case "Utc":
		c.mode = dateUtc
	}
	return c
}

// An xmlRow is a row of a diffgram.
type xmlRow struct {
	e     *xmlElement
	order int
	state RowState
}

func xmlRows(set *DataSet, diff *xmlElement) error {
	tables := map[string]*Table{}
	for i := range set.Tables {
		tables[set.Tables[i].Name] = &set.Tables[i]
	}
	found := map[*Table][]xmlRow{}
	seen := map[string]bool{}
	cells := 0
	var walk func(e *xmlElement, before bool)
	walk = func(e *xmlElement, before bool) {
		for _, k := range e.kids {
			id := k.attr(nsDiff, "id")
			t := tables[decodeName(k.name.Local)]
			if id == "" || t == nil {
				continue
			}
			r := xmlRow{e: k}
			r.order, _ = strconv.Atoi(k.attr(nsData, "rowOrder"))
			switch k.attr(nsDiff, "hasChanges") {
			case "inserted":
				r.state = Added
			case "modified":
				r.state = Modified
			}
			if before {
				r.state = Deleted
			}
			if !before || !seen[id] {
				found[t] = append(found[t], r)
				cells += len(t.Columns)
			}
			seen[id] = true
			walk(k, before)
		}
	}
	for _, k := range diff.kids {
		if k.name.Space != nsDiff {
			walk(k, false)
		}
	}
	for _, k := range diff.kids {
		if k.name.Space == nsDiff && k.name.Local == "before" {
			walk(k, true)
		}
	}
	if cells > maxCells {
		return usage("XmlDiffGram", ErrLimit, "%d values", cells)
	}
	for i := range set.Tables {
		t := &set.Tables[i]
		rows := found[t]
		slices.SortStableFunc(rows, func(a, b xmlRow) int { return cmp.Compare(a.order, b.order) })
		for _, r := range rows {
			row, err := xmlCells(t, r)
			if err != nil {
				return err
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return nil
}

func xmlCells(t *Table, r xmlRow) (Row, error) {
	texts := map[string]string{}
	for _, a := range r.e.attrs {
		switch {
		case a.Name.Space == "":
			texts[decodeName(a.Name.Local)] = a.Value
		case a.Name.Space == nsData && strings.HasPrefix(a.Name.Local, "hidden"):
			texts[decodeName(strings.TrimPrefix(a.Name.Local, "hidden"))] = a.Value
		}
	}
	for _, k := range r.e.kids {
		if k.attr(nsDiff, "id") == "" && k.attr("http://www.w3.org/2001/XMLSchema-instance", "nil") != "true" {
			texts[decodeName(k.name.Local)] = string(k.text)
		}
	}
	row := Row{State: r.state, Values: make([]any, len(t.Columns))}
	for i, c := range t.Columns {
		text, ok := texts[c.Name]
		if !ok {
			row.Values[i] = DBNull{}
			continue
		}
		v, err := parseCell(text, c)
		if err != nil {
			return Row{}, usage(t.Name+"."+c.Name, ErrCorrupt, "%q is no %s", clip(text), c.Type)
		}
		row.Values[i] = v
	}
	return row, nil
}

// decodeName undoes XmlConvert.EncodeLocalName: _x0020_ is a space.
func decodeName(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		if len(s) >= 7 && s[0] == '_' && s[1] == 'x' && s[6] == '_' {
			if n, err := strconv.ParseUint(s[2:6], 16, 16); err == nil && !utf16.IsSurrogate(rune(n)) {
				b.WriteRune(rune(n))
				s = s[7:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}
