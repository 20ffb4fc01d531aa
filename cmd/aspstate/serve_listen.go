package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/aspsession/aspsession/stateservice"
)

// listeners opens the plain ones first, then that of TLS.
func (v *serving) listeners() (all []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, ln := range all {
				_ = ln.Close()
			}
		}
	}()
	networks, err := stateservice.ParseNetworks(v.allow)
	if err != nil {
		return nil, fmt.Errorf("--allow: %w", err)
	}
	secure, err := v.tlsConfig()
	if err != nil {
		return nil, err
	}
	passed, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("the socket that systemd passed: %w", err)
	}
	for i, ln := range passed {
		if ln == nil {
			return all, fmt.Errorf("socket %d of those that systemd passed does not listen: use ListenStream in the socket unit", i+1)
		}
		all = append(all, ln)
	}
	add := func(address string) error {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			return listenAdvice(err)
		}
		all = append(all, ln)
		return nil
	}
	if len(all) == 0 {
		if err := add(v.listen); err != nil {
			return all, err
		}
	}
	if secure != nil {
		if err := add(v.tlsListen); err != nil {
			return all, err
		}
	}
	for i, ln := range all {
		if beyond(ln.Addr()) {
			if len(networks) == 0 {
				return all, fmt.Errorf("%s is reached by other machines: say with --allow which networks may connect; whoever connects can write sessions, and so run code in ASP.NET", ln.Addr())
			}
			if i < len(all)-1 || secure == nil {
				v.opt.Logger.Warn("listening beyond this machine, without encryption or authentication: keep it to a private network", "address", ln.Addr().String())
			}
			all[i] = stateservice.Allow(ln, networks, v.opt.Logger)
		}
	}
	if secure != nil {
		last := len(all) - 1
		all[last] = tls.NewListener(all[last], secure)
		v.opt.Logger.Info("TLS", "address", all[last].Addr().String(), "client certificates", v.tlsCA != "")
	}
	return all, nil
}

// tlsConfig is nil where no TLS is wanted.
func (v *serving) tlsConfig() (*tls.Config, error) {
	if v.tlsListen == "" {
		if v.tlsCert+v.tlsKey+v.tlsCA != "" {
			return nil, errors.New("--tls-cert, --tls-key and --tls-client-ca need --tls-listen")
		}
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(v.tlsCert, v.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if v.tlsCA != "" {
		pem, err := os.ReadFile(v.tlsCA)
		if err != nil {
			return nil, fmt.Errorf("--tls-client-ca: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--tls-client-ca: no certificate in %s", v.tlsCA)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}
