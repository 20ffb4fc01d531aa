using System.Collections.Generic;
using System.Globalization;

namespace Shop {

    public class Product {
        public string Sku { get; private set; }
        public string Name { get; private set; }
        public decimal Price { get; private set; }

        public Product(string sku, string name, decimal price) { Sku = sku; Name = name; Price = price; }
    }

    public static class Catalogue {
        public static readonly IList<Product> All = new[] {
            new Product("TEA", "Darjeeling, 100 g", 7.90m),
            new Product("CUP", "Stoneware cup", 14.50m),
            new Product("POT", "Cast-iron pot", 64.00m),
            new Product("TIN", "Tea tin", 5.25m),
        };

        /// null if there is none.
        public static Product Find(string sku) {
            foreach (Product p in All) if (p.Sku == sku) return p;
            return null;
        }
    }

    public static class Money {
        public static string Text(decimal amount, string currency) {
            return amount.ToString("0.00", CultureInfo.InvariantCulture) + " " + (currency ?? "EUR");
        }
    }
}
