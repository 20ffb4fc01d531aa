// The other side of mono_test.go: what Go wrote is cast and used by C#.
using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Runtime.Serialization.Formatters.Binary;

namespace Shop {
	[Serializable] public struct Point { public int X; public double Y; }
	public enum Color : byte { Red = 1, Green = 2 }

	[Serializable] public class Line {
		public string Sku; public int Quantity; public decimal Price; public Cart Owner; public Point Where; public Color Paint; public object Box;
		public string Note { get; set; }
	}

	[Serializable] public class Cart {
		public List<Line> Lines = new List<Line>();
		public Dictionary<string, string> Tags = new Dictionary<string, string>();
		public DateTime Made; public byte[] Raw; public int[][] Jagged; public Point[] Points; public object[] Things; public Cart Self; public string[] Names;
	}

	static class Program {
		static void Write(string path, object o) { using (var f = File.Create(path)) new BinaryFormatter().Serialize(f, o); }
		static object Read(string path) { using (var f = File.OpenRead(path)) return new BinaryFormatter().Deserialize(f); }

		static void Main(string[] args) {
			string dir = args[1];
			if (args[0] == "gen") {
				var c = new Cart { Made = new DateTime(2024, 2, 29, 1, 2, 3, DateTimeKind.Utc), Raw = new byte[] { 1, 2, 3 } };
				c.Self = c;
				c.Jagged = new[] { new[] { 1, 2 }, null, new[] { 3 } };
				c.Points = new[] { new Point { X = 1, Y = 1.5 }, new Point { X = 2, Y = 2.5 } };
				c.Things = new object[300]; c.Things[7] = 7; c.Things[8] = "eight"; c.Things[9] = new Point { X = 9 };
				c.Names = new[] { "a", null, "c" };
				c.Tags["k"] = "v";
				for (int i = 0; i < 3; i++) c.Lines.Add(new Line { Sku = "S" + i, Quantity = i, Price = 1.10m * i, Owner = c, Where = new Point { X = i }, Paint = Color.Green, Box = i == 1 ? (object)"box" : Color.Red, Note = "n" + i });
				Write(Path.Combine(dir, "cart.bin"), c);
				return;
			}
			foreach (var name in args[2].Split(',')) {
				Console.WriteLine("# " + name);
				try { Show(Read(Path.Combine(dir, name + ".bin"))); }
				catch (Exception e) { Console.WriteLine(e); }
			}
		}

		static void Show(object o) {
			var c = o as Cart;
			if (c == null) {
				var list = o as IEnumerable;
				if (o is string || list == null) { Console.WriteLine(o.GetType() + " " + o); return; }
				foreach (var x in list) Console.WriteLine("- " + (x ?? "null"));
				return;
			}
			Console.WriteLine("self " + (c.Self == c) + " made " + c.Made.Ticks + " " + c.Made.Kind + " raw " + (c.Raw == null ? "null" : BitConverter.ToString(c.Raw)));
			foreach (var l in c.Lines)
				Console.WriteLine("line " + l.Sku + " " + l.Quantity + " " + l.Price.ToString(System.Globalization.CultureInfo.InvariantCulture) + " owner " + (l.Owner == c) + " at " + l.Where.X + " " + l.Paint + " box " + (l.Box ?? "null") + " note " + (l.Note ?? "null"));
			if (c.Tags != null) {
				c.Tags.Add("added in C#", "yes");
				var keys = new List<string>(c.Tags.Keys); keys.Sort(StringComparer.Ordinal);
				foreach (var k in keys) Console.WriteLine("tag " + k + "=" + c.Tags[k]);
			}
			c.Lines.Add(new Line());
			Console.WriteLine("count " + c.Lines.Count);
			if (c.Jagged != null) Console.WriteLine("jagged " + c.Jagged.Length + " " + c.Jagged[0][1] + " " + (c.Jagged[1] == null) + " last " + c.Jagged[c.Jagged.Length - 1][0]);
			if (c.Points != null) foreach (var p in c.Points) Console.WriteLine("point " + p.X + " " + p.Y.ToString(System.Globalization.CultureInfo.InvariantCulture));
			if (c.Things != null) { int i = 0; foreach (var t in c.Things) { if (t != null) Console.WriteLine("thing " + i + " " + (t is Point ? "point " + ((Point)t).X : t)); i++; } Console.WriteLine("things " + i); }
			if (c.Names != null) Console.WriteLine("names " + string.Join("|", c.Names) + " same " + (c.Names.Length > 3 && (object)c.Names[3] == (object)c.Names[0]));
		}
	}
}
