<%@ Page Language="C#" MasterPageFile="~/Site.master" Title="Prices · the shop" EnableSessionState="ReadOnly" EnableViewState="false" %>
<%@ Import Namespace="Shop" %>
<asp:Content ContentPlaceHolderID="Main" runat="server">
<h1>Prices</h1>
<p class="lead" data-field="welcome">Welcome<% if (Session["user"] != null) { %>, <%: Session["user"] %><% } %>. This page only reads the session: it waits for nobody who works in it.</p>
<table class="list">
  <thead><tr><th scope="col">Product</th><th scope="col" class="num">Price</th></tr></thead>
  <tbody>
<% foreach (Product p in Catalogue.All) { %>    <tr><th scope="row" data-label="Product"><%: p.Name %></th><td class="num" data-label="Price" data-field="price <%: p.Sku %>"><%: Money.Text(p.Price, (string)Session["currency"]) %></td></tr>
<% } %>  </tbody>
</table>
<p>Orders so far: <span data-field="orders"><%: Session["orders"] ?? 0 %></span><% if (Session["lastOrder"] != null) { %>. The last one: <span data-field="last order"><%: Session["lastOrder"] %></span><% } %>.</p>
</asp:Content>
