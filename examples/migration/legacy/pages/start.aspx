<%@ Page Language="C#" EnableViewState="false" ContentType="text/plain" %>started
