package stateservice_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// 3.3 as matrices: every request in every state under every header. A cell is
// the letter of the reply in 1.5, with a + where it also has ActionFlags: 1.

// An item is the state of a key, and knows what must be said of it.
type item struct {
	body    string // "": there is none
	timeout int
	cookie  int
	locked  bool
	fresh   bool // uninitialized
}

// A state is how a key gets there.
type state struct {
	name string
	talk talk
	item item
}

var states = map[string]state{
	"absent":        {"absent", nil, item{}},
	"unlocked":      {"unlocked", unlocked, item{p55, 20, 1, false, false}},
	"released":      {"released", released, item{p55, 20, 2, false, false}},
	"locked":        {"locked", locked, item{p55, 20, 2, true, false}},
	"uninitialized": {"uninitialized", uninitialized, item{e7, 20, 1, false, true}},
	"expired":       {"expired", append(unlocked[:2:2], "20m", ""), item{}},
}

// reply is what a cell stands for, where it was the item that was asked.
func (it item) reply(cell string) string {
	letter, flags := cell[:1], ""
	if strings.HasSuffix(cell, "+") {
		flags = "ActionFlags: 1\r\n"
	}
	kept := fmt.Sprintf("Timeout: %d\r\nCache-Control: private\r\nContent-Length: %d\r\n\r\n%s", it.timeout, len(it.body), it.body)
	switch letter {
	case "A":
		return "200 OK\r\n" + version40 + flags + kept
	case "B":
		return "200 OK\r\n" + version40 + flags + fmt.Sprintf("LockCookie: %d\r\n", it.cookie+1) + kept
	case "D":
		return "200 OK\r\n" + version40 + flags + empty
	case "F":
		return "400 Bad Request\r\n" + version40 + flags + empty
	case "G":
		return replyG
	case "H":
		return "423 Locked\r\n" + version40 + flags + fmt.Sprintf("LockDate: {date}\r\nLockAge: {age}\r\nLockCookie: %d\r\n", it.cookie) + empty
	}
	panic("no such cell: " + cell)
}

// shown is what a Get and then an acquire must say of the item.
func (it item) shown() talk {
	switch {
	case it.body == "":
		return talk{get + end, replyG, acquire + end, replyG}
	case it.locked:
		return talk{get + end, it.reply("H"), acquire + end, it.reply("H")}
	case it.fresh:
		return talk{get + end, it.reply("A+"), acquire + end, it.reply("B")}
	}
	return talk{get + end, it.reply("A"), acquire + end, it.reply("B")}
}

// A line is one request in one state; cells are by column.
type line struct {
	request string
	state   string
	cells   string
}

// requests are sent with the header under test in the place of %s.
var requests = map[string]string{
	"Get":     get + "%s" + end,
	"acquire": acquire + "%s" + end,
	"release": release + "%s" + end,
	"Set":     put + "Timeout: 20\r\n%s" + end + q55,
	"create":  put7 + "Timeout: 20\r\n%sExtraFlags: 1\r\n" + end + e7,
	"Remove":  remove + "%s" + end,
	"HEAD":    head + "%s" + end,
}

// after is the item once a request was answered with a cell.
func (it item) after(request, cell string) item {
	if strings.HasSuffix(cell, "+") {
		it.fresh = false
	}
	if strings.Contains("FGH", cell[:1]) {
		return it
	}
	switch request {
	case "acquire":
		it.locked = true
		it.cookie++
	case "release":
		it.locked = false
	case "Set":
		if it.body == "" {
			return item{q55, 20, 1, false, false}
		}
		it.body, it.locked = q55, false
	case "create":
		if it.body == "" {
			return item{e7, 20, 1, false, true}
		}
	case "Remove":
		return item{}
	}
	return it
}

