package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A hub shares one connection among all waiters of a store. It subscribes to a
// lock's channel while somebody waits for that lock. Its two goroutines, one that
// writes and one that reads, start with the first waiter and end with close; no
// waiter ever waits for the network here.
type hub struct {
	client  goredis.UniversalClient
	refused func(error) // told that the server will not have subscriptions
	ctx     context.Context
	cancel  context.CancelFunc
	kick    chan struct{} // something is to be subscribed to, or no longer
	running sync.WaitGroup

	mu      sync.Mutex // guards all below
	pubsub  *goredis.PubSub
	topics  map[string]map[*sub]bool // who waits, by channel
	asked   map[string]bool          // channels that the server was told
	pending map[string]int           // and that it has not confirmed
	closed  bool
}

// A sub is one waiter.
type sub struct {
	ready chan struct{} // closed when the subscription stands
	wake  chan struct{} // closed by a message, and where one may have been missed
}

func newHub(client goredis.UniversalClient, refused func(error)) *hub {
	ctx, cancel := context.WithCancel(context.Background())
	return &hub{
		client: client, refused: refused, ctx: ctx, cancel: cancel, kick: make(chan struct{}, 1),
		topics: map[string]map[*sub]bool{}, asked: map[string]bool{}, pending: map[string]int{},
	}
}

// join never blocks. Once the hub is closed, what it returns is awake.
func (h *hub) join(channel string) *sub {
	s := &sub{make(chan struct{}), make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		s.rouse()
		return s
	}
	if h.pubsub == nil {
		h.pubsub = h.client.Subscribe(h.ctx)
		h.running.Go(h.write)
		h.running.Go(h.read)
	}
	if h.topics[channel] == nil {
		h.topics[channel] = map[*sub]bool{}
	}
	h.topics[channel][s] = true
	if h.asked[channel] && h.pending[channel] == 0 {
		closeOnce(s.ready)
	} else {
		h.poke()
	}
	return s
}

func (h *hub) leave(channel string, s *sub) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.topics[channel], s)
	if len(h.topics[channel]) == 0 {
		delete(h.topics, channel)
		h.poke()
	}
}

func (h *hub) poke() {
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// write keeps the server's list of channels that of the waiters.
func (h *hub) write() {
	for {
		select {
		case <-h.kick:
		case <-h.ctx.Done():
			return
		}
		add, drop := h.differences()
		var err error
		if len(add) > 0 {
			err = h.pubsub.Subscribe(h.ctx, add...)
		}
		if len(drop) > 0 && err == nil {
			err = h.pubsub.Unsubscribe(h.ctx, drop...)
		}
		if err != nil {
			// A new connection is told of them all: see PubSub.
			h.rouse()
			h.pause()
		}
	}
}

// differences notes what is about to be told to the server.
func (h *hub) differences() (add, drop []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for channel := range h.topics {
		if !h.asked[channel] {
			h.asked[channel] = true
			h.pending[channel]++
			add = append(add, channel)
		}
	}
	for channel := range h.asked {
		if h.topics[channel] == nil {
			delete(h.asked, channel)
			drop = append(drop, channel)
		}
	}
	return add, drop
}

// read hears the server.
func (h *hub) read() {
	for h.ctx.Err() == nil {
		msg, err := h.pubsub.Receive(h.ctx)
		switch m := msg.(type) {
		case *goredis.Subscription:
			if m.Kind == "subscribe" {
				h.confirm(m.Channel)
			}
		case *goredis.Message:
			h.wake(m.Channel)
		}
		if err == nil {
			continue
		}
		if refused(err) {
			h.refused(err)
		}
		h.rouse() // nobody may hang on what is broken; the next Receive connects again
		h.pause()
	}
}

func (h *hub) pause() {
	select {
	case <-time.After(100 * time.Millisecond):
	case <-h.ctx.Done():
	}
}

// confirm notes that a subscription stands. One that came and went and came is
// confirmed twice, and counts from the second time on.
func (h *hub) confirm(channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pending[channel]--; h.pending[channel] > 0 {
		return
	}
	delete(h.pending, channel)
	for s := range h.topics[channel] {
		closeOnce(s.ready)
	}
}

func (h *hub) wake(channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.topics[channel] {
		closeOnce(s.wake)
	}
}

// rouse wakes everybody.
func (h *hub) rouse() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.pending)
	for _, waiters := range h.topics {
		for s := range waiters {
			s.rouse()
		}
	}
}

// rouse needs the hub's mu held, as closeOnce does.
func (s *sub) rouse() {
	closeOnce(s.ready)
	closeOnce(s.wake)
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	pubsub := h.pubsub
	h.mu.Unlock()
	h.cancel()
	if pubsub != nil {
		_ = pubsub.Close() // it ends Receive
	}
	h.running.Wait()
	h.rouse()
}
