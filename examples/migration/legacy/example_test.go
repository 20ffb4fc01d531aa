package legacy_test

import (
	"fmt"

	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/payload"
)

// How a session that C# stored looks to Go: every item has its .NET type, and an
// object of a C# class is a Go struct.
func ExampleCaptured() {
	p, err := payload.Open(legacy.Captured(), payload.Limits{})
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Timeout(), "minutes")
	for item := range p.Items().All() {
		fmt.Printf("%-9s %.32s\n", item.Key, item.TypeName())
	}
	cart, err := payload.Value[shoppingCart](p.Items(), "cart")
	if err != nil {
		panic(err)
	}
	fmt.Println(cart.Owner)
	for _, line := range cart.Lines {
		fmt.Println(line.Qty, line.Sku, line.Price)
	}
	recent, err := payload.Value[[]string](p.Items(), "recent")
	fmt.Println(recent, err)
	// Output:
	// 20 minutes
	// started   System.DateTime
	// startedBy System.String
	// currency  System.String
	// prefs     System.Collections.Hashtable
	// cart      Shop.ShoppingCart
	// recent    System.Collections.Generic.Queue
	// user      System.String
	// Ada
	// 1 TEA 7.90
	// 2 CUP 14.50
	// [TEA CUP] <nil>
}
