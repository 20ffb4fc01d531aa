// Package onend tells an application over HTTP that a session ended: ASP.NET's
// Session_End, out of process. A Hook is a stateservice.EndHook that posts each
// end to a URL; Verify is for the receiver.
//
//	hook, err := onend.New("https://app.example/session-end", key, onend.Options{})
//	if err != nil {
//		return err
//	}
//	defer hook.Close()
//	s, err := stateservice.Open(stateservice.Options{OnEnd: hook, Journal: journal})
//
// # Terms
//
// An end is a session that expired or was removed. A delivery is the telling of
// one end, however often it is tried. A receiver has taken it when it answers
// with any 2xx status; it should do so when its own work is safe, and soon:
// Options.Timeout is 10 s.
//
// # What a receiver gets
//
// A POST of JSON, an Event, with three headers:
//
//	Aspsession-Delivery: 6ac3c6…  the same in every try of one delivery
//	Aspsession-Timestamp: 1767225600  Unix seconds of this try
//	Aspsession-Signature: v1=…  hex HMAC-SHA256 of "v1.", timestamp, ".", body
//
// With a journal each end is told at least once: after a crash of either side it
// may come again, with the same delivery id, and ends may come out of order. A
// receiver that must not act twice remembers the ids of some days. Without a
// journal an end is told at most so often as it takes, and lost with the process.
//
// # Retries
//
// A try that fails, or is answered 408, 429 or 5xx, is repeated after a pause
// that doubles each time and is shortened at random by up to half, so that many
// deliveries do not come back at the same instant. After Options.Tries Ended
// returns an error: a server with a journal keeps the end and tells it again
// later, one without counts it as dropped. Any other status, 3xx and 4xx, says
// that the receiver does not want it: after Options.Refusals of them the end is
// given up for good, with a line in the log, because it would be in the way of
// the others for ever. The queue is the server's, which is bounded and which the
// engine never waits for; the server's stop ends the context of a Hook's tries.
//
// # Security
//
// The body has the session's key and content: whoever reads it can be that
// visitor. Hence https, or loopback, unless Options.AllowPlain. The signature
// proves who sent it to those who have the key, and Verify refuses old ones; it
// hides nothing. Redirects are not followed. A payload is ASP.NET's stored bytes:
// package payload reads them safely, .NET's BinaryFormatter does not. Errors and
// logs have neither keys nor content.
package onend
