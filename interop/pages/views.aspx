<%@ Page Language="C#" EnableViewState="false" %>
<%@ Import Namespace="System.Collections" %>
<%@ Import Namespace="System.Collections.Generic" %>
<%@ Import Namespace="System.Linq" %>
<script runat="server">
// Works with collections after their elements were changed elsewhere: reads all
// of them, looks up, adds.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  var ls = (List<string>)Session["ls"]; ls.Add("+"); Write("ls", ls);
  var li = (List<int>)Session["li"]; li.Add(9); Write("li", li);
  var dsi = (Dictionary<string,int>)Session["dsi"]; dsi.Add("+", 9); Write("dsi", dsi.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Key + "=" + p.Value)); Write("dsi go", new[] { dsi["go"] });
  var dis = (Dictionary<int,string>)Session["dis"]; dis[5] += "!"; Write("dis", dis.OrderBy(p => p.Key).Select(p => p.Key + "=" + p.Value));
  var al = (ArrayList)Session["al"]; al.Add("+"); Write("al", al);
  var ht = (Hashtable)Session["ht"]; ht["+"] = 1; Write("ht", ht.Keys.Cast<string>().OrderBy(k => k, StringComparer.Ordinal).Select(k => k + "=" + ht[k])); Write("ht go", new[] { ht["go"] });
  var hs = (HashSet<string>)Session["hs"]; hs.Add("+"); Write("hs", hs.OrderBy(k => k, StringComparer.Ordinal)); Write("hs go", new[] { hs.Contains("go") });
  var q = (Queue<string>)Session["q"]; q.Enqueue("+"); Write("q", q); Write("q first", new[] { q.Dequeue() });
  var st = (Stack<int>)Session["st"]; st.Push(9); Write("st", st);
  var sl = (SortedList<string,int>)Session["sl"]; sl.Add("z", 9); Write("sl", sl.Select(p => p.Key + "=" + p.Value)); Write("sl go", new[] { sl["go"] });
  var ll = (LinkedList<string>)Session["ll"]; ll.AddFirst("+"); Write("ll", ll);
  Write("ver", new[] { ((Version)Session["ver"]).ToString() });
  Write("enum", new[] { ((DayOfWeek)Session["enum"]).ToString() });
  Response.End();
}
void Write(string name, IEnumerable values) { Response.Write(name + " " + string.Join(",", values.Cast<object>()) + "\n"); }
</script>