// The header LockCookie, by request and state. In "other" it is one that the
// item never had, in "2^31" one too many for an int32.
//
//	none 0  equal other -1 -2 text 2^31
var cookieLines = []line{
	{"Get", "absent", "                G   G   G   G   G   G   G   G"},
	{"Get", "expired", "               G   G   G   G   G   G   G   G"},
	{"Get", "unlocked", "              A   A   A   A   A   A   A   A"},
	{"Get", "released", "              A   A   A   A   A   A   A   A"},
	{"Get", "locked", "                H   H   H   H   H   H   H   H"},
	{"Get", "uninitialized", "         A+  A+  A+  A+  A+  A+  A+  A+"},

	{"acquire", "absent", "            G   G   G   G   G   G   G   G"},
	{"acquire", "expired", "           G   G   G   G   G   G   G   G"},
	{"acquire", "unlocked", "          B   B   B   B   B   B   B   B"},
	{"acquire", "released", "          B   B   B   B   B   B   B   B"},
	{"acquire", "locked", "            H   H   H   H   H   H   H   H"},
	{"acquire", "uninitialized", "     B+  B+  B+  B+  B+  B+  B+  B+"},

	{"release", "absent", "            G   G   G   G   G   G   G   G"},
	{"release", "expired", "           G   G   G   G   G   G   G   G"},
	{"release", "unlocked", "          F   D   D   D   F   F   F   F"},
	{"release", "released", "          F   D   D   D   F   F   F   F"},
	{"release", "locked", "            F   H   D   H   F   F   F   F"},
	{"release", "uninitialized", "     F+  D+  D+  D+  F+  F+  F+  F+"},

	{"Set", "absent", "                D   D   D   D   D   D   D   D"},
	{"Set", "expired", "               D   D   D   D   D   D   D   D"},
	{"Set", "unlocked", "              D   D   D   D/H D   F   F   F"}, // after a slash: ours
	{"Set", "released", "              D   D   D   D/H D   F   F   F"},
	{"Set", "locked", "                H   H   D   H   H   F   F   F"},
	{"Set", "uninitialized", "         D   D   D   D/H D   F   F   F"},

	{"create", "absent", "             D   D   D   D   D   D   D   D"},
	{"create", "expired", "            D   D   D   D   D   D   D   D"},
	{"create", "unlocked", "           D   D   D   D   D   D   D   D"},
	{"create", "released", "           D   D   D   D   D   D   D   D"},
	{"create", "locked", "             D   D   D   D   D   D   D   D"},
	{"create", "uninitialized", "      D   D   D   D   D   D   D   D"},

	{"Remove", "absent", "             G   G   G   G   G   G   G   G"},
	{"Remove", "expired", "            G   G   G   G   G   G   G   G"},
	{"Remove", "unlocked", "           D   D   D   D   D   F   F   F"},
	{"Remove", "released", "           D   D   D   D   D   F   F   F"},
	{"Remove", "locked", "             H   H   D   H   H   F   F   F"},
	{"Remove", "uninitialized", "      D   D   D   D   D   F   F   F"},

	{"HEAD", "absent", "               G   G   G   G   G   G   G   G"},
	{"HEAD", "expired", "              G   G   G   G   G   G   G   G"},
	{"HEAD", "unlocked", "             D   D   D   D   D   D   D   D"},
	{"HEAD", "released", "             D   D   D   D   D   D   D   D"},
	{"HEAD", "locked", "               D   D   D   D   D   D   D   D"},
	{"HEAD", "uninitialized", "        D   D   D   D   D   D   D   D"},
}

func cookieMatrix() (rows []row) {
	for _, l := range cookieLines {
		before := states[l.state]
		equal := max(before.item.cookie, 1)
		values := []string{"", "0", strconv.Itoa(equal), strconv.Itoa(equal + 5), "-1", "-2", "x1", "2147483648"}
		for i, cell := range strings.Fields(l.cells) {
			for _, name := range []string{"LockCookie", "Lock-Cookie"} {
				header := ""
				if values[i] != "" {
					header = name + ": " + values[i] + "\r\n"
				} else if name == "Lock-Cookie" {
					continue
				}
				r := row{name: fmt.Sprintf("3.3 %s, %s, %s", l.request, l.state, strings.TrimSuffix(header, end)),
					send: fmt.Sprintf(requests[l.request], header)}
				if name == "Lock-Cookie" {
					r.who, r.why = ours|lax, "7.2 MS-ASP has both spellings, real clients send LockCookie"
				}
				if i >= 6 {
					r.name += " (INF)"
				}
				microsofts, own, differ := strings.Cut(cell, "/")
				if differ {
					if r.who == 0 {
						r.who = product | lax
					} else {
						r.who = lax
					}
					r.why = "ours compares cookies also while the item is unlocked"
				}
				rows = append(rows, r.in(before, l.request, microsofts))
				if differ {
					r.who, r.why = ours, "Microsoft's compares only while the item is locked"
					r.name = "ours: " + r.name
					rows = append(rows, r.in(before, l.request, own))
				}
			}
		}
	}
	return rows
}

// in completes a row whose request meets a state.
func (r row) in(before state, request, cell string) row {
	r.given, r.moves = before.talk, before.name == "expired"
	r.want = before.item.reply(cell)
	r.then = before.item.after(request, cell).shown()
	return r
}

