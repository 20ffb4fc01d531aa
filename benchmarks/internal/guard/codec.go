package guard

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

var errValue = errors.New("not the value that was stored")

// itemKey and itemValue are those of the session that most paths use: ten
// strings of 20 to 38 bytes.
var itemKey, itemValue = func() (k, v [10]string) {
	for i := range k {
		k[i] = fmt.Sprintf("item%d", i)
		v[i] = strings.Repeat("the quick brown fox jumps over the lazy dog", 2)[i:][:20+2*i]
	}
	return k, v
}()

const changed = "THE QUICK BROWN FOX JUMPS" // as long as the value that it replaces

func fill() (*payload.Payload, error) {
	p := payload.New(20, payload.Limits{})
	for i, k := range itemKey {
		if err := p.Items().Set(k, itemValue[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func frame() ([]byte, error) {
	p, err := fill()
	if err != nil {
		return nil, err
	}
	return p.Append(nil)
}

// framed is a path that starts from the stored session.
func framed(name, beside string, run func(frame []byte) error) Path {
	return simple(name, beside, func() (func() error, error) {
		b, err := frame()
		return func() error { return run(b) }, err
	})
}

func codecPaths() []Path {
	var buf []byte
	encode := func(p *payload.Payload) (err error) {
		buf, err = p.Append(buf[:0])
		return err
	}
	return []Path{
		framed("payload/open", allocate, func(frame []byte) error {
			_, err := payload.Open(frame, payload.Limits{})
			return err
		}),
		framed("payload/read-all", allocate, func(frame []byte) error {
			p, err := payload.Open(frame, payload.Limits{})
			if err != nil {
				return err
			}
			for i, k := range itemKey {
				if v, err := payload.Value[string](p.Items(), k); err != nil || v != itemValue[i] {
					return errors.Join(errValue, err)
				}
			}
			return nil
		}),
		framed("payload/change-one", allocate, func(frame []byte) error {
			p, err := payload.Open(frame, payload.Limits{})
			if err != nil {
				return err
			}
			if err := p.Items().Set(itemKey[3], changed); err != nil {
				return err
			}
			return encode(p)
		}),
		simple("payload/set-all", allocate, func() (func() error, error) {
			return func() error {
				p, err := fill()
				if err != nil {
					return err
				}
				return encode(p)
			}, nil
		}),
		simple("payload/encode", compute, func() (func() error, error) {
			p, err := fill()
			return func() error { return encode(p) }, err
		}),
		simple("nrbf/decode-cart-50", allocate, func() (func() error, error) {
			return func() error {
				var c cart
				if err := nrbf.Unmarshal(cart50, &c); err != nil {
					return err
				}
				if len(c.Items) != 50 || len(c.Attributes) != 3 {
					return errValue
				}
				return nil
			}, nil
		}),
		simple("nrbf/update-cart-50", allocate, updateCart),
	}
}

// cart50 is a cart as C# stored it: List<CartItem> of 50 lines and a Dictionary.
//
//go:embed testdata/nrbf-cart-50.bin
var cart50 []byte

type cart struct {
	Items      []cartItem        `net:"items"`
	Total      clr.Decimal       `net:"total"`
	Created    time.Time         `net:"created"`
	Attributes map[string]string `net:"attributes"`
}

type cartItem struct {
	SKU       string      `net:"sku"`
	Name      string      `net:"name"`
	Quantity  int         `net:"quantity"`
	UnitPrice clr.Decimal `net:"unitPrice"`
}

// updateCart writes a changed cart into the stored one.
func updateCart() (func() error, error) {
	const library = "Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null"
	types := new(nrbf.Types)
	if err := nrbf.Register[cart](types, "Golden.Types.ShoppingCart", library); err != nil {
		return nil, err
	}
	if err := nrbf.Register[cartItem](types, "Golden.Types.CartItem", library); err != nil {
		return nil, err
	}
	var c cart
	if err := nrbf.Unmarshal(cart50, &c); err != nil {
		return nil, err
	}
	c.Items[3].Quantity++
	return func() error {
		_, err := types.Update(cart50, &c)
		return err
	}, nil
}
