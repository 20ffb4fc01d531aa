package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

const genHelp = `  --json        Print one JSON object: package, classes (name, library, goName,
                kind struct or enum, an enum's goType, a struct's members) and
                source, the Go text.
  --package P   The package clause of the source. Default session.
` + framingHelp

// gen is the verb.
func gen(c *call) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	framing := framingFlag(flags)
	pkg := "session"
	flags.Func("package", "", func(s string) error {
		if identifier(s) != s || s == "_" {
			return fmt.Errorf("%q is no package name", s)
		}
		pkg = s
		return nil
	})
	if code, done := c.parse(flags, 1); done {
		return code
	}
	s, err := c.load(*framing)
	if err != nil {
		return c.fail(err)
	}
	types := newGenerator()
	bad := 0
	for item := range s.all() {
		v, err := item.Decode(nil)
		if err != nil {
			bad++
			continue
		}
		if o, ok := v.(payload.Object); ok {
			g, err := nrbf.Decode(o, nrbf.Options{})
			if err != nil {
				bad++
				continue
			}
			types.scan(g)
		}
	}
	out, err := types.source(pkg)
	if err != nil {
		return c.fail(err)
	}
	if *asJSON {
		out = jsonText(types.document(pkg, string(out)), "  ")
	}
	code := c.write(out, exitOK)
	if bad > 0 {
		return c.fail(fmt.Errorf("%d of its values cannot be read", bad))
	}
	return code
}

// A genClass is a class of the session that gets a Go type.
type genClass struct {
	name, library string
	goName        string
	inline        bool      // a struct or enum
	enum          nrbf.Kind // 0: none
	members       []genMember
}

type genMember struct {
	name string
	typ  nrbf.Type
	null bool         // declared Nullable, or as one that has a value
	seen []nrbf.Value // objects it held, as far as the declaration says nothing

	field, goType, tag string // of the Go struct
}

type generator struct {
	classes map[[2]string]*genClass
	imports map[string]bool
}

func newGenerator() *generator {
	return &generator{classes: map[[2]string]*genClass{}, imports: map[string]bool{}}
}

// scan notes the classes of one graph.
func (g *generator) scan(graph *nrbf.Graph) {
	for v := range graph.All() {
		o := v.Object()
		if o == nil {
			continue
		}
		c := o.Class()
		isEnum := c.Len() == 1 && c.Member(0).Name == "value__"
		if !isEnum && framework(c.Name()) {
			continue
		}
		key := [2]string{c.Name(), c.Library()}
		class := g.classes[key]
		if class == nil {
			class = &genClass{name: c.Name(), library: c.Library()}
			g.classes[key] = class
		}
		class.inline = class.inline || o.Inline() || isEnum
		if isEnum {
			class.enum = c.Member(0).Type.Kind
			continue
		}
		for i := range c.Len() {
			class.note(c.Member(i), o.Member(i))
		}
	}
}

func (c *genClass) note(m nrbf.Member, v nrbf.Value) {
	i := slices.IndexFunc(c.members, func(have genMember) bool { return have.name == m.Name })
	if i < 0 {
		i = len(c.members)
		c.members = append(c.members, genMember{name: m.Name, typ: m.Type})
	}
	have := &c.members[i]
	if name, args := splitGeneric(m.Type.Name); name == "System.Nullable`1" && len(args) == 1 {
		have.null = true
		if strings.HasPrefix(have.typ.Name, "System.Nullable`1") {
			have.typ = args[0]
		}
	} else if strings.HasPrefix(have.typ.Name, "System.Nullable`1") {
		have.typ = m.Type
	}
	if p := plainType(m.Type); p != m.Type {
		have.typ, have.null = p, true // .NET declares a Nullable that has a value so
	}
	if v.Exists() && !v.IsNull() && len(have.seen) < 8 {
		have.seen = append(have.seen, v)
	}
}

func framework(name string) bool {
	return strings.HasPrefix(name, "System.") || strings.HasPrefix(name, "Microsoft.")
}

// sorted are the classes in the order of the source.
func (g *generator) sorted() (list []*genClass) {
	for _, c := range g.classes {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *genClass) int {
		return strings.Compare(a.name+"\x00"+a.library, b.name+"\x00"+b.library)
	})
	return list
}

// source is the Go file. It gives the classes and their members Go names.
func (g *generator) source(pkg string) ([]byte, error) {
	list := g.sorted()
	used := map[string]bool{"Register": true}
	for _, c := range list {
		c.goName = unique(goTypeName(c.name), used)
	}
	var body bytes.Buffer
	for _, c := range list {
		fmt.Fprintf(&body, "\n// %s is %s of %s.\n", c.goName, comment(c.name), comment(assembly(c.library)))
		if c.enum != 0 {
			fmt.Fprintf(&body, "type %s %s\n", c.goName, goKind(c.enum))
			continue
		}
		fmt.Fprintf(&body, "type %s struct {\n", c.goName)
		fields := map[string]bool{}
		for i := range c.members {
			m := &c.members[i]
			goType, opts := g.member(m)
			m.field, m.goType, m.tag = unique(fieldName(m.name), fields), goType, memberTag(m.name)+opts
			text := "net:" + strconv.Quote(m.tag)
			if strings.ContainsRune(text, '`') || !strconv.CanBackquote(text) {
				text = strconv.Quote(text)
			} else {
				text = "`" + text + "`"
			}
			fmt.Fprintf(&body, "\t%s %s %s\n", m.field, m.goType, text)
		}
		body.WriteString("}\n")
	}
	if len(list) > 0 {
		g.imports["errors"], g.imports[nrbfPath] = true, true
		body.WriteString("\n// Register names the .NET types above for writing.\nfunc Register(types *nrbf.Types) error {\n\treturn errors.Join(\n")
		for _, c := range list {
			call := "Register"
			if c.inline {
				call = "RegisterValue"
			}
			fmt.Fprintf(&body, "\t\tnrbf.%s[%s](types, %q, %q),\n", call, c.goName, c.name, c.library)
		}
		body.WriteString("\t)\n}\n")
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "// Package %s has the types of a stored session, written by aspstate gen.\npackage %s\n", pkg, pkg)
	var std, own []string
	for path := range g.imports {
		if strings.Contains(path, ".") {
			own = append(own, path)
		} else {
			std = append(std, path)
		}
	}
	slices.Sort(std)
	slices.Sort(own)
	if len(std)+len(own) > 0 {
		out.WriteString("\nimport (\n")
		for _, path := range std {
			fmt.Fprintf(&out, "\t%q\n", path)
		}
		if len(std) > 0 {
			out.WriteByte('\n')
		}
		for _, path := range own {
			fmt.Fprintf(&out, "\t%q\n", path)
		}
		out.WriteString(")\n")
	}
	out.Write(body.Bytes())
	return format.Source(out.Bytes())
}

func memberTag(name string) string {
	if p, ok := strings.CutSuffix(name, ">k__BackingField"); ok && strings.HasPrefix(p, "<") {
		return p[1:] + ",property"
	}
	return name
}

func assembly(library string) string {
	if library == "" {
		return "mscorlib"
	}
	return library
}

// comment keeps a name from being anything else than part of its line.
func comment(s string) string { return visible(strings.Join(strings.Fields(s), " ")) }
