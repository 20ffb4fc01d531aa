package webconfig

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Infinite is the value of a time that web.config gives as "Infinite".
const Infinite time.Duration = math.MaxInt64

// values reads the attributes of one element as .NET's converters do.
type values struct {
	*reader
	name  string
	attrs []attribute
	place Position // where an attribute would stand that is missing
}

func (v values) find(name string) (attribute, bool) {
	for _, a := range v.attrs {
		if a.name == name {
			return a, true
		}
	}
	return attribute{}, false
}

func (v values) pos(name string) Position {
	if a, ok := v.find(name); ok {
		return a.pos
	}
	return v.place
}

func (v values) text(name, standard string) string {
	if a, ok := v.find(name); ok {
		return a.value
	}
	return standard
}

// known finds fault with attributes that are not among names: with all of them,
// or, for sections of which only a part is read, with those that are alike.
func (v values) known(names []string, all bool) {
	for _, a := range v.attrs {
		if isOneOf(a.name, names) || isOneOf(a.name, everywhere) {
			continue
		}
		want := "it has none but configSource"
		if len(names) > 0 {
			want = "the attributes are " + strings.Join(names, ", ")
		}
		if like := alike(a.name, names); like != "" {
			want = fmt.Sprintf("write %s; case counts", like)
		} else if !all {
			continue
		}
		v.errorf(a.pos, ErrName, want, "%s has no attribute %s", v.name, showName(a.name))
	}
}

func (v values) bad(a attribute, want string) {
	v.errorf(a.pos, ErrValue, want, "%s %s is %s", v.name, a.name, show(a.value))
}

// enum is the index of the value among names. Case counts.
func (v values) enum(name string, standard int, names ...string) int {
	a, ok := v.find(name)
	if !ok {
		return standard
	}
	for i, n := range names {
		if a.value == n {
			return i
		}
	}
	want := "write " + choice(names)
	if like := alike(strings.TrimSpace(a.value), names); like != "" {
		want = fmt.Sprintf("write %s; case counts; the values are %s", like, choice(names))
	}
	v.bad(a, want)
	return standard
}

// boolean is .NET's Boolean.Parse: without case, blanks around it allowed.
func (v values) boolean(name string, standard bool) bool {
	a, ok := v.find(name)
	if !ok {
		return standard
	}
	switch strings.ToLower(strings.TrimSpace(a.value)) {
	case "true":
		return true
	case "false":
		return false
	}
	v.bad(a, "write true or false")
	return standard
}

func (v values) integer(name string, standard, least, most int64) int64 {
	a, ok := v.find(name)
	if !ok {
		return standard
	}
	n, err := strconv.ParseInt(strings.TrimSpace(a.value), 10, 64)
	if err != nil || n < least || n > most {
		v.bad(a, fmt.Sprintf("write a whole number, %d to %d", least, most))
		return standard
	}
	return n
}

// duration is a whole number of units, "minutes" or "seconds", as .NET's
// converters for these sections take it; they take no hh:mm:ss.
func (v values) duration(name string, standard, unit time.Duration, infinite bool, least, most int64) time.Duration {
	a, ok := v.find(name)
	if !ok {
		return standard
	}
	if infinite && a.value == "Infinite" {
		return Infinite
	}
	text := strings.TrimSpace(a.value)
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && n >= least && n <= most {
		return time.Duration(n) * unit
	}
	units := "seconds"
	if unit == time.Minute {
		units = "minutes"
	}
	want := fmt.Sprintf("write whole %s, %d to %d", units, least, most)
	if infinite {
		want += ", or Infinite"
	}
	if d, ok := clock(text); ok && d%unit == 0 {
		want = fmt.Sprintf("ASP.NET takes whole %s here, no hh:mm:ss: write %d", units, d/unit)
	}
	v.bad(a, want)
	return standard
}

// clock reads hh:mm:ss, only to say what should be there.
func clock(s string) (time.Duration, bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, false
	}
	var total time.Duration
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return 0, false
		}
		total = total*60 + time.Duration(n)
	}
	return total * time.Second, true
}

// A version is that of targetFramework, such as 4.7.2.
type version [3]int

func parseVersion(s string) (v version, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil {
			return v, false
		}
		v[i] = int(n)
	}
	return v, true
}

func (v version) atLeast(major, minor, build int) bool {
	for i, n := range []int{major, minor, build} {
		if v[i] != n {
			return v[i] > n
		}
	}
	return true
}
