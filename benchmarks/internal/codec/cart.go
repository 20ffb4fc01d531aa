package codec

import (
	"bytes"
	_ "embed"
	"encoding/gob"
	"encoding/json"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

// cartStream is a shopping cart of 50 lines as C# stored it: a List<CartItem>,
// a decimal, a DateTime and a Dictionary<string,string>.
//
//go:embed testdata/cart-50.bin
var cartStream []byte

const cartLines, editedLine = 50, 3

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

// A plainCart is the same with prices as text, since Go's codecs have no decimal.
type plainCart struct {
	Items      []plainItem
	Total      string
	Created    time.Time
	Attributes map[string]string
}

type plainItem struct {
	SKU, Name string
	Quantity  int
	UnitPrice string
}

// The tasks with a cart.
const (
	decodeCart task = "decode"
	encodeCart task = "encode"
	updateCart task = "update" // writes into the stream that it came from, so that what Go does not know stays
)

func cartRuns() ([]run, error) {
	var c cart
	if err := nrbf.Unmarshal(cartStream, &c); err != nil {
		return nil, err
	}
	if len(c.Items) != cartLines {
		return nil, errValue
	}
	types := new(nrbf.Types)
	const library = "Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null"
	if err := nrbf.Register[cart](types, "Golden.Types.ShoppingCart", library); err != nil {
		return nil, err
	}
	if err := nrbf.Register[cartItem](types, "Golden.Types.CartItem", library); err != nil {
		return nil, err
	}
	edited := c
	edited.Items = append([]cartItem(nil), c.Items...)
	edited.Items[editedLine].Quantity++

	var runs []run
	add := func(codec string, t task, stored int, do func() error) *run {
		runs = append(runs, run{codec: codec, task: t, stored: stored, do: do})
		return &runs[len(runs)-1]
	}
	writes := func(codec string, t task, stored int, encode func() ([]byte, error)) {
		var out []byte
		add(codec, t, stored, func() (err error) { out, err = encode(); return err }).out = func() []byte { return out }
	}
	to := make([]byte, len(cartStream))
	add(copyName, encodeCart, len(cartStream), func() error { copy(to, cartStream); return nil })
	add(nrbfName, decodeCart, len(cartStream), func() error {
		var c cart
		err := nrbf.Unmarshal(cartStream, &c)
		return whole(err, len(c.Items))
	})
	writes(nrbfName, encodeCart, len(cartStream), func() ([]byte, error) { return types.Marshal(&c) })
	writes(nrbfName, updateCart, len(cartStream), func() ([]byte, error) { return types.Update(cartStream, &edited) })

	plain := plainCart{Total: c.Total.String(), Created: c.Created, Attributes: c.Attributes}
	for _, i := range c.Items {
		plain.Items = append(plain.Items, plainItem{i.SKU, i.Name, i.Quantity, i.UnitPrice.String()})
	}
	for _, theirs := range structs {
		data, err := theirs.encode(&plain)
		if err != nil {
			return nil, err
		}
		add(theirs.name, decodeCart, len(data), func() error {
			var c plainCart
			err := theirs.decode(data, &c)
			return whole(err, len(c.Items))
		})
		writes(theirs.name, encodeCart, len(data), func() ([]byte, error) { return theirs.encode(&plain) })
	}
	return runs, nil
}

// structs are Go's codecs, as each is used for a struct.
var structs = []struct {
	name   string
	encode func(c *plainCart) ([]byte, error)
	decode func(data []byte, c *plainCart) error
}{
	{gobName, func(c *plainCart) ([]byte, error) {
		var b bytes.Buffer
		err := gob.NewEncoder(&b).Encode(c)
		return b.Bytes(), err
	}, func(data []byte, c *plainCart) error { return gob.NewDecoder(bytes.NewReader(data)).Decode(c) }},
	{jsonName, func(c *plainCart) ([]byte, error) { return json.Marshal(c) },
		func(data []byte, c *plainCart) error { return json.Unmarshal(data, c) }},
	{msgpackName, func(c *plainCart) ([]byte, error) { return msgpack.Marshal(c) },
		func(data []byte, c *plainCart) error { return msgpack.Unmarshal(data, c) }},
}

func whole(err error, lines int) error {
	if err == nil && lines != cartLines {
		err = errValue
	}
	return err
}
