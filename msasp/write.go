package msasp

import "strconv"

// Append adds the head of a request for a key to dst, headers in the order of
// MS-ASP's examples. host is the Host header, which nobody looks at.
func (r *Request) Append(dst []byte, key, host string) []byte {
	dst = append(dst, r.Verb.String()...)
	dst = append(dst, ' ')
	dst = AppendTarget(dst, key)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, host...)
	dst = append(dst, "\r\n"...)
	switch r.Exclusive {
	case ExclusiveAcquire:
		dst = append(dst, "Exclusive: acquire\r\n"...)
	case ExclusiveRelease:
		dst = append(dst, "Exclusive: release\r\n"...)
	}
	if r.Verb == PUT {
		dst = appendInt(dst, "Content-Length: ", int64(r.Length))
	}
	dst = appendNumber(dst, "Timeout: ", r.Timeout)
	dst = appendNumber(dst, "LockCookie: ", r.LockCookie)
	dst = appendNumber(dst, "ExtraFlags: ", r.ExtraFlags)
	if r.Ours {
		dst = append(dst, "Aspsession: 1\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// Append adds the head of a reply to dst, headers in the genuine server's order.
// bare leaves the HTTP version out of the status line, as that server is
// believed to do; ordinary HTTP tools want it.
func (r *Reply) Append(dst []byte, bare bool) []byte {
	if !bare {
		dst = append(dst, "HTTP/1.1 "...)
	}
	switch r.Status {
	case StatusOK:
		dst = append(dst, "200 OK"...)
	case StatusBadRequest:
		dst = append(dst, "400 Bad Request"...)
	case StatusNotFound:
		dst = append(dst, "404 Not Found"...)
	case StatusConflict:
		dst = append(dst, "409 Conflict"...)
	case StatusLocked:
		dst = append(dst, "423 Locked"...)
	default:
		dst = strconv.AppendInt(dst, int64(r.Status), 10)
	}
	dst = append(dst, "\r\nX-AspNet-Version: "+Version+"\r\n"...)
	dst = appendNumber(dst, "ActionFlags: ", r.ActionFlags)
	if r.Status == StatusLocked {
		dst = appendInt(dst, "LockDate: ", r.LockDate)
		dst = appendNumber(dst, "LockAge: ", r.LockAge)
		dst = appendNumber(dst, "LockCookie: ", r.LockCookie)
	} else {
		dst = appendNumber(dst, "LockCookie: ", r.LockCookie)
		dst = appendNumber(dst, "Timeout: ", r.Timeout)
	}
	if r.Ours {
		dst = append(dst, "Aspsession: 1\r\n"...)
	}
	dst = append(dst, "Cache-Control: private\r\n"...)
	dst = appendInt(dst, "Content-Length: ", int64(r.Length))
	return append(dst, "\r\n"...)
}

func appendNumber(dst []byte, name string, n Number) []byte {
	if !n.Set {
		return dst
	}
	return appendInt(dst, name, int64(n.Value))
}

func appendInt(dst []byte, name string, v int64) []byte {
	dst = append(dst, name...)
	dst = strconv.AppendInt(dst, v, 10)
	return append(dst, "\r\n"...)
}
