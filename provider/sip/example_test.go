package sip_test

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/sip"
)

// A trunk says that the telephone is busy. The provider calls while Run runs.
func Example() {
	trunk, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer trunk.Close()
	go busy(trunk)

	p, err := sip.New(sip.Config{Server: trunk.LocalAddr().String(), From: "+34910000000", Listen: "127.0.0.1:0"}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- p.Run(ctx) }()
	_, err = p.Send(ctx, provider.Message{Channel: "call", To: "+34612345678", Code: "482913", Speech: &provider.Speech{
		Language: "en", Repeat: 2, Parts: []provider.SpeechPart{{Digits: "482913"}},
	}})
	fmt.Println(err, "- again in", provider.AsError(err).RetryAfter)
	stop()
	fmt.Println("stopped:", <-stopped)
	// Output:
	// temporary 486: Busy Here - again in 20s
	// stopped: <nil>
}

// busy answers every call.
func busy(trunk net.PacketConn) {
	copied := regexp.MustCompile(`(?mi)^(Via|From|To|Call-ID|CSeq): .*\r\n`)
	buffer := make([]byte, 4096)
	for {
		n, from, err := trunk.ReadFrom(buffer)
		if err != nil {
			return
		}
		if request := string(buffer[:n]); strings.HasPrefix(request, "INVITE ") {
			answer := "SIP/2.0 486 Busy Here\r\n" + strings.Join(copied.FindAllString(request, -1), "") + "Content-Length: 0\r\n\r\n"
			trunk.WriteTo([]byte(answer), from)
		}
	}
}
