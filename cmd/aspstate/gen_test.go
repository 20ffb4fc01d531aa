package main

import (
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every vector gives source that is formatted, the same each time, and compiles.
func TestGenCompiles(t *testing.T) {
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "source", nil)
	files, err := filepath.Glob("../../nrbf/testdata/*.bin")
	require.NoError(t, err)
	items, err := filepath.Glob(filepath.Join(testdata, "item-*.bin"))
	require.NoError(t, err)
	require.Greater(t, len(files), 100)
	for _, file := range append(files, items...) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		if len(data) > 100<<10 {
			continue
		}
		r := runTool(data, "gen", "-")
		require.Equal(t, exitOK, r.code, "%s: %s", file, r.stderr)
		require.Equal(t, string(r.stdout), string(runTool(data, "gen", "-").stdout), file)
		formatted, err := format.Source(r.stdout)
		require.NoError(t, err, file)
		require.Equal(t, string(formatted), string(r.stdout), file)
		parsed, err := parser.ParseFile(fset, filepath.Base(file)+".go", r.stdout, 0)
		require.NoError(t, err, file)
		conf := types.Config{Importer: imports}
		_, err = conf.Check("session", fset, []*ast.File{parsed}, nil)
		require.NoError(t, err, "%s\n%s", file, r.stdout)
	}
}

func TestGenJSON(t *testing.T) {
	file := "../../nrbf/testdata/nrbf-cart-50.bin"
	var doc genJSON
	r := runTool(nil, "gen", "--json", "--package", "shop", file)
	require.Equal(t, exitOK, r.code, r.stderr)
	decode(t, r.stdout, &doc)
	require.Equal(t, string(runTool(nil, "gen", "--package", "shop", file).stdout), doc.Source)
	const library = "Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null"
	doc.Source = ""
	require.Equal(t, genJSON{Package: "shop", Classes: []genClassJSON{
		{Name: "Golden.Types.CartItem", Library: library, GoName: "CartItem", Kind: "struct", Members: []genMemberJSON{
			{"sku", "System.String", "Sku", "string", "sku"},
			{"name", "System.String", "Name", "string", "name"},
			{"quantity", "System.Int32", "Quantity", "int32", "quantity"},
			{"unitPrice", "System.Decimal", "UnitPrice", "clr.Decimal", "unitPrice"},
			{"cart", "Golden.Types.ShoppingCart", "Cart", "*ShoppingCart", "cart"},
		}},
		{Name: "Golden.Types.ShoppingCart", Library: library, GoName: "ShoppingCart", Kind: "struct", Members: doc.Classes[1].Members},
	}}, doc)
	require.Equal(t, "[]*CartItem", doc.Classes[1].Members[0].GoType)
	require.Equal(t, "items,list", doc.Classes[1].Members[0].Tag)

	r = runTool(nil, "gen", "--json", "../../nrbf/testdata/nrbf-enum-byte-array.bin")
	doc = genJSON{}
	decode(t, r.stdout, &doc)
	require.Len(t, doc.Classes, 1)
	require.Equal(t, genClassJSON{Name: doc.Classes[0].Name, Library: library, GoName: "ColorByte", Kind: "enum", GoType: "uint8"}, doc.Classes[0])

	// Nothing to name is a list of none.
	r = runTool(nil, "gen", "--json", filepath.Join(testdata, "prim-byte.bin"))
	require.Equal(t, exitOK, r.code)
	require.Contains(t, string(r.stdout), `"classes": []`)
	r = runTool([]byte("junk junk"), "gen", "--json", "-")
	require.Equal(t, exitData, r.code)
	require.Empty(t, r.stdout)
}

func TestGenNamesWhatItFound(t *testing.T) {
	r := runTool(nil, "gen", "../../nrbf/testdata/nrbf-cart-50.bin")
	require.Equal(t, exitOK, r.code, r.stderr)
	require.Equal(t, `// Package session has the types of a stored session, written by aspstate gen.
package session

import (
	"errors"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

// CartItem is Golden.Types.CartItem of Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null.
type CartItem struct {
	Sku       string        `+"`net:\"sku\"`"+`
	Name      string        `+"`net:\"name\"`"+`
	Quantity  int32         `+"`net:\"quantity\"`"+`
	UnitPrice clr.Decimal   `+"`net:\"unitPrice\"`"+`
	Cart      *ShoppingCart `+"`net:\"cart\"`"+`
}

// ShoppingCart is Golden.Types.ShoppingCart of Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null.
type ShoppingCart struct {
	Items      []*CartItem       `+"`net:\"items,list\"`"+`
	Total      clr.Decimal       `+"`net:\"total\"`"+`
	Created    time.Time         `+"`net:\"created\"`"+`
	Attributes map[string]string `+"`net:\"attributes\"`"+`
}

// Register names the .NET types above for writing.
func Register(types *nrbf.Types) error {
	return errors.Join(
		nrbf.Register[CartItem](types, "Golden.Types.CartItem", "Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null"),
		nrbf.Register[ShoppingCart](types, "Golden.Types.ShoppingCart", "Golden.Types, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null"),
	)
}
`, string(r.stdout))
	people := string(runTool(nil, "gen", "--package", "people", "../../nrbf/testdata/nrbf-person-autoprops.bin").stdout)
	require.Contains(t, people, "package people")
	require.Contains(t, people, "`net:\"FirstName,property\"`")
	require.Contains(t, people, "*time.Time")
	derived := string(runTool(nil, "gen", "../../nrbf/testdata/nrbf-derived-private-fields.bin").stdout)
	require.Contains(t, derived, "`net:\"BaseThing+id\"`")
	enum := string(runTool(nil, "gen", "../../nrbf/testdata/nrbf-enum-byte-array.bin").stdout)
	require.Contains(t, enum, "type ColorByte uint8")
	require.Equal(t, exitUsage, runTool(nil, "gen", "--package", "a b", "x").code)
	require.Equal(t, exitData, runTool([]byte("junk junk"), "gen", "-").code)
	require.True(t, strings.HasPrefix(string(runTool(nil, "gen", filepath.Join(testdata, "prim-byte.bin")).stdout), "// Package session"))
}
