package guard

import (
	"strings"

	"github.com/aspsession/aspsession/msasp"
)

const (
	appBase   = "/LM/W3SVC/1/ROOT(bDgaG9wIqcO8K8J2LSzN4YmTkaM=)/"
	visitor   = "abcdefghijklmnopqrstuvwx"
	localhost = "localhost"
)

// again reads the same bytes for ever.
type again struct {
	text string
	r    strings.Reader
}

func (a *again) Read(b []byte) (int, error) {
	if a.r.Len() == 0 {
		a.r.Reset(a.text)
	}
	return a.r.Read(b)
}

func wirePaths() []Path {
	req := msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire, Ours: true}
	rep := msasp.Reply{Status: msasp.StatusOK, LockCookie: msasp.Int32(1234), Timeout: msasp.Int32(20), Ours: true}
	var out []byte
	return []Path{
		simple("msasp/write-request", compute, func() (func() error, error) {
			return func() error { out = req.Append(out[:0], appBase+visitor, localhost); return nil }, nil
		}),
		simple("msasp/read-request", compute, func() (func() error, error) {
			r := msasp.NewReader(&again{text: string(req.Append(nil, appBase+visitor, localhost))}, msasp.Limits{})
			var got msasp.Request
			var key []byte
			return func() error {
				if err := r.Request(&got); err != nil {
					return err
				}
				if key = msasp.AppendKey(key[:0], got.Target); string(key) != appBase+visitor {
					return errValue
				}
				return nil
			}, nil
		}),
		simple("msasp/write-reply", compute, func() (func() error, error) {
			return func() error { out = rep.Append(out[:0], false); return nil }, nil
		}),
		simple("msasp/read-reply", compute, func() (func() error, error) {
			r := msasp.NewReader(&again{text: string(rep.Append(nil, false))}, msasp.Limits{})
			var got msasp.Reply
			return func() error {
				if err := r.Reply(&got); err != nil {
					return err
				}
				if got.LockCookie != rep.LockCookie {
					return errValue
				}
				return nil
			}, nil
		}),
	}
}
