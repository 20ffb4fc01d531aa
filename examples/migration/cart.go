package main

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/nrbf"
)

// A ShoppingCart is the session item "cart", the C# class Shop.ShoppingCart.
// What that class has and this struct does not stays as it is when Go saves it.
type ShoppingCart struct {
	Lines   []CartLine `net:"lines,list"` // a private List<CartLine>
	Owner   string
	Created time.Time
}

// A CartLine is Shop.CartLine. Its key says which stored line it is.
type CartLine struct {
	Sku   string `net:"Sku,key"`
	Name  string
	Qty   int
	Price clr.Decimal // System.Decimal, to the last digit
}

// maxQty is the pieces that a line may have, here as in C#.
const maxQty = 99

// cartTypes says which C# classes the structs stand for. Only a cart that Go
// begins needs it: a stored one brings the names of its classes along.
func cartTypes() (*nrbf.Types, error) {
	types := new(nrbf.Types)
	if err := nrbf.Register[ShoppingCart](types, legacy.CartClass, legacy.Assembly); err != nil {
		return nil, err
	}
	return types, nrbf.Register[CartLine](types, legacy.LineClass, legacy.Assembly)
}

func newCart(owner string) ShoppingCart {
	return ShoppingCart{Lines: []CartLine{}, Owner: owner, Created: time.Now().UTC()}
}

// Count is the number of pieces.
func (c ShoppingCart) Count() int {
	n := 0
	for _, line := range c.Lines {
		n += line.Qty
	}
	return n
}

// Total is exact, as C#'s sum of decimals is; an error where it is too large for
// one.
func (c ShoppingCart) Total() (clr.Decimal, error) {
	const cents = 2
	sum, scale := new(big.Rat), cents
	for _, line := range c.Lines {
		sum.Add(sum, line.sum())
		scale = max(scale, line.Price.Scale())
	}
	total, err := clr.ParseDecimal(sum.FloatString(scale)) // rounds nothing: no price has more digits
	if err != nil {
		return total, fmt.Errorf("migration: the total of the cart: %w", err)
	}
	return total, nil
}

func (l CartLine) sum() *big.Rat {
	return new(big.Rat).Mul(l.Price.Rat(), new(big.Rat).SetInt64(int64(l.Qty)))
}

// Add puts one piece of a product into the cart; false if that would be too many.
func (c *ShoppingCart) Add(p product) bool {
	i := c.find(p.Sku)
	switch {
	case i < 0:
		c.Lines = append(c.Lines, CartLine{Sku: p.Sku, Name: p.Name, Qty: 1, Price: p.Price})
	case c.Lines[i].Qty >= maxQty:
		return false
	default:
		c.Lines[i].Qty++
	}
	return true
}

// SetQty changes a line; 0 removes it. What is not in the cart stays out.
func (c *ShoppingCart) SetQty(sku string, qty int) {
	i := c.find(sku)
	switch {
	case i < 0:
	case qty == 0:
		c.Lines = slices.Delete(c.Lines, i, i+1)
	default:
		c.Lines[i].Qty = qty
	}
}

func (c *ShoppingCart) find(sku string) int {
	return slices.IndexFunc(c.Lines, func(l CartLine) bool { return l.Sku == sku })
}

// A product of the catalogue, which both halves have.
type product struct {
	Sku, Name string
	Price     clr.Decimal
}

var catalogue = []product{
	{"TEA", "Darjeeling, 100 g", clr.NewDecimal(790, 2)},
	{"CUP", "Stoneware cup", clr.NewDecimal(1450, 2)},
	{"POT", "Cast-iron pot", clr.NewDecimal(6400, 2)},
	{"TIN", "Tea tin", clr.NewDecimal(525, 2)},
}

func findProduct(sku string) (product, bool) {
	i := slices.IndexFunc(catalogue, func(p product) bool { return p.Sku == sku })
	if i < 0 {
		return product{}, false
	}
	return catalogue[i], true
}
