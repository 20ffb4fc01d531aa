package stateservice_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// Parking over TLS with cuts, half-sent requests, pipelining: afterwards nobody is
// parked and the lock is free within its protocol.
func TestParkTLSAndCuts(t *testing.T) {
	key1, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"x"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key1.PublicKey, key1)
	require.NoError(t, err)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key1}}}
	for _, secure := range []bool{false, true} {
		s := stateservice.New(stateservice.Options{ParkTimeout: 30 * time.Millisecond, ParkMax: 6, Logger: slog.New(slog.DiscardHandler)})
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := ln.Addr().String()
		if secure {
			ln = tls.NewListener(ln, config)
		}
		go s.Serve(ln)
		connect := func() net.Conn {
			if secure {
				c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
				require.NoError(t, err)
				return c
			}
			c, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			return c
		}
		w := wrap(t, connect())
		w.ask(set("a"))
		var wg sync.WaitGroup
		end := time.Now().Add(4 * time.Second)
		for range 10 {
			wg.Go(func() {
				for time.Now().Before(end) {
					nc := connect()
					nc.SetDeadline(time.Now().Add(patience))
					br := bufio.NewReader(nc)
					for range 20 {
						hdr := []string{}
						if mrand.IntN(2) == 0 {
							hdr = append(hdr, self)
						}
						switch mrand.IntN(12) {
						case 0:
							nc.Write([]byte(read()))
							if mrand.IntN(4) == 0 {
								time.Sleep(time.Duration(mrand.IntN(10)) * time.Millisecond)
								nc.Close()
							}
						case 1:
							nc.Write([]byte(take() + read())) // pipelined
							if rep, err := readReply(br); err == nil && status(rep) == "200" {
								go func(c string) {
									n := connect()
									defer n.Close()
									n.Write([]byte(request("GET", "x", "a: b")))
								}("")
								x := connect()
								xb := bufio.NewReader(x)
								x.Write([]byte(request("GET", key, "Exclusive: release", "LockCookie: "+field(rep, "LockCookie"))))
								readReply(xb)
								x.Close()
							}
						default:
							nc.Write([]byte(take(hdr...)))
						}
						rep, err := readReply(br)
						if err != nil {
							break
						}
						if c := field(rep, "LockCookie"); c != "" && status(rep) == "200" {
							if mrand.IntN(3) == 0 {
								time.Sleep(time.Millisecond)
							}
							nc.Write([]byte(save(key, fill(mrand.IntN(40000)), "LockCookie: "+c)))
							if rep, err := readReply(br); err != nil || status(rep) != "200" {
								t.Errorf("save under the lock: %v %q", err, rep)
							}
						}
					}
					nc.Close()
				}
			})
		}
		wg.Wait()
		waiting(t, s, 0)
		time.Sleep(time.Second)
		rep := w.ask(take())
		require.Equal(t, "200", status(rep), "secure %v", secure)
		require.EqualValues(t, 0, s.Metrics().ParkedNow)
		require.NoError(t, s.Close())
	}
}
