package webconfig

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Options say where a web.config stands among others. The zero value reads it
// alone.
type Options struct {
	// Machine is the path of the framework's machine.config, and Root that of the
	// web.config beside it. Default: not read, which changes nothing where nobody
	// edited them.
	Machine, Root string
	// Parents are the web.config files of the folders above, outermost first.
	// Default none. ASP.NET inherits from them: without a parent that sets
	// something, that is missed.
	Parents []Parent
	// Site is the site's name in IIS, by which <location path> in Machine and Root
	// begins. Default none: such sections are not applied.
	Site string
	// VirtualPath is the application's, by which <location path> in Root and
	// Parents is compared. Default "/".
	VirtualPath string
	// Page is a page or folder below the application, "upload/send.aspx", whose
	// <location> sections are applied. Default none: the application as a whole.
	Page string
}

// A Parent is the web.config of a folder above the application.
type Parent struct {
	// Path is the file's.
	Path string
	// VirtualPath is its folder's. Default "/".
	VirtualPath string
}

// Read reads the web.config of an application and what it names. Its errors are
// *Error and *ForeignError, all that were found, joined. With an error the
// Config is nil, except where all are *ForeignError. It uses no environment and
// no network, and reads no file but those of Options, path, and what their
// configSource and file attributes name.
func Read(path string, opt Options) (*Config, error) {
	r := &reader{
		opt: opt, own: path, seen: map[string]Position{}, declared: map[string]bool{}, sections: map[string]*section{},
		positions: map[string]Position{}, places: map[string]Position{},
	}
	for _, f := range r.files(path) {
		r.load(f)
	}
	if r.incomplete { // what is missing would look like more errors
		return nil, r.joined()
	}
	r.merge()
	cfg := r.config()
	cfg.Warnings = r.warnings
	err := r.joined()
	for _, e := range r.errs {
		if foreign := (*ForeignError)(nil); !errors.As(e, &foreign) {
			return nil, err
		}
	}
	return cfg, err
}

// reader collects what is found, right and wrong.
type reader struct {
	opt        Options
	blocks     []block
	seen       map[string]Position // section of file and folder
	declared   map[string]bool     // names of <configSections>, with their groups
	sections   map[string]*section
	own        string              // the application's web.config
	positions  map[string]Position // Config.Positions
	places     map[string]Position // of the values of <appSettings>
	incomplete bool                // a file or section could not be read
	errs       []error
	warnings   []string
}

// joined has the errors by file and place.
func (r *reader) joined() error {
	slices.SortStableFunc(r.errs, func(a, b error) int {
		p, q := place(a), place(b)
		return cmp.Or(strings.Compare(p.File, q.File), p.Line-q.Line, p.Column-q.Column)
	})
	return errors.Join(r.errs...)
}

func place(err error) Position {
	switch e := err.(type) {
	case *Error:
		return e.Position
	case *ForeignError:
		return e.Position
	}
	return Position{}
}

// maxErrors is how many errors are reported: nobody reads more at once.
const maxErrors = 50

func (r *reader) fail(err error) {
	if len(r.errs) < maxErrors {
		r.errs = append(r.errs, err)
	}
}

func (r *reader) errorf(pos Position, kind error, want, found string, args ...any) {
	r.fail(&Error{pos, kind, fmt.Sprintf(found, args...), want})
}

func (r *reader) warnf(pos Position, format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf("%s: %s", pos, fmt.Sprintf(format, args...)))
}

// A file is one configuration and the folder that it is of.
type file struct {
	path   string
	folder string // "" for the framework's, above all sites
	own    bool   // the application's, not inherited
}

func (r *reader) files(own string) []file {
	var out []file
	for _, p := range []string{r.opt.Machine, r.opt.Root} {
		if p != "" {
			out = append(out, file{path: p})
		}
	}
	for _, p := range r.opt.Parents {
		out = append(out, file{path: p.Path, folder: virtual(p.VirtualPath)})
	}
	return append(out, file{own, virtual(r.opt.VirtualPath), true})
}

