<%@ Page Language="C#" EnableViewState="false" %>
<%@ Import Namespace="System.Collections.Generic" %>
<%@ Import Namespace="System.Globalization" %>
<%@ Import Namespace="System.Linq" %>
<script runat="server">
// Casts every object and works with it, as pages of a site do.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  System.Threading.Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
  var cart = (Rig.ShoppingCart)Session["cart"];
  cart.Add("SKU-C", 1, 0.50m);
  Write("cart", cart.Owner + " " + string.Join(",", cart.Lines.Select(l => l.Sku + "x" + l.Qty + "@" + l.Price)) + " = " + cart.Total + " " + cart.Created.ToString("s") + " " + cart.Created.Kind);
  var dict = (Dictionary<string, string>)Session["dict"];
  dict.Add("from", "C#"); dict.Remove("lang");
  Write("dict", string.Join(",", dict.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Key + "=" + p.Value)) + " has go: " + dict.ContainsKey("go"));
  var list = (List<string>)Session["list"];
  list.Add("C#"); list.Insert(0, "first");
  Write("list", string.Join(",", list) + " " + list.Count);
  var p2 = (Rig.Point2)Session["point"];
  Write("point", p2.X + "," + p2.Y);
  Write("colour", ((Rig.Colour)Session["colour"]).ToString());
  var admin = (Rig.AdminUser)Session["admin"];
  Write("admin", admin.Favourite + " " + admin.Rights + " " + admin.Age + " " + admin.Id + " " + admin.Own);
  Write("array", ((int[])Session["array"]).Sum().ToString());
  Write("strings", string.Join("|", ((string[])Session["strings"]).Select(x => x ?? "null")));
  Write("bytes", BitConverter.ToString((byte[])Session["bytes"]));
  Write("numbers", string.Join("|", ((List<int>)Session["numbers"]).Concat(new[] { 99 })));
  var counts = (Dictionary<string, int>)Session["counts"];
  counts["b"]++; counts.Add("c", 3);
  Write("counts", string.Join(",", counts.OrderBy(p => p.Key).Select(p => p.Key + "=" + p.Value)));
  Write("decimals", ((decimal[])Session["decimals"]).Sum().ToString());
  Write("times", string.Join("|", ((DateTime[])Session["times"]).Select(x => x.ToString("s"))));
  var carts = (Rig.ShoppingCart[])Session["carts"];
  carts[1].Add("SKU-D", 4, 0.25m);
  Write("carts", string.Join(" ", carts.Select(c => c.Owner + ":" + c.Total)));
  Response.End();
}
void Write(string name, string text) { Response.Write(name + " " + text + "\n"); }
</script>
