package nrbf_test

import (
	"fmt"
	"os"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

// A C# class in Go: members that the page does not need are left out.
type exampleItem struct {
	SKU       string      `net:"sku,key"`
	Quantity  int         `net:"quantity"`
	UnitPrice clr.Decimal `net:"unitPrice"`
}

type exampleCart struct {
	Items      []exampleItem `net:"items,list"`
	Attributes map[string]string
}

const golden = "Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null"

func ExampleUnmarshal() {
	data, err := os.ReadFile("testdata/nrbf-cart-cycle.bin")
	if err != nil {
		panic(err)
	}
	var cart exampleCart
	fmt.Println(nrbf.Unmarshal(data, &cart))
	for _, item := range cart.Items {
		fmt.Println(item.SKU, item.Quantity, item.UnitPrice)
	}
	var wrong struct{ Items []struct{ UnitPrice int } }
	fmt.Println(nrbf.Unmarshal(data, &wrong))
	// Output:
	// <nil>
	// SKU-1000 1 9.99
	// SKU-1001 2 10.99
	// SKU-1002 3 11.99
	// nrbf: Golden.Types.ShoppingCart.items[0].unitPrice: type mismatch: System.Decimal into Go int
}

// What the Go struct leaves out, here name and total, stays in the stream.
func ExampleTypes_Update() {
	data, err := os.ReadFile("testdata/nrbf-cart-cycle.bin")
	if err != nil {
		panic(err)
	}
	var cart exampleCart
	if err := nrbf.Unmarshal(data, &cart); err != nil {
		panic(err)
	}
	cart.Items = append(cart.Items[1:], exampleItem{SKU: "SKU-9", Quantity: 2, UnitPrice: clr.NewDecimal(250, 2)})
	cart.Attributes["gift"] = "yes"

	var types nrbf.Types
	out, err := types.Update(data, cart)
	if err != nil {
		panic(err)
	}
	g, err := nrbf.Decode(out, nrbf.Options{})
	if err != nil {
		panic(err)
	}
	items := g.Root().Object().Get("items").Object().Get("_items").Array()
	for _, v := range items.All() {
		fmt.Println(v.Object().Get("sku"), v.Object().Get("name"), v.Object().Get("quantity"))
	}
	fmt.Println(g.Root().Object().Get("total"))
	// Output:
	// "SKU-1001" "Item n°1" 2
	// "SKU-1002" "Item n°2" 3
	// "SKU-9" null 2
	// 67.94
}

// C# casts the result: (List<CartItem>)Session["items"].
func ExampleTypes_Marshal() {
	var types nrbf.Types
	if err := nrbf.Register[exampleItem](&types, "Golden.Types.CartItem", golden); err != nil {
		panic(err)
	}
	out, err := types.Marshal(nrbf.AsList[exampleItem]{{"SKU-1", 2, clr.NewDecimal(999, 2)}})
	if err != nil {
		panic(err)
	}
	g, err := nrbf.Decode(out, nrbf.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println(g.Root().Object().Get("_items").Array())
	_, err = types.Marshal([]struct{ Name string }{{"x"}})
	fmt.Println(err)
	// Output:
	// Golden.Types.CartItem[]
	// nrbf: root: type mismatch: Go struct { Name string } is not registered as a .NET type
}
