package sqlservertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// packet is one packet of a client.
func packet(kind, status byte, data []byte) []byte {
	p := binary.BigEndian.AppendUint16([]byte{kind, status}, uint16(len(data)+headerSize))
	return append(append(p, 0, 0, 1, 0), data...)
}

func ucs2(s string) []byte {
	var e encoder
	e.chars(utf16.Encode([]rune(s)))
	return e.b
}

var noHeaders = []byte{4, 0, 0, 0}

// seeds are requests of every kind, well made.
func seeds() [][]byte {
	var login encoder
	login.bytes(make([]byte, 36)...)
	at := 36 + 58
	for _, s := range []string{"", User, "", "", "", "", "", "", "ASPState"} {
		login.u16(uint16(at))
		login.u16(uint16(len(s)))
		if len(s) > 0 {
			at += 2 * len(s)
		}
	}
	login.bytes(make([]byte, 36+58-len(login.b))...)
	login.b = append(append(login.b, ucs2(User)...), ucs2("ASPState")...)

	rpc := func(name string, params ...func(*encoder)) []byte {
		e := encoder{b: bytes.Clone(noHeaders)}
		if name == "" {
			e.u16(0xFFFF)
			e.u16(idExecuteSQL)
		} else {
			e.u16(uint16(len(name)))
			e.b = append(e.b, ucs2(name)...)
		}
		e.u16(0)
		for _, p := range params {
			p(&e)
		}
		return e.b
	}
	param := func(name string, status byte, t wireType, v any) func(*encoder) {
		return func(e *encoder) {
			e.shortText(name)
			e.bytes(status)
			e.typeInfo(t)
			if t.id == typeImage {
				e.u32(uint32(len(v.([]byte))))
				e.b = append(e.b, v.([]byte)...)
				return
			}
			_ = e.value(t, v)
		}
	}
	id := param("@id", 0, nvarchar(88), "x")
	return [][]byte{
		packet(kindPrelogin, statusEnd, preloginReply()),
		packet(kindLogin, statusEnd, login.b),
		packet(kindBatch, statusEnd, append(bytes.Clone(noHeaders), ucs2("select 1")...)),
		packet(kindBatch, statusEnd|statusReset, append(bytes.Clone(noHeaders), ucs2("exec TempResetTimeout @id = N'x'")...)),
		packet(kindBatch, statusEnd|statusIgnore, noHeaders),
		packet(kindAttention, statusEnd, nil),
		packet(kindTran, statusEnd, append(bytes.Clone(noHeaders), tranBegin, 0, 0, 0)),
		packet(kindTran, statusEnd, append(bytes.Clone(noHeaders), tranCommit, 0, 0, 1, 0, 0)),
		packet(kindRPC, statusEnd, rpc("dbo.TempResetTimeout", id)),
		packet(kindRPC, statusEnd, rpc("TempInsertStateItemLong", id, param("", 0, imageType, []byte{1, 2}), param("@timeout", 0, intType, 20))),
		packet(kindRPC, statusEnd, rpc("TempInsertStateItemShort", id, param("", 0, longType, []byte{1, 2}), param("@timeout", 0, wireType{id: typeIntN, size: 8}, 20))),
		packet(kindRPC, statusEnd, rpc("TempGetStateItem", id, param("@itemShort", 1, longType, nil), param("@locked", 1, bitType, true), param("@lockDate", 1, wireType{id: typeDateTimeOffset, scale: 7}, noon), param("", 1, intType, nil))),
		packet(kindRPC, statusEnd, rpc("", param("", 0, wireType{id: typeNVarChar, size: sizeMax}, "exec TempGetVersion @ver = @v output"), param("", 0, nvarchar(20), "@v char(10) output"), param("@v", 1, char10Type, nil))),
	}
}

// The parsers of messages, on any bytes: an error or a command, and never more
// than was sent.
func FuzzParse(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s[0], s[headerSize:])
	}
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		switch kind {
		case kindLogin:
			parseLogin(data)
		case kindRPC:
			cmd, err := parseRPC(data)
			if err == nil && len(cmd.args) > len(data) {
				t.Fatal("arguments from nowhere")
			}
		case kindTran:
			parseTran(data)
		default:
			parseBatch(data)
		}
	})
}

