<%@ Page Language="C#" EnableSessionState="false" EnableViewState="false" ContentType="text/plain" %>up
