package sqlservertest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Kinds of messages, MS-TDS 2.2.3.1.1.
const (
	kindBatch     = 0x01
	kindRPC       = 0x03
	kindReply     = 0x04
	kindAttention = 0x06
	kindTran      = 0x0E
	kindLogin     = 0x10
	kindPrelogin  = 0x12
)

// Status bits of a packet, MS-TDS 2.2.3.1.2.
const (
	statusEnd           = 0x01
	statusIgnore        = 0x02
	statusReset         = 0x08
	statusResetKeepTran = 0x10
)

const (
	headerSize = 8
	firstSize  = 4096     // packet size until the login says otherwise
	minSize    = 512      // MS-TDS 2.2.6.4: PacketSize
	maxSize    = 32767    //
	maxMessage = 64 << 20 // what one client may make the server hold
)

// A message is what its packets carried, joined.
type message struct {
	kind     byte
	reset    bool // forget what the last user of the connection left
	keepTran bool // but not the transaction
	data     []byte
}

// readMessage joins packets until the end bit. Messages that the client takes
// back are passed over.
func readMessage(r *bufio.Reader) (message, error) {
	var m message
	var head [headerSize]byte
	for first := true; ; {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return m, err
		}
		size := int(binary.BigEndian.Uint16(head[2:])) - headerSize
		switch {
		case size < 0:
			return m, fmt.Errorf("sqlservertest: packet length %d is below its header's", size+headerSize)
		case first:
			switch head[0] {
			case kindBatch, kindRPC, kindAttention, kindTran, kindLogin, kindPrelogin:
			default:
				return m, fmt.Errorf("sqlservertest: unknown packet type 0x%02x", head[0])
			}
			m = message{kind: head[0], reset: head[1]&(statusReset|statusResetKeepTran) != 0, keepTran: head[1]&statusResetKeepTran != 0}
		case head[0] != m.kind:
			return m, fmt.Errorf("sqlservertest: packet type 0x%02x inside a message of type 0x%02x", head[0], m.kind)
		}
		if len(m.data)+size > maxMessage {
			return m, fmt.Errorf("sqlservertest: message above %d bytes", maxMessage)
		}
		first = false
		at := len(m.data)
		m.data = append(m.data, make([]byte, size)...)
		if _, err := io.ReadFull(r, m.data[at:]); err != nil {
			return m, err
		}
		if head[1]&statusEnd == 0 {
			continue
		}
		if head[1]&statusIgnore == 0 {
			return m, nil
		}
		first = true
	}
}

// packets cuts a reply into packets of at most size bytes.
func packets(data []byte, size int) []byte {
	out := make([]byte, 0, len(data)+headerSize*(len(data)/(size-headerSize)+1))
	for seq := byte(1); ; seq++ {
		n := min(len(data), size-headerSize)
		status := byte(0)
		if n == len(data) {
			status = statusEnd
		}
		out = append(out, kindReply, status)
		out = binary.BigEndian.AppendUint16(out, uint16(n+headerSize))
		out = append(out, 0, 0, seq, 0)
		out = append(out, data[:n]...)
		if data = data[n:]; status == statusEnd {
			return out
		}
	}
}
