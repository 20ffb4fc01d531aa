<%@ Page Language="C#" EnableViewState="false" %>
<%@ Import Namespace="System.Collections.Generic" %>
<script runat="server">
// What C# stores for Go to change.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  var c = new Rig.ShoppingCart { Owner = "alice", Created = new DateTime(2024, 1, 2, 3, 4, 5) };
  c.Add("SKU-1", 2, 9.99m); c.Add("SKU-2", 1, 100m);
  Session["cart"] = c;
  Session["dict"] = new Dictionary<string, string> { { "theme", "dark" }, { "lang", "en" } };
  Session["list"] = new List<string> { "a", "bb" };
  Session["point"] = new Rig.Point2 { X = 3, Y = -4 };
  Session["colour"] = Rig.Colour.Green;
  Session["admin"] = new Rig.AdminUser { Favourite = Rig.Colour.Red, Rights = Rig.Rights.Read, Age = 33 };
  Session["array"] = new int[] { 1, 2, 3 };
  Response.Write("stored " + Session.Count + "\n"); Response.End();
}
</script>
