package webconfig

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A collection holds what <add>, <remove> and <clear/> leave, by key. Keys are
// compared without case.
type collection struct {
	list  []entry
	index map[string]int // of keys in small letters, into list
}

type entry struct {
	key  string
	elem *element // nil: removed
}

func (c *collection) entries() []entry {
	return slices.DeleteFunc(c.list, func(e entry) bool { return e.elem == nil })
}

// collect applies elements in order. In strict collections a key that is there
// is not replaced: ASP.NET refuses it, whichever file the first is in.
func (r *reader) collect(c *collection, elems []*element, of, key string, strict bool) {
	for _, e := range elems {
		switch e.name {
		case "clear":
			*c = collection{}
			continue
		case "add", "remove":
		case "EncryptedData":
			continue // reported
		default:
			r.errorf(e.pos, ErrName, "it has <add>, <remove> and <clear/>", "<%s> stands in %s", showName(e.name), of)
			continue
		}
		a, ok := e.attr(key)
		if !ok {
			r.errorf(e.pos, ErrValue, fmt.Sprintf(`write <%s %s="...">`, e.name, key), "<%s> in %s has no %s", e.name, of, key)
			continue
		}
		folded := strings.ToLower(a.value)
		if at, there := c.index[folded]; there {
			if e.name == "add" && strict {
				r.errorf(a.pos, ErrConflict, fmt.Sprintf(`write <remove %s="..."/> or <clear/> in front of it, or delete one`, key),
					"%s has the %s %s already, from %s", of, key, showName(a.value), c.list[at].elem.pos)
				continue
			}
			c.list[at].elem = nil
			delete(c.index, folded)
		}
		if e.name == "add" {
			if c.index == nil {
				c.index = map[string]int{}
			}
			c.index[folded] = len(c.list)
			c.list = append(c.list, entry{a.value, e})
		}
	}
}

func (r *reader) connectionStrings() Secrets {
	var list collection
	r.attributes("connectionStrings", nil, true)
	for _, e := range r.section("connectionStrings").bodies {
		r.collect(&list, e.children, "connectionStrings", "name", true)
	}
	out := Secrets{}
	for _, e := range list.entries() {
		v := values{r, "connectionStrings add", e.elem.attrs, e.elem.pos}
		v.known([]string{"name", "connectionString", "providerName"}, true)
		out[e.key] = NewSecret(v.text("connectionString", ""))
	}
	return out
}

func (r *reader) appSettings() Secrets {
	r.attributes("appSettings", []string{"file"}, true)
	var list collection
	for _, e := range r.section("appSettings").bodies {
		r.collect(&list, e.children, "appSettings", "key", false)
		if more := r.settingsFile(e); more != nil {
			r.collect(&list, more.children, "appSettings", "key", false)
		}
	}
	out := Secrets{}
	for _, e := range list.entries() {
		v := values{r, "appSettings add", e.elem.attrs, e.elem.pos}
		v.known([]string{"key", "value"}, true)
		out[e.key] = NewSecret(v.text("value", ""))
		r.places[e.key] = v.pos("value")
	}
	return out
}

// settingsFile is what <appSettings file="..."> names. ASP.NET goes on without
// it where it does not exist.
func (r *reader) settingsFile(e *element) *element {
	a, ok := e.attr("file")
	if !ok || a.value == "" {
		return nil
	}
	path := locate(filepath.Dir(a.pos.File), a.value)
	if strings.Contains(a.value, ":") {
		r.warnf(a.pos, "appSettings file is a path of Windows and is not read")
		return nil
	}
	if missing(path) {
		r.warnf(a.pos, "appSettings file names a file that is not there; ASP.NET would go on without it too")
		return nil
	}
	return r.named(a, path, "appSettings")
}
