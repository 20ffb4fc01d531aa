package sqlservertest

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// preloginReply says version 16.0 and that there is no encryption (2), so that no
// TLS handshake begins. MS-TDS 2.2.6.5.
func preloginReply() []byte {
	options := []struct {
		id   byte
		data []byte
	}{{0, []byte{major, 0, 0x03, 0xE8, 0, 0}}, {1, []byte{2}}}
	var table, data []byte
	at := 5*len(options) + 1
	for _, o := range options {
		table = append(table, o.id)
		table = binary.BigEndian.AppendUint16(table, uint16(at+len(data)))
		table = binary.BigEndian.AppendUint16(table, uint16(len(o.data)))
		data = append(data, o.data...)
	}
	return append(append(table, 0xFF), data...)
}

// A login is what LOGIN7 asks for.
type login struct {
	user, password, database string
	integrated               bool
	packetSize               int
}

// parseLogin reads LOGIN7, MS-TDS 2.2.6.4: fixed fields, then offsets from the
// message's start and lengths in characters.
func parseLogin(data []byte) (login, error) {
	const integratedBit = 0x80 // of OptionFlags2
	d := decoder{b: data}
	d.take(8) // length, version
	l := login{packetSize: int(d.u32())}
	d.take(12 + 1) // program version, process, connection, OptionFlags1
	l.integrated = d.u8()&integratedBit != 0
	d.take(2 + 8) // type flags, OptionFlags3, time zone, locale
	field := func() []byte {
		at, n := int(d.u16()), 2*int(d.u16())
		if d.err != nil || n == 0 {
			return nil
		}
		if at+n > len(data) {
			d.err = errShort
			return nil
		}
		return data[at : at+n]
	}
	field() // host
	l.user = fromUTF16(field())
	secret := append([]byte{}, field()...)
	for i, c := range secret {
		c ^= 0xA5
		secret[i] = c<<4 | c>>4
	}
	l.password = fromUTF16(secret)
	d.take(5 * 4) // application, server, extension, library, language
	l.database = fromUTF16(field())
	if d.err != nil {
		return l, d.err
	}
	if l.packetSize == 0 {
		l.packetSize = firstSize
	}
	l.packetSize = min(max(l.packetSize, minSize), maxSize)
	return l, nil
}

// check returns what a login is refused with, in the order of the tokens.
func (s *Server) check(l login) (*database, []*Error) {
	failed := &Error{Number: 18456, Class: 14, Message: fmt.Sprintf("Login failed for user '%s'.", l.user)}
	if l.integrated {
		return nil, []*Error{{Number: 18452, Class: 14, Message: "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."}}
	}
	if want, ok := s.opt.Users[l.user]; !ok || want != l.password {
		return nil, []*Error{failed}
	}
	if l.database == "" {
		l.database = "master"
	}
	db := s.dbs[strings.ToLower(l.database)]
	if db == nil {
		return nil, []*Error{{Number: 4060, Class: 11, Message: fmt.Sprintf("Cannot open database \"%s\" requested by the login. The login failed.", l.database)}, failed}
	}
	return db, nil
}
