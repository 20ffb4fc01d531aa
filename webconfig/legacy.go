package webconfig

import (
	"net"
	"strconv"
	"strings"
)

// legacyNames are the attributes of the first .NET's <sessionstate>, in
// config.web of the year 2000, and what became of them.
var legacyNames = []string{"mode", "cookieless", "timeout", "sqlconnectionstring", "server", "port"}

// modern rewrites <sessionstate> as <sessionState>. Case did not count then.
func (r *reader) modern(e *element) *element {
	out := &element{name: "sessionState", pos: e.pos, children: e.children}
	v := values{r, "sessionstate", e.attrs, e.pos}
	for _, a := range e.attrs {
		name, value := a.name, a.value
		switch a.name {
		case "mode":
			if like := foldIndex(modeNames[:ModeCustom], value); like >= 0 {
				value = modeNames[like]
			} else {
				v.bad(a, "write off, inproc, stateserver or sqlserver")
				continue
			}
		case "cookieless":
			if value = strings.ToLower(value); value != "true" && value != "false" {
				v.bad(a, "write true or false")
				continue
			}
		case "timeout":
		case "sqlconnectionstring":
			name = "sqlConnectionString"
		case "server", "port":
			continue
		default:
			want := "its attributes are " + strings.Join(legacyNames, ", ")
			if alike(a.name, sessionAttributes) != "" {
				want = "this is the form of the year 2000: write <sessionState>; case counts"
			}
			r.errorf(a.pos, ErrName, want, "<sessionstate> has no attribute %s", showName(a.name))
			continue
		}
		out.attrs = append(out.attrs, attribute{name, value, a.pos})
	}
	port := v.integer("port", 42424, 1, 65535)
	server := v.text("server", "127.0.0.1")
	pos := v.pos("server")
	if _, ok := v.find("server"); !ok {
		pos = v.pos("port")
	}
	if pos != e.pos {
		out.attrs = append(out.attrs, attribute{"stateConnectionString", "tcpip=" + net.JoinHostPort(server, strconv.FormatInt(port, 10)), pos})
	}
	return out
}

func foldIndex(names []string, s string) int {
	for i, n := range names {
		if strings.EqualFold(n, s) {
			return i
		}
	}
	return -1
}
