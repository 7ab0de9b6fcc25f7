<%@ page session="false" contentType="application/json" import="java.nio.file.*" %><%--
Every page of the Tomcat that the tests start. What it is told to do is its query: "health" tells when
this process was started, "login" and "logout" do what they say, anything else tells what Tomcat makes
of the session that was asked for. One that Tomcat does not know is a zombie, and is written down.
--%><%
String started = String.valueOf(
    java.lang.management.ManagementFactory.getRuntimeMXBean().getStartTime());
String what = String.valueOf(request.getQueryString());
boolean isKnown = request.isRequestedSessionIdValid();
if (request.getRequestedSessionId() != null && !isKnown) {
    Files.writeString(
        Path.of(System.getProperty("catalina.base"), "zombies"),
        what + " " + request.getRequestedSessionId() + "\n",
        StandardOpenOption.CREATE, StandardOpenOption.APPEND);
}
if (what.equals("login")) {
    if (isKnown) { request.changeSessionId(); }
    request.getSession(true).setAttribute("user", "ada");
} else if (what.equals("logout") && isKnown) {
    request.getSession(false).invalidate();
    isKnown = false;
}
Object user = isKnown ? request.getSession(false).getAttribute("user") : null;
%>{"startedAt":"<%= started %>","user":"<%= user == null ? "" : user %>"}
