package nrbf_test

import (
	"fmt"
	"os"

	"github.com/aspsession/aspsession/nrbf"
)

// A shopping cart that C# stored: read a line, change one, write it back.
func Example() {
	data, err := os.ReadFile("testdata/nrbf-cart-cycle.bin")
	if err != nil {
		panic(err)
	}
	g, err := nrbf.Decode(data, nrbf.Options{})
	if err != nil {
		panic(err)
	}
	cart := g.Root().Object()
	items := cart.Get("items").Object() // List<CartItem>
	size, _ := items.Get("_size").Int()
	for i, v := range items.Get("_items").Array().All() {
		if i >= int(size) {
			break // the rest is capacity
		}
		sku, _ := v.Object().Get("sku").Text()
		price, _ := v.Object().Get("unitPrice").Decimal()
		fmt.Println(sku, v.Object().Get("quantity"), price)
	}
	first := items.Get("_items").Array().At(0).Object()
	if err := first.Set("quantity", 7); err != nil {
		panic(err)
	}
	fmt.Println(first.Set("quantity", "seven"))
	out, err := g.Append(nil)
	fmt.Println(len(out) == len(data), err)
	// Output:
	// SKU-1000 1 9.99
	// SKU-1001 2 10.99
	// SKU-1002 3 11.99
	// nrbf: Golden.Types.CartItem.quantity: type mismatch: String, declared System.Int32
	// true <nil>
}
