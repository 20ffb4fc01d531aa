<%@ Page Language="C#" EnableViewState="false" %>
<%@ Import Namespace="System.Globalization" %>
<%@ Import Namespace="System.Linq" %>
<script runat="server">
// One more of the first line, one line more; the second line goes when there are five.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  System.Threading.Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
  var cart = (Rig.ShoppingCart)Session["cart"] ?? new Rig.ShoppingCart { Owner = "alice", Created = new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc) };
  if (cart.Lines.Count > 0) cart.Lines[0].Qty++;
  cart.Add(Request["sku"], int.Parse(Request["qty"]), decimal.Parse(Request["price"]));
  if (cart.Lines.Count == 5) cart.Lines.RemoveAt(1);
  Session["cart"] = cart;
  Response.Write(cart.Owner + " " + cart.Created.ToString("s") + " " + string.Join(",", cart.Lines.Select(l => l.Sku + "x" + l.Qty + "@" + l.Price)) + "\n");
  Response.End();
}
</script>