// virtual is a virtual path in one form: with a slash in front, none behind,
// without case.
func virtual(p string) string {
	return strings.ToLower(path.Clean("/" + strings.ReplaceAll(p, `\`, "/")))
}

// contains reports that folder is p or above it; "" is above all.
func contains(folder, p string) bool {
	return folder == "" || folder == "/" || p == folder || strings.HasPrefix(p, folder+"/")
}

// depth orders folders from the outermost in.
func depth(folder string) int {
	switch folder {
	case "":
		return 0
	case "/":
		return 1
	}
	return 1 + strings.Count(folder, "/")
}

// A block is a run of sections and the folder that they are for.
type block struct {
	file     file
	folder   string
	sections []*element
	locked   bool
}

// load finds the sections of one file that count for the application.
func (r *reader) load(f file) {
	root, err := readXML(f.path)
	if err != nil {
		r.fail(err)
		r.incomplete = true
		return
	}
	if root.name != "configuration" {
		r.incomplete = true
		r.errorf(root.pos, ErrName, "a configuration begins with <configuration>", "the root element is <%s>", showName(root.name))
		return
	}
	for _, e := range root.children {
		if e.name == "configSections" {
			r.declare("", e)
		}
	}
	r.block(f, root, f.folder, false)
	for _, e := range root.children {
		if e.name == "location" {
			r.location(f, e)
		}
	}
}

// declare notes the names that <configSections> makes known, for this file and
// those below.
func (r *reader) declare(group string, e *element) {
	for _, child := range e.children {
		if name, ok := child.attr("name"); ok {
			r.declared[group+name.value] = true
			r.declare(group+name.value+"/", child)
		}
	}
}

// location applies <location> where its path is that of the application, of a
// folder above it, or of the page asked for.
func (r *reader) location(f file, e *element) {
	v := values{reader: r, name: "location", attrs: e.attrs}
	v.known([]string{"path", "allowOverride", "overrideMode", "inheritInChildApplications"}, true)
	rel, pos := strings.TrimSpace(v.text("path", "")), v.pos("path")
	if strings.HasPrefix(rel, "/") || strings.ContainsAny(rel, `\?*:`) || strings.Contains(rel, "..") {
		r.errorf(pos, ErrValue, `write a path relative to this file's folder, such as "admin/upload.aspx"`, "location path %s is no such path", show(rel))
		return
	}
	inherited := v.boolean("inheritInChildApplications", true)
	locked := !v.boolean("allowOverride", true) || strings.EqualFold(v.text("overrideMode", ""), "Deny")
	folder := f.folder
	switch {
	case rel == "" || rel == ".":
	case f.folder == "": // the framework's files: the site's name first
		site, rest, _ := strings.Cut(rel, "/")
		if !strings.EqualFold(site, r.opt.Site) {
			return
		}
		folder = virtual(rest)
	default:
		folder = virtual(f.folder + "/" + rel)
	}
	if !inherited && !f.own {
		return
	}
	r.block(f, e, folder, locked)
}

// block keeps the sections of a <configuration> or <location> that this package
// reads.
func (r *reader) block(f file, e *element, folder string, locked bool) {
	if !contains(folder, virtual(r.opt.VirtualPath+"/"+r.opt.Page)) {
		return
	}
	b := block{file: f, folder: folder, locked: locked}
	for _, top := range e.children {
		switch {
		case top.name == "system.web":
			for _, s := range top.children {
				if s.name == "sessionstate" || r.wanted(s, webSections, "system.web/") {
					b.sections = append(b.sections, s)
				}
			}
		case top.name == "sessionstate": // 2000
			b.sections = append(b.sections, top)
		case top.name == "location" && e.name == "location":
			r.errorf(top.pos, ErrName, "put it beside the other", "a <location> inside a <location>")
		case top.name == "location" || top.name == "configSections":
		case isOneOf(top.name, webSections) && !r.declared[top.name]:
			r.errorf(top.pos, ErrName, "put it into <system.web>", "<%s> stands outside <system.web>", top.name)
		case r.wanted(top, topSections, ""):
			b.sections = append(b.sections, top)
		}
	}
	b.sections = slices.DeleteFunc(b.sections, func(s *element) bool {
		key := strings.Join([]string{f.path, folder, canonical(s.name)}, "\x00")
		first, twice := r.seen[key]
		if twice {
			r.errorf(s.pos, ErrConflict, "keep one", "<%s> stands twice for the same folder, first in line %d", s.name, first.Line)
		} else {
			r.seen[key] = s.pos
		}
		return twice
	})
	r.blocks = append(r.blocks, b)
}

// wanted reports a section that is read, and finds fault with one whose name
// looks like a slip of the pen.
func (r *reader) wanted(e *element, read []string, group string) bool {
	if isOneOf(e.name, read) {
		return true
	}
	if like := alike(e.name, read); like != "" && !r.declared[group+e.name] {
		r.errorf(e.pos, ErrName, fmt.Sprintf("write <%s>; case counts", like), "there is no section <%s>", showName(e.name))
	}
	return false
}

// external replaces a section by the file that its configSource names.
func (r *reader) external(f file, s *element) *element {
	a, ok := s.attr("configSource")
	if !ok {
		return s
	}
	name := strings.ReplaceAll(a.value, `\`, "/")
	switch {
	case len(s.attrs) > 1 || len(s.children) > 0:
		r.errorf(a.pos, ErrConflict, "move everything into that file, or delete configSource", "<%s> has configSource and more", s.name)
		return nil
	case !filepath.IsLocal(filepath.FromSlash(name)) || strings.Contains(name, ":"):
		r.errorf(a.pos, ErrValue, "name a file in the same folder or below it", "%s configSource leaves the folder of its file", s.name)
		return nil
	}
	return r.named(a, locate(filepath.Dir(f.path), name), s.name)
}

// named reads the file that an attribute names, whose root is a section.
func (r *reader) named(a attribute, path, section string) *element {
	root, err := readXML(path)
	if e := (*Error)(nil); errors.As(err, &e) && e.Line == 0 {
		err = &Error{a.pos, e.Kind, fmt.Sprintf("%s %s names %s: %s", section, a.name, showName(filepath.Base(path)), e.Found), "put the file there, readable, or delete " + a.name}
	}
	if err == nil && root.name != section {
		err = &Error{root.pos, ErrName, fmt.Sprintf("the root element is <%s>", showName(root.name)), fmt.Sprintf("%s of %s makes it <%s>", a.name, a.pos, section)}
	}
	if err != nil {
		r.fail(err)
		return nil
	}
	return root
}

func readXML(path string) (*element, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, text)
}
