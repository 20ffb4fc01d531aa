package onend

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

// An Event is the JSON body of a delivery.
type Event struct {
	// Delivery names this end: 32 hex digits, the same whenever it is told.
	Delivery string `json:"delivery"`
	// Key is the item's key in the service, its exact bytes (base64 in JSON).
	Key []byte `json:"key"`
	// Application and Session are Key as text, cut at its last slash: ASP.NET's
	// application id with its hash, and the session id. Bytes that are not
	// UTF-8 are U+FFFD here.
	Application string `json:"application"`
	Session     string `json:"session"`
	// Reason is "expired" or "removed"; ASP.NET's Abandon is the latter.
	Reason string `json:"reason"`
	// Time is when the session ended.
	Time time.Time `json:"time"`
	// Payload is the last stored item, its bytes as they were (base64 in JSON).
	Payload []byte `json:"payload"`
}

func event(e stateservice.End) Event {
	app, id := "", e.Key
	if i := strings.LastIndexByte(e.Key, '/'); i >= 0 {
		app, id = e.Key[:i], e.Key[i+1:]
	}
	return Event{Delivery: delivery(e), Key: []byte(e.Key), Application: app, Session: id,
		Reason: e.Reason.String(), Time: e.At.UTC(), Payload: e.Payload}
}

// delivery makes an id from what stays the same when an end is told again. The
// number alone would not do: without a journal it starts anew with each process.
func delivery(e stateservice.End) string {
	h := sha256.New()
	var n [17]byte
	binary.BigEndian.PutUint64(n[:], e.ID)
	binary.BigEndian.PutUint64(n[8:], uint64(len(e.Key)))
	n[16] = byte(e.Reason)
	h.Write(n[:])
	h.Write([]byte(e.Key))
	h.Write(e.Payload)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
