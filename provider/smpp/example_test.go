package smpp_test

import (
	"context"
	"fmt"
	"net"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/smpp"
)

// A stand-in for a carrier takes the message. The provider binds while Run runs.
func Example() {
	carrier := smsc.New(smsc.Config{Accounts: map[string]string{"acme": "secret"}})
	defer carrier.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go carrier.Serve(l)

	p, err := smpp.New(smpp.Config{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: "none", SystemID: "acme", Password: "secret", From: "Acme",
	}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	fmt.Println("check:", p.Check(context.Background()))

	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- p.Run(ctx) }()
	accepted, err := p.Send(ctx, provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.Parts, "part,", err)
	stop()
	fmt.Println("stopped:", <-stopped)
	fmt.Println(carrier.Messages("")[0].Text)
	// Output:
	// check: <nil>
	// 1 part, <nil>
	// stopped: <nil>
	// 482913 is your Acme code
}
