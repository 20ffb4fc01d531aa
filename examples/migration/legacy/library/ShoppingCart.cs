using System;
using System.Collections.Generic;
using System.Linq;

namespace Shop {

    /// What a visitor wants to buy: the session item "cart". Other processes read it, some of them in Go, so its fields are
    /// a format: add to them, and mark what is new [OptionalField].
    [Serializable]
    public class ShoppingCart {
        /// More pieces of a thing than this nobody needs.
        public const int MaxQty = 99;

        private List<CartLine> lines = new List<CartLine>();
        public string Owner = "";
        public DateTime Created = DateTime.UtcNow;

        public IEnumerable<CartLine> Lines { get { return lines; } }
        public int Count { get { return lines.Sum(l => l.Qty); } }
        public decimal Total { get { return lines.Sum(l => l.Qty * l.Price); } }

        /// False if it would be more than MaxQty.
        public bool Add(string sku, string name, int qty, decimal price) {
            CartLine line = lines.Find(l => l.Sku == sku);
            if (qty + (line == null ? 0 : line.Qty) > MaxQty) return false;
            if (line == null) lines.Add(line = new CartLine { Sku = sku, Name = name, Price = price });
            line.Qty += qty;
            return true;
        }

        /// 0 removes the line. A thing that is not in the cart stays out.
        public void SetQty(string sku, int qty) {
            if (qty == 0) lines.RemoveAll(l => l.Sku == sku);
            foreach (CartLine line in lines.Where(l => l.Sku == sku)) line.Qty = qty;
        }
    }

    [Serializable]
    public class CartLine {
        public string Sku;
        public string Name;
        public int Qty;
        public decimal Price;
    }
}
