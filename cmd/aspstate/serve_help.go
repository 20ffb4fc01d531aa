package main

const serveHelp = `WHERE IT LISTENS

  --listen HOST:PORT  Listen there. Default 127.0.0.1:42424, which only this
                      machine reaches. Started by systemd with a socket, it takes
                      that instead.
  --allow NETWORKS    Comma list of networks and addresses that may connect,
                      "10.1.0.0/16,10.2.0.7"; needed with any --listen that is not
                      loopback. The protocol has neither encryption nor
                      authentication, and whoever can write sessions runs code in
                      ASP.NET: keep it to a private network or a tunnel.
  --tls-listen HOST:PORT
                      Listen there too, with TLS, for Go clients; .NET's client
                      speaks none. --allow counts here as well.
  --tls-cert FILE     Certificate chain and key of the TLS port, PEM.
  --tls-key FILE
  --tls-client-ca FILE
                      Clients must show a certificate that one of these
                      authorities signed.

WHAT IT KEEPS

  --data DIR          Keep the sessions in this directory, over restarts and
                      crashes. It is made with mode 0700. A crash loses what is
                      younger than 50 ms, or than the disk is behind where it
                      cannot keep up (it says so); an ordinary stop loses
                      nothing. Default: in memory only, as aspnet_state.exe.
  --max-items N       Refuse new sessions over so many. Default 0: no limit.
  --max-bytes N       Refuse what would take the sum of all contents over so many
                      bytes. Default 0: no limit. What is stored is never lost to
                      a limit.
  --max-conns N       Refuse connections over so many. Default 20000.

HOW IT ANSWERS

  --park DURATION     Let a request that meets a lock wait so long for its release
                      before it is told to come back. Default 250ms; 0 is off, as
                      aspnet_state.exe.
  --bare              Answer with status lines without an HTTP version, as
                      aspnet_state.exe is believed to do.

WHAT IT TELLS

  --on-end URL        POST every session that ends there: JSON with key, reason and
                      content, signed. At least once with --data, else as well as
                      it goes. http to another host than loopback is refused.
  --on-end-key FILE   The signing key, 16 bytes or more. Needed with --on-end.
  --admin ADDRESS     Serve pages for people (/), /healthz, /metrics (Prometheus)
                      and /sessions there: "unix:PATH", a socket for this user
                      alone, or a loopback HOST:PORT.
  --admin-token FILE  What clients of --admin must show as a bearer token or a
                      password. Needed on a HOST:PORT.
  --admin-values      Show on the pages what is in the items. Default: names, .NET
                      types and sizes, since sessions have what visitors told the
                      site.
  --pprof             Serve profiles on --admin too.
  --json              Print the line on standard output as one JSON object:
                      listening, connectionString for web.config, and where they
                      are served tls and admin; and the log on standard error as
                      JSON, an object a line.

On the ASP.NET side: <sessionState mode="StateServer"
stateConnectionString="tcpip=HOST:PORT" />. SIGINT or SIGTERM ends requests under
way and then the service.`