// The header Timeout of a Set, in minutes. The Set has no LockCookie, or where
// the state is "held" the one of the lock.
//
//	none 0 1 20 525600 525601 -1 -2 text 2^31
var timeoutLines = []line{
	{"Set", "absent", "        D   D   D   D   D   F   D   F   F   F"},
	{"Set", "expired", "       D   D   D   D   D   F   D   F   F   F"},
	{"Set", "unlocked", "      D   D   D   D   D   F   D   F   F   F"},
	{"Set", "released", "      D   D   D   D   D   F   D   F   F   F"},
	{"Set", "locked", "        H   H   H   H   H   F   H   F   F   F"},
	{"Set", "held", "          D   D   D   D   D   F   D   F   F   F"},
	{"Set", "uninitialized", " D   D   D   D   D   F   D   F   F   F"},
	{"create", "absent", "     D   D   D   D   D   F   D   F   F   F"},
	{"create", "unlocked", "   D   D   D   D   D   F   D   F   F   F"},
	{"create", "locked", "     D   D   D   D   D   F   D   F   F   F"},
}

var timeoutValues = []string{"", "0", "1", "20", "525600", "525601", "-1", "-2", "x1", "2147483648"}

func timeoutMatrix() (rows []row) {
	for _, l := range timeoutLines {
		cookie, place := "", l.state
		if place == "held" {
			place, cookie = "locked", "LockCookie: 2\r\n"
		}
		before := states[place]
		for i, cell := range strings.Fields(l.cells) {
			header, minutes := "", 20
			if v := timeoutValues[i]; v != "" {
				header = "Timeout: " + v + "\r\n"
				if n, err := strconv.Atoi(v); err == nil && n >= 0 {
					minutes = n
				}
			}
			send := put + header + cookie + end + q55
			if l.request == "create" {
				send = put7 + header + "ExtraFlags: 1\r\n" + end + e7
			}
			r := row{name: fmt.Sprintf("3.2 %s, %s, %s", l.request, l.state, strings.TrimSuffix(header, end)), send: send}.in(before, l.request, cell)
			made := l.request == "Set" || before.item.body == ""
			if cell != "D" || !made {
				rows = append(rows, r)
				continue
			}
			after := before.item.after(l.request, cell)
			changed := before.item.body != "" && minutes != before.item.timeout
			after.timeout = minutes
			after.fresh = after.fresh && !changed
			r.then = after.shown()
			if changed && cookie == "" {
				// Both of ours keep it: taking -1 would meet 0, which is "no lock".
				r.who, r.why = ours|lax, "Microsoft's takes the request's cookie, or -1"
				microsofts := r
				r.name = "ours: " + r.name
				rows = append(rows, r)
				r = microsofts
				after.cookie = -1
				r.who, r.why, r.then = product, "ours keeps the cookie", after.shown()
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// The header ExtraFlags of a PUT. Bit 0 is the whole meaning that is known.
//
//	none 0 1 -1 -2 text 2^31
var flagLines = []line{
	{"Set", "absent", "        D   D   D   D   F   F   F"},
	{"Set", "expired", "       D   D   D   D   F   F   F"},
	{"Set", "unlocked", "      D   D   D   D   F   F   F"},
	{"Set", "released", "      D   D   D   D   F   F   F"},
	{"Set", "locked", "        H   H   D   H   F   F   F"},
	{"Set", "uninitialized", " D   D   D   D   F   F   F"},
}

func flagsMatrix() (rows []row) {
	values := []string{"", "0", "1", "-1", "-2", "x1", "2147483648"}
	for _, l := range flagLines {
		before := states[l.state]
		for i, cell := range strings.Fields(l.cells) {
			header := ""
			if values[i] != "" {
				header = "ExtraFlags: " + values[i] + "\r\n"
			}
			r := row{name: fmt.Sprintf("2.2.3.11 Set, %s, %s", l.state, strings.TrimSuffix(header, end)),
				send: put + "Timeout: 20\r\n" + header + end + q55}
			if values[i] != "1" {
				rows = append(rows, r.in(before, "Set", cell))
				continue
			}
			r = r.in(before, "create", cell)
			if before.item.body == "" {
				r.then = item{q55, 20, 1, false, true}.shown() // any content may be uninitialized
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// capturedRows are PUTs of real ASP.NET providers, as caught on their way to a
// state server, under ids of our own: what was stored is what is read.
func capturedRows() (rows []row) {
	for _, file := range []string{"captured.json", "captured-deflate.json"} {
		text, err := os.ReadFile(filepath.Join("..", "msasp", "testdata", file))
		if err != nil {
			return nil // nobody has caught any here
		}
		var caught struct {
			Cases []struct {
				Case, SessionID, Body string
				Request               []string
			}
		}
		if err := json.Unmarshal(text, &caught); err != nil {
			panic(file + ": " + err.Error())
		}
		for _, c := range caught.Cases {
			body, err := base64.StdEncoding.DecodeString(c.Body)
			if err != nil {
				panic(file + ": " + err.Error())
			}
			send := strings.ReplaceAll(strings.Join(c.Request, end), c.SessionID, "{ID}") + end + end + string(body)
			rows = append(rows, row{name: file + " " + c.Case, send: send, want: replyD,
				then: item{string(body), 20, 1, false, false}.shown()})
		}
	}
	return rows
}
