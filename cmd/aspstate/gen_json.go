package main

// A genJSON is what gen prints with --json.
type genJSON struct {
	Package string         `json:"package"`
	Classes []genClassJSON `json:"classes"`
	Source  string         `json:"source"`
}

type genClassJSON struct {
	Name    string `json:"name"`
	Library string `json:"library"`
	GoName  string `json:"goName"`
	Kind    string `json:"kind"`             // struct or enum
	GoType  string `json:"goType,omitempty"` // an enum's
	// Members are those of a struct: what an enum's constants are called is not in
	// a stream.
	Members []genMemberJSON `json:"members,omitempty"`
}

type genMemberJSON struct {
	Name   string `json:"name"` // in the stream
	Type   string `json:"type"` // as it is declared, without Nullable
	GoName string `json:"goName"`
	GoType string `json:"goType"`
	Tag    string `json:"tag"` // net's
}

// document is the classes of a source that is written.
func (g *generator) document(pkg, source string) genJSON {
	doc := genJSON{Package: pkg, Classes: []genClassJSON{}, Source: source}
	for _, c := range g.sorted() {
		class := genClassJSON{Name: c.name, Library: assembly(c.library), GoName: c.goName, Kind: "struct"}
		if c.enum != 0 {
			class.Kind, class.GoType = "enum", goKind(c.enum)
		} else {
			for _, m := range c.members {
				class.Members = append(class.Members, genMemberJSON{m.name, m.typ.String(), m.field, m.goType, m.tag})
			}
		}
		doc.Classes = append(doc.Classes, class)
	}
	return doc
}
