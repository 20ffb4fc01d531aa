<%@ Page Language="C#" %>
<script runat="server">
// Holds the session's lock until the address "until" has answered, then increments n.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  var t0 = DateTime.UtcNow;
  int n = Session["n"] == null ? 0 : (int)Session["n"];
  using (var w = new System.Net.WebClient { Proxy = null }) w.DownloadString(Request["until"]);
  Session["n"] = n + 1;
  Response.Write("hold n=" + (n+1) + " start=" + t0.ToString("HH:mm:ss.fff") + " end=" + DateTime.UtcNow.ToString("HH:mm:ss.fff") + "\n");
  Response.End();
}
</script>
