package fakecarrier_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier"
)

// trusting is a client that believes the carrier's certificate.
func trusting(t testing.TB, c *fakecarrier.Carrier) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.Certificate()) {
		t.Fatal("the certificate is none")
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func ExampleStart() {
	c, err := fakecarrier.Start(fakecarrier.Options{API: "127.0.0.1:0", SMPP: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for _, table := range c.Tables() {
		fmt.Println(table.Type, table.Keys[0])
	}
	// Output: smpp [host 127.0.0.1]
}
