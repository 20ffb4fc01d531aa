<%@ Page Language="C#" EnableViewState="false" %>
<script runat="server">
// Sets one item.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  Response.Write("touch id=" + Session.SessionID + " new=" + Session.IsNewSession + " count=" + Session.Count + "\n");
  Session["touched"] = int.Parse(Request["n"]);
  Response.End();
}
</script>
