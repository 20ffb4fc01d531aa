<%@ Page Language="C#" %>
<script runat="server">
    void Page_Load(object sender, EventArgs e) {
        throw new InvalidOperationException("the stock database is not there");
    }
</script>
