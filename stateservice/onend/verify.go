package onend

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a delivery.
const (
	DeliveryHeader  = "Aspsession-Delivery"
	TimestampHeader = "Aspsession-Timestamp"
	SignatureHeader = "Aspsession-Signature"
)

const scheme = "v1"

var (
	// ErrSignature: the signature is missing or not that of this key and body.
	ErrSignature = errors.New("onend: wrong signature")
	// ErrAge: it was signed too long ago, or in the future.
	ErrAge = errors.New("onend: signed too long ago or in the future")
)

// Verify tells a receiver whether who has key sent this body. h is the request's
// header; read the body whole, with a limit, and decode it only afterwards. now
// is time.Now(); a signature more than age away from it is refused: 5 minutes
// allow for clocks that differ. The comparison takes constant time. Errors are
// ErrSignature and ErrAge; answer either with 401 or 403.
func Verify(key, body []byte, h http.Header, now time.Time, age time.Duration) error {
	stamp := h.Get(TimestampHeader)
	sent, hexed := strings.CutPrefix(h.Get(SignatureHeader), scheme+"=")
	mac, err := hex.DecodeString(sent)
	if !hexed || err != nil || !hmac.Equal(mac, sign(key, body, stamp)) {
		return fmt.Errorf("%w: check that sender and receiver have the same key, and that nothing changed the body on the way", ErrSignature)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return ErrAge
	}
	if d := now.Sub(time.Unix(seconds, 0)).Abs(); d > age {
		return fmt.Errorf("%w: %v, the limit is %v", ErrAge, d.Round(time.Second), age)
	}
	return nil
}

func sign(key, body []byte, stamp string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(scheme + "." + stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}
