// The other side of marshal_mono_test.go: what Go marshaled is cast and used.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.Serialization.Formatters.Binary;

namespace Rig {
	public enum Colour { Red, Green = 5, Blue }
	[Serializable] public struct Point { public int X; public double Y; }
	[Serializable] public class CartLine { public string Sku; public int Qty; public decimal Price; public string Secret; }
	[Serializable] public class ShoppingCart {
		private readonly List<CartLine> lines = new List<CartLine>();
		public string Owner; public DateTime Created; public ShoppingCart Parent; internal int hits = 7;
		public Dictionary<string, string> Notes = new Dictionary<string, string>();
		public IList<CartLine> Lines { get { return lines; } }
		public void Add(string sku, int qty, decimal price) { lines.Add(new CartLine { Sku = sku, Qty = qty, Price = price, Secret = "s-" + sku }); }
		public int Hits { get { return hits; } }
	}
	[Serializable] public class Order {
		public CartLine Line; public CartLine Same; public Order Next; public Colour Paint; public Point Where; public Guid Id; public DateTime At; public TimeSpan Took; public decimal Sum;
		public int? Count; public int? None; public Colour? Maybe; public Point[] Points; public List<int> Numbers; public List<CartLine> Lines; public object Box; public byte[] Raw; public Dictionary<Colour, List<string>> ByColour;
		public string Title { get; set; }
	}
	static class Program {
		static void Write(string path, object o) { using (var f = File.Create(path)) new BinaryFormatter().Serialize(f, o); }
		static object Read(string path) { using (var f = File.OpenRead(path)) return new BinaryFormatter().Deserialize(f); }
		static string I(IFormattable f) { return f.ToString(null, CultureInfo.InvariantCulture); }
		static void Main(string[] args) {
			string dir = args[1];
			if (args[0] == "gen") {
				var c = new ShoppingCart { Owner = "alice", Created = new DateTime(2024, 1, 2, 3, 4, 5) };
				c.Add("SKU-1", 2, 9.99m); c.Add("SKU-2", 1, 100m); c.Notes["gift"] = "yes"; c.Parent = c;
				Write(Path.Combine(dir, "cart.bin"), c);
				Write(Path.Combine(dir, "map.bin"), new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { { "Key", "v" }, { "gone", "x" } });
				Write(Path.Combine(dir, "empty.bin"), new Dictionary<string, string>());
				return;
			}
			foreach (var name in args[2].Split(',')) {
				try { Console.WriteLine(name + ": " + Show(name, Read(Path.Combine(dir, name)))); }
				catch (Exception e) { Console.WriteLine(name + ": " + e); }
			}
		}
		static string Line(CartLine l) { return l == null ? "null" : l.Sku + "*" + l.Qty + "@" + I(l.Price) + "/" + (l.Secret ?? "null"); }
		static string Show(string name, object o) {
			switch (name) {
			case "cart": case "cart-new":
				var c = (ShoppingCart)o;
				c.Add("from-c#", 1, 1m);
				c.Notes.Add("from c#", "ok");
				return c.Owner + " " + c.Created.ToString("s") + " " + c.Created.Kind + " hits " + c.Hits + " parent " + (c.Parent == c) + " " + string.Join(" ", c.Lines.Select(Line).ToArray()) + " notes " + Map(c.Notes);
			case "map": case "empty": case "map-new": var m = (Dictionary<string, string>)o; m["after"] = "1"; return Map(m) + " KEY " + m.ContainsKey("KEY");
			case "ints": return string.Join(",", ((int[])o).Select(i => i.ToString()).ToArray());
			case "bytes": return BitConverter.ToString((byte[])o);
			case "strings": return string.Join(",", ((string[])o).Select(s => s ?? "null").ToArray());
			case "list": var l = (List<string>)o; l.Add("more"); return string.Join(",", l.ToArray());
			case "counts": var n = (Dictionary<string, int>)o; n["z"] = 26; return string.Join(",", n.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Key + "=" + p.Value).ToArray());
			case "lines": return string.Join(" ", ((CartLine[])o).Select(Line).ToArray());
			case "linelist": var ll = (List<CartLine>)o; ll.Add(null); return string.Join(" ", ll.Select(Line).ToArray());
			case "decimals": return string.Join(",", ((decimal[])o).Select(d => I(d)).ToArray());
			case "times": return string.Join(",", ((DateTime[])o).Select(d => d.ToString("s") + d.Kind).ToArray());
			case "guids": return string.Join(",", ((Guid[])o).Select(g => g.ToString()).ToArray());
			case "colour": return ((Colour)o).ToString();
			case "jagged": return string.Join(";", ((int[][])o).Select(a => string.Join(",", a.Select(i => i.ToString()).ToArray())).ToArray());
			case "objects": return string.Join(",", ((object[])o).Select(x => x == null ? "null" : x.GetType().Name + " " + Convert.ToString(x, CultureInfo.InvariantCulture)).ToArray());
			case "order":
				var r = (Order)o;
				r.ByColour[Colour.Red].Add("x"); r.Lines.Add(r.Line); r.Numbers.Add(9);
				return Line(r.Line) + " same " + (r.Line == r.Same) + " cycle " + (r.Next.Next == r) + " " + r.Paint + " " + r.Where.X + "," + I(r.Where.Y) + " " + r.Id + " " + r.At.ToString("o") + " " + r.Took + " " + I(r.Sum) + " " + r.Count + " " + (r.None == null) + " " + r.Maybe + " " + r.Points[1].X + " " + r.Numbers.Count + " " + (r.Lines[0] == r.Line) + r.Lines.Count + " " + r.Box.GetType().Name + r.Box + " " + r.Raw.Length + " " + string.Join("+", r.ByColour.Keys.OrderBy(k => k).Select(k => k.ToString() + r.ByColour[k].Count).ToArray()) + " " + r.Title + " next " + (r.Next.Line == null);
			}
			return o.ToString();
		}
		static string Map(Dictionary<string, string> m) { return string.Join(",", m.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Key + "=" + p.Value).ToArray()); }
	}
}
