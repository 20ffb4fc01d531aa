package load

import (
	"errors"
	"slices"
)

// A step is one request and its answer.
type step uint8

const (
	read    step = iota // of an item, without its lock
	acquire             // read and lock
	save                // write what was acquired, and unlock
	store               // write, whatever there is
)

// A protocol forms requests and knows whole answers. It belongs to one connection.
type protocol interface {
	// request adds a request to out.
	request(out []byte, s step, key int) []byte
	// answer is the length of the answer that in starts with; 0 while it is not
	// whole. An answer that is not what the step is to bring is an error.
	answer(in []byte, s step) (int, error)
}

// errAnswer is wrapped by what a protocol says of an answer.
var errAnswer = errors.New("not the answer expected")

// errSilent: an answer did not come.
var errSilent = errors.New("no answer")

// An exchange is a connection's protocol and buffers, without the socket.
type exchange struct {
	protocol
	out []byte // to be sent
	in  []byte // received, and not looked at yet
}

func (x *exchange) ask(s step, key int) { x.out = x.request(x.out, s, key) }

// room is where more is to be received.
func (x *exchange) room() []byte {
	x.in = slices.Grow(x.in, 16<<10)
	return x.in[len(x.in):cap(x.in)]
}

// answered takes a whole answer out of in, if there is one.
func (x *exchange) answered(s step) (bool, error) {
	n, err := x.answer(x.in, s)
	if n == 0 || err != nil {
		return false, err
	}
	x.in = x.in[:copy(x.in, x.in[n:])]
	return true, nil
}
