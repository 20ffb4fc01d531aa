package aspnet

import "sync"

// output is what an application printed.
type output struct {
	mu  sync.Mutex // guards all
	all []byte
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, b...)
	return len(b), nil
}

func (o *output) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.all)
}

// since returns what came after the first n bytes, the last of it where it is
// long.
func (o *output) since(n int) string {
	const most = 32 << 10
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.all[max(n, len(o.all)-most):])
}
