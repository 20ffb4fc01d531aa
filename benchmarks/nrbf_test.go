package benchmarks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

// A cart as C# stored it: List<CartItem> of 50 lines and a Dictionary.
type cart struct {
	Items      []cartItem        `net:"items" json:"items"`
	Total      clr.Decimal       `net:"total" json:"total"`
	Created    time.Time         `net:"created" json:"created"`
	Attributes map[string]string `net:"attributes" json:"attributes"`
}

type cartItem struct {
	SKU       string      `net:"sku" json:"sku"`
	Name      string      `net:"name" json:"name"`
	Quantity  int         `net:"quantity" json:"quantity"`
	UnitPrice clr.Decimal `net:"unitPrice" json:"unitPrice"`
}

// cart50 is the stream and the JSON of the same cart.
func cart50() (stream, text []byte) {
	stream, err := os.ReadFile(filepath.Join("..", "nrbf", "testdata", "nrbf-cart-50.bin"))
	must(err)
	var c cart
	must(nrbf.Unmarshal(stream, &c))
	if len(c.Items) != 50 || len(c.Attributes) != 3 {
		panic("not the cart")
	}
	text, err = json.Marshal(c)
	must(err)
	return stream, text
}

// BenchmarkCart50 decodes into the same Go struct, and writes it.
func BenchmarkCart50(b *testing.B) {
	stream, text := cart50()
	b.Run("decode-nrbf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var c cart
			must(nrbf.Unmarshal(stream, &c))
		}
	})
	b.Run("decode-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var c cart
			must(json.Unmarshal(text, &c))
		}
	})
	types := new(nrbf.Types)
	const library = "Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null"
	must(nrbf.Register[cart](types, "Golden.Types.ShoppingCart", library))
	must(nrbf.Register[cartItem](types, "Golden.Types.CartItem", library))
	var c cart
	must(nrbf.Unmarshal(stream, &c))
	c.Items[3].Quantity++
	b.Run("update-nrbf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := types.Update(stream, &c)
			must(err)
		}
	})
	b.Run("encode-nrbf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := types.Marshal(&c)
			must(err)
		}
	})
	b.Run("encode-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := json.Marshal(&c)
			must(err)
		}
	})
}

// TestCart50Allocations: fewer than encoding/json for the same data.
func TestCart50Allocations(t *testing.T) {
	stream, text := cart50()
	ours := testing.AllocsPerRun(100, func() { must(nrbf.Unmarshal(stream, new(cart))) })
	theirs := testing.AllocsPerRun(100, func() { must(json.Unmarshal(text, new(cart))) })
	if ours >= theirs {
		t.Errorf("%v allocations, encoding/json %v", ours, theirs)
	}
}
