package codec

import (
	"bytes"
	"fmt"
	"strings"
)

// A body is what a session holds.
type body struct {
	name   string // as a row has it
	word   string // as a table's name has it
	keys   []string
	values []any
	one    int // the item that is read or changed alone: a string
}

// bodies are the sizes, smallest first.
func bodies() []body {
	ten := body{name: "10 strings", word: "strings", one: 3}
	for i := range 10 {
		ten.add(text(i))
	}
	mixed := body{name: "100 mixed values", word: "mixed", one: 35}
	for i := range 100 {
		mixed.add([]any{text(i % 10), int32(i) * 1_000_003, i%3 == 0, float64(i) / 7, int64(i) << 40}[i%5])
	}
	return []body{
		ten, mixed,
		ten.with("64 KB", "64k", strings.Repeat("lorem ipsum dolor sit amet, ", 2341)[:64<<10]),
		ten.with("1 MB", "1m", bytes.Repeat([]byte("\x00\x01\xfe\xffabcd"), 1<<17)),
	}
}

// text is of 20 to 38 characters.
func text(i int) string {
	return strings.Repeat("the quick brown fox jumps over the lazy dog", 2)[i:][:20+2*i]
}

// changed takes the place of the one item.
const changed = "another value, as long as others"

func (b *body) add(v any) {
	b.keys = append(b.keys, fmt.Sprintf("item%d", len(b.keys)))
	b.values = append(b.values, v)
}

// with is a body with one large value besides.
func (b body) with(name, word string, large any) body {
	c := body{name: name, word: word, one: b.one}
	for _, v := range b.values {
		c.add(v)
	}
	c.add(large)
	return c
}
