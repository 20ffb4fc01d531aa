<%@ Page Language="C#" EnableViewState="false" EnableSessionState="ReadOnly" %>
<%@ Import Namespace="System.Collections" %>
<%@ Import Namespace="System.Globalization" %>
<%@ Import Namespace="System.Linq" %>
<script runat="server">
// Every item with its type and its exact value, as the Go page of this name.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  System.Threading.Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
  foreach (string k in Session.Keys) Response.Write(k + " (" + (Session[k] == null ? "null" : Session[k].GetType().FullName) + ") = " + Text(Session[k]) + "\n");
  Response.End();
}
static string Text(object v) {
  if (v == null) return "null";
  string name = v.GetType().Name + " ";
  if (v is string) return name + Quote((string)v);
  if (v is char) return name + "U+" + ((int)(char)v).ToString("X4");
  if (v is float) return name + (float.IsNaN((float)v) ? "NaN" : BitConverter.ToUInt32(BitConverter.GetBytes((float)v), 0).ToString("x8"));
  if (v is double) return name + (double.IsNaN((double)v) ? "NaN" : BitConverter.DoubleToInt64Bits((double)v).ToString("x16"));
  if (v is decimal) return name + string.Join(" ", decimal.GetBits((decimal)v).Select(b => b.ToString("x8")));
  if (v is DateTime) return name + ((DateTime)v).Ticks + " " + ((DateTime)v).Kind;
  if (v is TimeSpan) return name + ((TimeSpan)v).Ticks;
  if (v is Enum) return Convert.ToInt64(v).ToString();
  if (v is Rig.ShoppingCart) { var c = (Rig.ShoppingCart)v; return "{Lines=" + Text(c.Lines) + ", Owner=" + Text(c.Owner) + ", Created=" + Text(c.Created) + "}"; }
  if (v is Rig.CartLine) { var l = (Rig.CartLine)v; return "{Sku=" + Text(l.Sku) + ", Qty=" + Text(l.Qty) + ", Price=" + Text(l.Price) + "}"; }
  if (v is Rig.Point2) { var p = (Rig.Point2)v; return "{X=" + Text(p.X) + ", Y=" + Text(p.Y) + "}"; }
  if (v is IDictionary) return "{" + string.Join(", ", ((IDictionary)v).Cast<object>().Select(Pair).OrderBy(x => x, StringComparer.Ordinal)) + "}";
  if (v is IEnumerable) return "[" + string.Join(", ", ((IEnumerable)v).Cast<object>().Select(Text)) + "]";
  return name + v;
}
static string Pair(object p) { var t = p.GetType(); return Text(t.GetProperty("Key").GetValue(p, null)) + ": " + Text(t.GetProperty("Value").GetValue(p, null)); }
static string Quote(string s) { return "\"" + string.Concat(s.Select(c => c < ' ' || c > '~' || c == '"' || c == '\\' ? "\\u" + ((int)c).ToString("x4") : c.ToString())) + "\""; }
</script>
