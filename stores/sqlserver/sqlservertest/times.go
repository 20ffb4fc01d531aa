package sqlservertest

import (
	"encoding/binary"
	"time"
)

// Days are counted from 1900 by datetime, from the year 1 by the newer types.
var (
	epoch1900 = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	epoch1    = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
)

const daySeconds = 24 * 60 * 60

// toDateTime rounds to what datetime can hold: ticks of 1/300 s.
func toDateTime(t time.Time) time.Time {
	days, ticks := splitDateTime(t)
	return joinDateTime(days, ticks)
}

func splitDateTime(t time.Time) (days int32, ticks uint32) {
	sec := t.Unix() - epoch1900.Unix()
	day := sec / daySeconds
	if sec%daySeconds < 0 {
		day--
	}
	n := (sec-day*daySeconds)*300 + (int64(t.Nanosecond())*300+5e8)/1e9
	if n == daySeconds*300 {
		day, n = day+1, 0
	}
	return int32(day), uint32(n)
}

func joinDateTime(days int32, ticks uint32) time.Time {
	nanos := int64(ticks%300) * 1e9 / 300
	return time.Unix(epoch1900.Unix()+int64(days)*daySeconds+int64(ticks/300), nanos).UTC()
}

// timeBytes is the size of a time of day in units of 10^-scale seconds.
func timeBytes(scale byte) int {
	switch {
	case scale <= 2:
		return 3
	case scale <= 4:
		return 4
	}
	return 5
}

func pow10(n int) int64 {
	v := int64(1)
	for range n {
		v *= 10
	}
	return v
}

func parseTime(t wireType, p []byte) (any, bool) {
	switch t.id {
	case typeDateTimeN, typeDateTime:
		switch len(p) {
		case 4: // smalldatetime
			return epoch1900.AddDate(0, 0, int(binary.LittleEndian.Uint16(p))).Add(time.Duration(binary.LittleEndian.Uint16(p[2:])) * time.Minute), true
		case 8:
			return joinDateTime(int32(binary.LittleEndian.Uint32(p)), binary.LittleEndian.Uint32(p[4:])), true
		}
		return nil, false
	}
	d := decoder{b: p}
	var units uint64
	if t.id != typeDate {
		units = d.uint(timeBytes(t.scale))
	}
	days := d.uint(3)
	if t.id == typeDateTimeOffset {
		d.u16() // the zone to show it in; the instant is UTC
	}
	nanos := int64(units) * pow10(9-int(t.scale))
	return time.Unix(epoch1.Unix()+int64(days)*daySeconds+nanos/1e9, nanos%1e9).UTC(), d.err == nil && len(d.b) == 0
}

func appendTime(p []byte, t wireType, v time.Time) []byte {
	if t.id == typeDateTimeN {
		days, ticks := splitDateTime(v)
		if t.size == 4 {
			p = binary.LittleEndian.AppendUint16(p, uint16(days))
			return binary.LittleEndian.AppendUint16(p, uint16(ticks/300/60))
		}
		p = binary.LittleEndian.AppendUint32(p, uint32(days))
		return binary.LittleEndian.AppendUint32(p, ticks)
	}
	e := encoder{b: p}
	sec := v.Unix() - epoch1.Unix()
	if t.id != typeDate {
		units := (sec%daySeconds)*pow10(int(t.scale)) + int64(v.Nanosecond())/pow10(9-int(t.scale))
		e.uint(uint64(units), timeBytes(t.scale))
	}
	e.uint(uint64(sec/daySeconds), 3)
	if t.id == typeDateTimeOffset {
		e.u16(0)
	}
	return e.b
}
