<%@ Page Language="C#" EnableViewState="false" %>
<%@ Import Namespace="System.Collections.Generic" %>
<script runat="server">
// Stores the same values as the Go page of this name.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  switch (Request["case"]) {
    case "primitives": Primitives(); break;
    case "objects": Objects(); break;
    default: throw new Exception("no such case");
  }
  Response.Write("stored " + Session.Count + "\n"); Response.End();
}
void Primitives() {
  Session["null"] = null;
  Session["string"] = "hello"; Session["string.empty"] = ""; Session["string.latin"] = "caf\u00e9"; Session["string.cjk"] = "\u6f22\u5b57";
  Session["string.astral"] = "\ud83d\ude00"; Session["string.control"] = "a\0b\r\n\t\"\\"; Session["string.127"] = new string('x', 127); Session["string.128"] = new string('\u20ac', 128);
  Session["int"] = 42; Session["int.zero"] = 0; Session["int.min"] = int.MinValue; Session["int.max"] = int.MaxValue;
  Session["bool.true"] = true; Session["bool.false"] = false;
  Session["datetime.utc"] = new DateTime(2024, 2, 29, 12, 34, 56, DateTimeKind.Utc).AddTicks(1234567);
  Session["datetime.local"] = new DateTime(2024, 7, 1, 12, 0, 0, DateTimeKind.Local); Session["datetime.unspecified"] = new DateTime(1999, 12, 31, 23, 59, 59);
  Session["datetime.min"] = DateTime.MinValue; Session["datetime.max"] = DateTime.MaxValue;
  Session["decimal"] = 1.10m; Session["decimal.zero"] = 0m; Session["decimal.negzero"] = new decimal(0, 0, 0, true, 2); Session["decimal.min"] = decimal.MinValue; Session["decimal.max"] = decimal.MaxValue;
  Session["decimal.tiny"] = 0.0000000000000000000000000001m; Session["decimal.scale"] = 7.000000000000000000m;
  Session["byte"] = (byte)7; Session["byte.max"] = byte.MaxValue;
  Session["char"] = 'A'; Session["char.nul"] = '\0'; Session["char.latin"] = '\u00e9'; Session["char.euro"] = '\u20ac'; Session["char.last"] = '\uffff';
  Session["float"] = 1.5f; Session["float.nan"] = float.NaN; Session["float.inf"] = float.PositiveInfinity; Session["float.negzero"] = -0.0f; Session["float.min"] = float.MinValue; Session["float.max"] = float.MaxValue; Session["float.eps"] = float.Epsilon;
  Session["double"] = 0.1; Session["double.nan"] = double.NaN; Session["double.neginf"] = double.NegativeInfinity; Session["double.negzero"] = -0.0; Session["double.min"] = double.MinValue; Session["double.max"] = double.MaxValue; Session["double.eps"] = double.Epsilon;
  Session["sbyte.min"] = sbyte.MinValue; Session["sbyte.max"] = sbyte.MaxValue;
  Session["short.min"] = short.MinValue; Session["short.max"] = short.MaxValue;
  Session["long.min"] = long.MinValue; Session["long.max"] = long.MaxValue; Session["long"] = 1L;
  Session["ushort"] = (ushort)0; Session["ushort.max"] = ushort.MaxValue;
  Session["uint"] = 0u; Session["uint.max"] = uint.MaxValue;
  Session["ulong"] = 0ul; Session["ulong.max"] = ulong.MaxValue;
  Session["timespan"] = TimeSpan.FromSeconds(1.5); Session["timespan.negative"] = TimeSpan.FromDays(-3); Session["timespan.min"] = TimeSpan.MinValue; Session["timespan.max"] = TimeSpan.MaxValue;
  Session["guid"] = new Guid("00112233-4455-6677-8899-aabbccddeeff"); Session["guid.empty"] = Guid.Empty;
  Session["intptr"] = new IntPtr(-5); Session["intptr.max"] = new IntPtr(long.MaxValue); Session["uintptr"] = new UIntPtr(ulong.MaxValue);
}
void Objects() {
  Func<string, Rig.ShoppingCart> cart = owner => { var c = new Rig.ShoppingCart { Owner = owner, Created = new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc) }; c.Add("SKU-1", 2, 9.99m); c.Add("caf\u00e9", 1, 100.00m); return c; };
  Session["cart"] = cart("alice");
  Session["cart.array"] = new[] { cart("x"), new Rig.ShoppingCart { Owner = "", Created = new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc) }, null };
  Session["point"] = new Rig.Point2 { X = int.MinValue, Y = -4 };
  Session["colour"] = Rig.Colour.Blue;
  Session["rights"] = Rig.Rights.Read | Rig.Rights.Write;
  Session["string.array"] = new[] { "a", null, "", "a", "\ud83d\ude00" }; Session["string.array.empty"] = new string[0];
  Session["byte.array"] = new byte[] { 0, 1, 255 }; Session["byte.array.empty"] = new byte[0];
  Session["int.array"] = new[] { 1, int.MaxValue, int.MinValue }; Session["long.array"] = new[] { long.MinValue, 0L };
  Session["double.array"] = new[] { 1.5, -0.0, double.NaN, double.PositiveInfinity };
  Session["bool.array"] = new[] { true, false };
  Session["decimal.array"] = new[] { 1.50m, decimal.MaxValue, -0.05m };
  Session["datetime.array"] = new[] { new DateTime(2024, 2, 29, 1, 2, 3, DateTimeKind.Utc), new DateTime(2024, 2, 29, 1, 2, 3), DateTime.MaxValue };
  Session["timespan.array"] = new[] { TimeSpan.MinValue, TimeSpan.Zero };
  Session["guid.array"] = new[] { new Guid("00112233-4455-6677-8899-aabbccddeeff"), Guid.Empty };
  Session["nullable.array"] = new int?[] { 1, null };
  Session["jagged"] = new[] { new[] { 1 }, new int[0], new[] { 2, 3 } };
  Session["object.array"] = new object[] { 1, "s", null, 2.5, true, 9L, 'c' };
  Session["list"] = new List<string> { "a", null, "" }; Session["list.empty"] = new List<string>(); Session["list.int"] = new List<int> { 1, 2, 3, 4, 5 };
  Session["dict"] = new Dictionary<string, string> { { "theme", "dark" }, { "", "" }, { "n", null } };
  Session["dict.int"] = new Dictionary<string, int> { { "one", 1 }, { "min", int.MinValue } }; Session["dict.empty"] = new Dictionary<string, int>();
  Session["dict.key"] = new Dictionary<int, string> { { -5, "five" } };
  Session["dict.object"] = new Dictionary<string, object> { { "x", 1 }, { "y", "z" }, { "n", null } };
}
</script>
