package disk

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

// A record is the value under a session's key, little-endian:
//
//	0  uint32 CRC-32C of the key and of all that follows
//	4  byte   kind: 1 item, 2 grave
//	5  byte   flags: 1 uninitialized
//	6  int32  last lock cookie
//	10 int32  timeout in minutes
//	14 int64  expiry, Unix nanoseconds; lowest int64: never
//	22 uint32 epoch in which it was written
//	26        content
//
// An end is the value under its number (uint64, big-endian):
//
//	0  uint32 CRC-32C of the number and of all that follows
//	4  byte   reason
//	5  int64  when it was appended, Unix nanoseconds
//	13 uint32 length of the key
//	17        key, content
const (
	recordHead = 26
	endHead    = 17

	kindItem  = 1
	kindGrave = 2

	never = math.MinInt64
	raise = 65_536 // of cookies, for each opening
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value[4:])
}

// whole reports that the checksum of what is kept there is right.
func whole(key, value []byte) bool {
	return len(value) >= 4 && sum(key, value) == binary.LittleEndian.Uint32(value)
}

// record builds the value of an item or a grave; key is its place.
func record(kind byte, key []byte, c stateservice.Change, epoch uint32, body []byte) []byte {
	v := make([]byte, recordHead, recordHead+len(body))
	v[4] = kind
	binary.LittleEndian.PutUint32(v[10:], uint32(c.Timeout))
	v = append(v, body...)
	move(v, c, epoch)
	return seal(key, v)
}

// move writes what a Touch changes.
func move(v []byte, c stateservice.Change, epoch uint32) {
	v[5] = 0
	if c.Uninitialized {
		v[5] = 1
	}
	binary.LittleEndian.PutUint32(v[6:], uint32(c.Cookie))
	at := int64(never)
	if !c.Expires.IsZero() {
		at = c.Expires.UnixNano()
	}
	binary.LittleEndian.PutUint64(v[14:], uint64(at))
	binary.LittleEndian.PutUint32(v[22:], epoch)
}

func seal(key, v []byte) []byte {
	binary.LittleEndian.PutUint32(v, sum(key, v))
	return v
}

// parse reads a record; its body is copied. epoch is today's.
func parse(key, v []byte, epoch uint32) (r stateservice.Record, ok bool) {
	if len(key) == 0 || len(v) < recordHead || !whole(key, v) || v[4] != kindItem && v[4] != kindGrave {
		return r, false
	}
	r.Key, r.Grave, r.Uninitialized = string(key[1:]), v[4] == kindGrave, v[5] == 1
	r.Timeout = int32(binary.LittleEndian.Uint32(v[10:]))
	if at := int64(binary.LittleEndian.Uint64(v[14:])); at != never {
		r.Expires = time.Unix(0, at)
	}
	cookie := int64(int32(binary.LittleEndian.Uint32(v[6:])))
	if missed := int64(epoch) - int64(binary.LittleEndian.Uint32(v[22:])) - 1; missed > 0 {
		cookie += missed * raise
	}
	r.Cookie = int32(min(cookie, math.MaxInt32-1))
	if !r.Grave {
		r.Body = append([]byte{}, v[recordHead:]...)
	}
	return r, true
}

func endID(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func endRecord(c stateservice.Change, at time.Time) []byte {
	v := make([]byte, endHead, endHead+len(c.Key)+len(c.Body))
	v[4] = byte(stateservice.Expired)
	if c.Kind == stateservice.Remove {
		v[4] = byte(stateservice.Removed)
	}
	binary.LittleEndian.PutUint64(v[5:], uint64(at.UnixNano()))
	binary.LittleEndian.PutUint32(v[13:], uint32(len(c.Key)))
	v = append(append(v, c.Key...), c.Body...)
	return seal(endID(c.End), v)
}

// parseEnd reads an end and copies it.
func parseEnd(id, v []byte) (e stateservice.End, ok bool) {
	if len(id) != 8 || len(v) < endHead || !whole(id, v) {
		return e, false
	}
	n := uint64(binary.LittleEndian.Uint32(v[13:]))
	if n > uint64(len(v)-endHead) {
		return e, false
	}
	e.ID, e.Reason = binary.BigEndian.Uint64(id), stateservice.EndReason(v[4])
	e.At = time.Unix(0, int64(binary.LittleEndian.Uint64(v[5:])))
	e.Key = string(v[endHead : endHead+n])
	e.Payload = append([]byte{}, v[endHead+n:]...)
	return e, true
}