// Texts, as they are and as patterns.
func FuzzText(f *testing.F) {
	for _, text := range textsOf11("[a].[b c]", true) {
		f.Add(text, text)
	}
	f.Add("select /* /* */ 'it''s' , N'x' {a} ... {'b}", "... {a} ...")
	f.Fuzz(func(t *testing.T, text, pattern string) {
		toks := tokens(text)
		compile(pattern).match(toks)
		parseExec("exec "+text, nil)
		splitName(text)
		for _, st := range builtin {
			st.p.match(toks)
		}
	})
}

// A client may send anything, before the login and after: the server answers it
// or hangs up, and serves the next client. Every value it decodes can be encoded.
func FuzzConnection(f *testing.F) {
	all := seeds()
	for i := range all {
		f.Add(true, bytes.Join(all[2:][i%(len(all)-2):], nil))
		f.Add(false, bytes.Join(all[i:], nil))
	}
	f.Add(false, []byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(true, packet(0x16, 1, []byte{3, 1}))
	f.Fuzz(func(t *testing.T, loggedIn bool, data []byte) {
		srv := Run(t, Options{Users: map[string]string{User: ""}})
		nc, err := net.Dial("tcp", srv.Addr())
		require.NoError(t, err)
		defer nc.Close()
		if loggedIn {
			for _, p := range all[:2] {
				_, err = nc.Write(p)
				require.NoError(t, err)
				readReply(t, nc)
			}
		}
		// Half of it first: packets arrive in any pieces.
		nc.Write(data[:len(data)/2])
		nc.Write(data[len(data)/2:])
		nc.(*net.TCPConn).CloseWrite()
		nc.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, err = io.Copy(io.Discard, nc)
		var late net.Error
		if ok := asTimeout(err, &late); ok {
			t.Fatal("the server hangs")
		}
		require.NoError(t, open(t, srv.URL(User, "", "ASPState")).PingContext(context.Background()))
	})
}

func asTimeout(err error, late *net.Error) bool {
	e, ok := err.(net.Error)
	*late = e
	return ok && e.Timeout()
}

func readReply(t *testing.T, r io.Reader) {
	var head [headerSize]byte
	_, err := io.ReadFull(r, head[:])
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, r, int64(binary.BigEndian.Uint16(head[2:]))-headerSize)
	require.NoError(t, err)
	require.EqualValues(t, statusEnd, head[1])
}

// A message in packets of every size, and the limits of one.
func TestMessages(t *testing.T) {
	data := blob(1000)
	for size := 1; size < 1001; size += 37 {
		var in []byte
		for at := 0; at < len(data); at += size {
			end := min(at+size, len(data))
			status := byte(0)
			if end == len(data) {
				status = statusEnd
			}
			in = append(in, packet(kindBatch, status, data[at:end])...)
		}
		m, err := readMessage(bufio.NewReader(bytes.NewReader(in)))
		require.NoError(t, err)
		require.Equal(t, data, m.data)
		_, err = readMessage(bufio.NewReader(bytes.NewReader(in[:len(in)-1])))
		require.Error(t, err)
	}
	for name, in := range map[string][]byte{
		"unknown type":     packet(0x99, 1, nil),
		"below header":     {kindBatch, 1, 0, 7, 0, 0, 0, 0},
		"another's packet": append(packet(kindBatch, 0, []byte{1}), packet(kindRPC, 1, nil)...),
	} {
		_, err := readMessage(bufio.NewReader(bytes.NewReader(in)))
		require.ErrorContains(t, err, "sqlservertest: ", name)
	}
	ignored := append(packet(kindBatch, statusEnd|statusIgnore, []byte("taken back")), packet(kindRPC, statusEnd, []byte("meant"))...)
	m, err := readMessage(bufio.NewReader(bytes.NewReader(ignored)))
	require.NoError(t, err)
	require.Equal(t, message{kind: kindRPC, data: []byte("meant")}, m)

	big := bytes.Repeat(packet(kindBatch, 0, make([]byte, 32000)), maxMessage/32000+1)
	_, err = readMessage(bufio.NewReader(bytes.NewReader(big)))
	require.ErrorContains(t, err, "above")
}
