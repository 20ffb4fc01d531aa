// Package benchmarks measures what a session costs, beside the libraries and
// servers that one would use instead, in the same run. It is a module of its own,
// so that nothing it compares with becomes a dependency of aspsession.
//
//	go -C benchmarks run ./cmd/compare          # everything; writes RESULTS.md
//	go -C benchmarks run ./cmd/compare -quick   # the same for a look: prints it
//	go -C benchmarks run ./cmd/guard            # fails where a path became slower
//	go -C benchmarks test ./...                 # the promises: allocations, and figures in READMEs
//	go -C benchmarks test -bench . -benchmem
//
// # Where figures come from
//
// cmd/compare writes results.json. The page RESULTS.md, its charts and the block of
// figures in the README of the repository are made of that file alone and never
// edited: a test renders them again and compares. Another test finds figures of
// speed in any other Markdown file and wants their source. A claim names what was
// wanted, too, and stands on the page when it falls short.
//
// # What to compare
//
// Ratios of one run, and never figures of two. What runs in one process alternates
// in turns of some milliseconds, and servers take turns as well, so that a noisy
// machine slows all alike. The machine's own limits are measured in the same run:
// the bare handler, a copy of the same bytes, an echo between two processes.
//
// The session that most figures are about holds ten strings of 20 to 40
// characters, item0 to item9. Libraries that encode with gob or msgpack get them
// as a map[string]any, with a new Encoder or Decoder each time: what is stored must
// be readable alone, so no type description can be left to an earlier message.
//
// Opening a payload checks the frame, every key and every length, but copies no
// value; gob's decoding copies all. That is the point of a lazy format, and not
// the whole truth: reading one value and reading all of them count what a handler
// does with it. Encoding starts from what a handler holds when it is done, when Set
// has encoded each value already; setting and encoding counts that too.
package benchmarks
