// Package benchmarks measures what a session costs, with encoding/gob of the
// same items beside it in the same run. It is a module of its own, so that
// nothing it compares with becomes a dependency of aspsession.
//
//	go -C benchmarks test                       # allocations only: the promises
//	go -C benchmarks test -bench . -benchmem
//	go -C benchmarks test -bench Ratio -count 5
//
// The session holds ten strings of 20 to 40 characters, item0 to item9. gob
// encodes them as a map[string]any, with a new Encoder or Decoder each time, as
// session libraries do: what is stored must be readable alone, so no type
// description can be left to an earlier message.
//
// # What to compare
//
// Opening a payload checks the frame, every key and every length, but copies no
// value; gob's decoding copies all. That is the point of a lazy format, and not
// the whole truth: OpenReadOne and OpenReadAll count the values that a handler
// reads. Encode starts from what a handler holds when it is done, when Set has
// encoded each value already; SetAndEncode counts that too.
//
// Ratio runs both sides in alternating batches, so that a noisy machine slows
// both alike: quote its figures, and never those of two runs.
//
// Request measures whole requests on a reused request and a ResponseWriter that
// throws the page away; what is above bare is the middleware's.
package benchmarks
