package webconfig

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// webSections are the sections of <system.web> that are read, topSections those
// of <configuration>, with <system.web> itself for its misspellings.
var (
	webSections = []string{"sessionState", "machineKey", "httpCookies", "httpRuntime", "compilation", "pages"}
	topSections = []string{"appSettings", "connectionStrings", "system.web"}
)

// applicationOnly may not stand below an application's root: their
// allowDefinition is MachineToApplication.
var applicationOnly = []string{"sessionState", "machineKey"}

// everywhere are attributes of every section.
var everywhere = []string{
	"configProtectionProvider", "lockAttributes", "lockAllAttributesExcept", "lockElements", "lockAllElementsExcept", "lockItem",
}

// canonical is a section's name in today's spelling.
func canonical(name string) string {
	if name == "sessionstate" {
		return "sessionState"
	}
	return name
}

// A section is what all files say of it, the innermost last.
type section struct {
	attrs  []attribute // each once
	bodies []*element  // in order, for their collections
	locked *Position   // by allowOverride="false"
	from   string      // the file that locked it
}

// merge lays the blocks over one another: outer folders first, and for one
// folder outer files first.
func (r *reader) merge() {
	slices.SortStableFunc(r.blocks, func(a, b block) int { return depth(a.folder) - depth(b.folder) })
	for _, b := range r.blocks {
		for _, e := range b.sections {
			name := canonical(e.name)
			s := r.section(name)
			switch {
			case depth(b.folder) > depth(virtual(r.opt.VirtualPath)) && isOneOf(name, applicationOnly):
				r.errorf(e.pos, ErrConflict, "move it to the application's web.config, outside <location path>", "<%s> stands below the root of the application, where ASP.NET refuses it", name)
				continue
			case s.locked != nil && s.from != b.file.path:
				r.errorf(e.pos, ErrConflict, fmt.Sprintf("delete it, or allow it in %s", s.locked), "<%s> is locked by allowOverride=\"false\"", name)
				continue
			}
			if b.locked {
				s.locked, s.from = &e.pos, b.file.path
			}
			if e = r.external(b.file, e); e == nil || r.encrypted(b.file, e, name) {
				r.incomplete = true
				continue
			}
			if e.text {
				r.errorf(e.pos, ErrXML, "delete it, or comment it out", "text inside <%s>", e.name)
			}
			if e.name == "sessionstate" {
				e = r.modern(e)
			}
			s.add(e)
		}
	}
}

// section is empty where no file has it.
func (r *reader) section(name string) *section {
	s := r.sections[name]
	if s == nil {
		s = &section{}
		r.sections[name] = s
	}
	return s
}

func (s *section) add(e *element) {
	s.bodies = append(s.bodies, e)
	for _, a := range e.attrs {
		s.attrs = slices.DeleteFunc(s.attrs, func(old attribute) bool { return old.name == a.name })
		s.attrs = append(s.attrs, a)
	}
}

// encrypted refuses what only the server that encrypted it can read.
func (r *reader) encrypted(f file, e *element, name string) bool {
	a, found := e.attr("configProtectionProvider")
	pos := a.pos
	for _, child := range e.children {
		if child.name == "EncryptedData" && !found {
			found, pos = true, child.pos
		}
	}
	if !found {
		return false
	}
	full := name
	if isOneOf(name, webSections) {
		full = "system.web/" + name
	}
	r.errorf(pos, ErrEncrypted,
		fmt.Sprintf(`decrypt a copy on the server that encrypted it: aspnet_regiis -pdf "%s" "the folder of %s"`, full, filepath.Base(f.path)),
		"<%s> is encrypted", name)
	return true
}

// isOneOf compares with case, as ASP.NET does.
func isOneOf(name string, names []string) bool { return slices.Contains(names, name) }

// alike is the one of names that name was probably meant to be, or "".
func alike(name string, names []string) string {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return n
		}
	}
	for _, n := range names {
		most := 1
		if len(n) > 10 { // system.net is not system.web
			most = 2
		}
		if n != name && distance(strings.ToLower(n), strings.ToLower(name), most) <= most {
			return n
		}
	}
	return ""
}

// distance is Levenshtein's, or more than most where it is that.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
